import {
  DocumentBuilder,
  invalidAt,
  listed,
  type BotDocument,
  type JsonReader,
  type Reading,
  type Writer,
} from './document.js';
import { asObject, type JsonFile } from './jsonFile.js';

/*
 * kshot's own document, JSON: what the API takes and gives. Intents and counter-examples as `PUT …/intents` and
 * `PUT …/counterexamples` take them; an example may also be an object with a `text`, as `GET` answers it. Holds everything
 * exactly.
 */

/** The version of the layout. */
const VERSION = 1;
const KNOWN = ['kshot', 'intents', 'counterexamples'];
const KNOWN_OF_INTENT = ['name', 'description', 'examples'];

export const kshot: JsonReader & Writer = { read, write };

function read(file: JsonFile): Reading {
  const root = file.object(file.value);
  if (root['kshot'] !== undefined && root['kshot'] !== VERSION) {
    throw invalidAt(file.at('kshot'), `this kshot reads version ${VERSION}; a newer one wrote the file`);
  }
  const builder = new DocumentBuilder();
  const ignored = new Set(Object.keys(root).filter((key) => !KNOWN.includes(key)));
  for (const [i, item] of file.list(root['intents'], 'intents').entries()) {
    const intent = file.object(item, 'intents', i);
    const name = file.string(intent['name'], 'intents', i, 'name');
    const place = file.at('intents', i);
    builder.intent(name, place);
    const description = file.optionalString(intent['description'], 'intents', i, 'description');
    if (description !== undefined) builder.description(name, description, place);
    for (const [k, example] of file.list(intent['examples'], 'intents', i, 'examples').entries()) {
      const path = ['intents', i, 'examples', k] as const;
      builder.example(name, textOf(file, example, path), file.at(...path));
    }
    for (const key of Object.keys(intent)) if (!KNOWN_OF_INTENT.includes(key)) ignored.add(key);
  }
  for (const [k, example] of file.list(root['counterexamples'], 'counterexamples').entries()) {
    const path = ['counterexamples', k] as const;
    builder.counterexample(textOf(file, example, path), file.at(...path));
  }
  if (ignored.size > 0) builder.remark(`ignored the keys ${listed([...ignored].map((key) => `"${key}"`))}`);
  return builder.finish();
}

function textOf(file: JsonFile, example: unknown, path: readonly (string | number)[]): string {
  const object = asObject(example);
  return object === undefined ? file.string(example, ...path) : file.string(object['text'], ...path, 'text');
}

function write({ intents, counterexamples }: BotDocument): string {
  return `${JSON.stringify({ kshot: VERSION, intents, counterexamples }, undefined, 2)}\n`;
}
