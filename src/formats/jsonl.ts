import { z } from 'zod';
import {
  DocumentBuilder,
  invalidAt,
  type BotDocument,
  type Reading,
  type TextReader,
  type Writer,
} from './document.js';
import { asObject } from './jsonFile.js';
import { linesOf } from './lines.js';

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
/** Of one object, in UTF-16 units; texts are much shorter. */
const LONGEST_LINE = 4 * 1024 * 1024;

const known = new Set(Object.keys(lineSchema.shape));

export const jsonl: TextReader & Writer = { read, write };

/**
 * Whether the text is objects of this format line by line, rather than one JSON value: a line that is a whole object is
 * followed by others, or has this format's keys.
 */
export function isJsonLines(text: string): boolean {
  const [, line = '', rest = ''] = /^\s*(\S[^\n]*)([^]*)$/.exec(text) ?? [];
  if (line.length > LONGEST_LINE) return false;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  const object = asObject(value);
  if (object === undefined) return false;
  return rest.trim() !== '' || Object.keys(object).some((key) => known.has(key));
}

function read(text: string): Reading {
  const builder = new DocumentBuilder();
  const ignored = new Set<string>();
  for (const [line, number] of linesOf(text)) {
    if (line.trim() === '') builder.skip('empty line', number);
    else readLine(line, number, builder, ignored);
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
  if (line.length > LONGEST_LINE) {
    throw invalidAt(number, 'far too long; write one {"intent": …, "text": …} a line');
  }
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
