import { writeFileSync } from 'node:fs';

/** Writes a table of eight classes with six texts each, which are English: for the encoder that ships. */
export function writeThings(file: string): void {
  const things = ['card', 'loan', 'pin', 'transfer', 'account', 'cheque', 'mortgage', 'refund'];
  const texts = [
    'i lost my',
    'where is the',
    'open a new',
    'please cancel the',
    'what about my',
    'help with a',
  ];
  const rows = things.flatMap((thing) => texts.map((text) => `${text} ${thing},about_${thing}`));
  writeFileSync(file, ['text,label', ...rows, ''].join('\n'));
}
