import { describe, expect, test } from '@jest/globals';
import type { BotDocument } from '../../src/formats/document.js';
import { EXPORT_FORMATS, exportLosses, readBot, writeBot } from '../../src/formats/formats.js';
import { randomDocument } from './documents.js';

const DOCUMENTS = 400;

/** The document without what the format has no place for. */
function held(document: BotDocument, format: (typeof EXPORT_FORMATS)[number]): BotDocument {
  if (exportLosses(document, format).length === 0) return document;
  const intents = document.intents.map(({ name, examples }) => ({ name, examples }));
  return { ...document, intents };
}

describe.each(EXPORT_FORMATS)('%s', (format) => {
  test(`reads back what it wrote: ${DOCUMENTS} nasty documents`, async () => {
    for (let seed = 0; seed < DOCUMENTS; seed++) {
      const document = held(randomDocument(seed), format);
      const text = writeBot(document, format);
      const read = await readBot(Buffer.from(text), { format });
      expect({ seed, ...read.document }).toEqual({ seed, ...document });
      // Nothing may have been passed over; texts that several intents share are worth a word.
      const notes = read.notes.filter((note) => !/ stands? in | as counter-examples$/.test(note));
      expect({ seed, notes }).toEqual({ seed, notes: [] });
    }
  });

  test('is told apart by its content', async () => {
    const document: BotDocument = {
      intents: [
        { name: 'greet', description: 'Says hello', examples: ['hello', 'nlu: - intent, text', '{"intent"'] },
      ],
      counterexamples: ['weather?'],
    };
    const read = await readBot(Buffer.from(writeBot(document, format)));
    expect(read.format).toBe(format);
    expect(read.document).toEqual(held(document, format));
  });

  test.each([
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16, little end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['Windows line ends', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
  ])('reads %s', async (_, encode) => {
    const document: BotDocument = {
      intents: [{ name: 'grüßen', description: 'Hallo sagen', examples: ['grüß dich', 'hallo, du'] }],
      counterexamples: ['wie wird das wetter'],
    };
    const read = await readBot(encode(writeBot(document, format)));
    expect(read).toMatchObject({ format, document: held(document, format) });
  });
});
