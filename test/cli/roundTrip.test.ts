import { describe, expect, test } from '@jest/globals';
import { FORMAT_NAMES, readBot, writeBot, type BotDocument } from '../../src/cli/importExport.js';
import { randomDocument } from './documents.js';

const DOCUMENTS = 400;

describe.each(FORMAT_NAMES)('%s', (format) => {
  test(`reads back what it wrote: ${DOCUMENTS} nasty documents`, () => {
    for (let seed = 0; seed < DOCUMENTS; seed++) {
      const document = randomDocument(seed);
      const text = writeBot(document, format);
      const read = readBot(Buffer.from(text), { format });
      expect({ seed, ...read.document }).toEqual({ seed, ...document });
      // Nothing may have been passed over; texts that several intents share are worth a word.
      const notes = read.notes.filter((note) => !/ stands? in /.test(note));
      expect({ seed, notes }).toEqual({ seed, notes: [] });
    }
  });

  test('is told apart by its content', () => {
    const document: BotDocument = {
      intents: [
        { name: 'greet', description: 'Says hello', examples: ['hello', 'nlu: - intent, text', '{"intent"'] },
      ],
      counterexamples: ['weather?'],
    };
    const read = readBot(Buffer.from(writeBot(document, format)));
    expect(read.format).toBe(format);
    expect(read.document).toEqual(document);
  });

  test.each([
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16, little end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['Windows line ends', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
  ])('reads %s', (_, encode) => {
    const document: BotDocument = {
      intents: [{ name: 'grüßen', description: 'Hallo sagen', examples: ['grüß dich', 'hallo, du'] }],
      counterexamples: ['wie wird das wetter'],
    };
    const read = readBot(encode(writeBot(document, format)));
    expect(read).toMatchObject({ format, document, notes: [] });
  });
});
