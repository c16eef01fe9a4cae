import { z } from 'zod';
import { DocumentBuilder, invalidAt, type BotDocument, type Format, type Reading } from './document.js';

/*
 * JSON lines: an object a line. {"intent", "text"} is an example, {"intent", "description"} describes an intent,
 * {"intent"} alone says that it exists, {"text", "counterexample": true} is a text out of scope. `label` stands for
 * `intent` and `utterance` for `text` in files from elsewhere. Holds every text exactly.
 */

const lineSchema = z.looseObject({
  intent: z.string().optional(),
  label: z.string().optional(),
  text: z.string().optional(),
  utterance: z.string().optional(),
  description: z.string().nullish(),
  counterexample: z.boolean().optional(),
});
const known = new Set(Object.keys(lineSchema.shape));

export const jsonl: Format = { read, write };

function read(text: string): Reading {
  const builder = new DocumentBuilder();
  const ignored = new Set<string>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop(); // What follows the last line's end is not a line.
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') builder.skip('empty line', at + 1);
    else readLine(line, at + 1, builder, ignored);
  }
  if (ignored.size > 0) {
    builder.remark(`ignored the keys ${[...ignored].map((key) => `"${key}"`).join(', ')}`);
  }
  return builder.finish();
}

/**
 * The texts of JSON lines alone, in their order; empty lines, and objects without a text, are blank ones.
 *
 * @throws KshotError `invalid_file` for a line that is no object, or whose text is none.
 */
export function jsonlTexts(text: string): string[] {
  return text.split('\n').map((line, at) => {
    if (line.trim() === '') return '';
    const entry = parseEntry(line, at + 1);
    return entry.text ?? entry.utterance ?? '';
  });
}

function readLine(line: string, number: number, builder: DocumentBuilder, ignored: Set<string>): void {
  const entry = parseEntry(line, number);
  const { description, counterexample } = entry;
  const intent = entry.intent ?? entry.label;
  const text = entry.text ?? entry.utterance;
  const others = Object.keys(entry).filter((key) => !known.has(key));
  for (const key of others) ignored.add(key);

  if (counterexample === true) {
    if (text === undefined) throw invalidAt(number, 'a counter-example without "text"');
    if (intent !== undefined || description != null) {
      throw invalidAt(number, 'a counter-example belongs to no intent; leave "intent" and "description" out');
    }
    builder.counterexample(text, number);
    return;
  }
  if (intent === undefined) {
    throw invalidAt(
      number,
      'neither "intent" nor "counterexample": true; every line needs {"intent": …, "text": …}',
    );
  }
  if (text === undefined && description == null && others.length > 0) {
    throw invalidAt(number, `neither "text" nor "description" (only ${others.join(', ')})`);
  }
  builder.intent(intent, number);
  if (description != null) builder.description(intent, description, number);
  if (text !== undefined) builder.example(intent, text, number);
}

function parseEntry(line: string, number: number): z.infer<typeof lineSchema> {
  const entry = lineSchema.safeParse(parseObject(line, number));
  if (entry.success) return entry.data;
  const issue = entry.error.issues[0];
  throw invalidAt(number, `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'is wrong'}`);
}

function parseObject(line: string, number: number): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalidAt(
      number,
      'not JSON; every line must be one whole object, such as {"intent": "greet", "text": "hello"}',
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidAt(number, 'not an object; write one {"intent": …, "text": …} a line');
  }
  return value;
}

function write(document: BotDocument): string {
  const lines: object[] = [];
  for (const { name, description, examples } of document.intents) {
    if (description !== undefined) lines.push({ intent: name, description });
    if (description === undefined && examples.length === 0) lines.push({ intent: name });
    for (const text of examples) lines.push({ intent: name, text });
  }
  for (const text of document.counterexamples) lines.push({ counterexample: true, text });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
