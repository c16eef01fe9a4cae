import type { ChangeKind, ImportResult, IntentChange, TextsChange } from '../classify/service.js';
import { count, printable } from './table.js';

type Changes = Pick<ImportResult, 'totals' | 'intents' | 'counterexamples'>;

const MARKS: Readonly<Record<ChangeKind, string>> = {
  added: '+',
  changed: '~',
  removed: '-',
  unchanged: ' ',
};

/** What an import changes, or would, or what differs between two versions: a line a change, and one for all that stays as it is. Ends in a line break. */
export function changeList({ intents, counterexamples, totals }: Changes): string {
  const changed = intents.filter(({ change }) => change !== 'unchanged');
  const lines = changed.flatMap((intent) => [
    `${MARKS[intent.change]} ${printable(intent.name)}: ${inWords(intent)}`,
    ...textLines(intent),
  ]);
  if (counterexamples.change !== 'unchanged') {
    lines.push(
      `${MARKS[counterexamples.change]} counter-examples: ${textsInWords(counterexamples)}`,
      ...textLines(counterexamples),
    );
  }
  const stay = [
    ...(totals.intents.unchanged > 0 ? [count(totals.intents.unchanged, 'intent')] : []),
    ...(counterexamples.change === 'unchanged' && counterexamples.kept > 0
      ? [count(counterexamples.kept, 'counter-example')]
      : []),
  ];
  if (stay.length > 0) lines.push(`  left as they are: ${stay.join(', ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** The totals of what has changed, in one line. */
export function changesInWords({ totals }: Changes): string {
  const { intents, examples, counterexamples } = totals;
  const kinds = (['added', 'changed', 'removed'] as const).filter((kind) => intents[kind] > 0);
  const parts = [
    ...kinds.map((kind) => `${count(intents[kind], 'intent')} ${kind}`),
    ...(examples.added > 0 ? [`${count(examples.added, 'example')} added`] : []),
    ...(examples.removed > 0 ? [`${count(examples.removed, 'example')} removed`] : []),
    ...(counterexamples.added > 0 ? [`${count(counterexamples.added, 'counter-example')} added`] : []),
    ...(counterexamples.removed > 0 ? [`${count(counterexamples.removed, 'counter-example')} removed`] : []),
  ];
  return parts.length === 0 ? 'nothing changes' : parts.join(', ');
}

function inWords(intent: IntentChange): string {
  const parts = [
    ...(intent.change === 'added' ? ['new'] : intent.change === 'removed' ? ['goes'] : []),
    textsInWords(intent),
    ...(intent.description === 'unchanged' ? [] : [`description ${intent.description}`]),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function textsInWords({ added, removed, kept }: TextsChange): string {
  return [
    ...(added.length > 0 ? [`${added.length} added`] : []),
    ...(removed.length > 0 ? [`${removed.length} removed`] : []),
    ...(kept > 0 ? [`${kept} kept`] : []),
  ].join(', ');
}

function textLines({ added, removed }: TextsChange): string[] {
  return [
    ...added.map((text) => `    + ${printable(text)}`),
    ...removed.map((text) => `    - ${printable(text)}`),
  ];
}
