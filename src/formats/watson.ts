import { DocumentBuilder, type JsonReader, type Reading } from './document.js';
import { asObject, type JsonFile } from './jsonFile.js';

/*
 * A workspace (dialog skill) of IBM Watson Assistant, JSON, as its API and its console export it
 * (https://cloud.ibm.com/apidocs/assistant-v1#createworkspace). A skill has the workspace under `workspace`.
 */

const IGNORED = ['entities', 'dialog_nodes'] as const;

export const watson: JsonReader = { read };

function read(file: JsonFile): Reading {
  const root = file.object(file.value);
  const inner = asObject(root['workspace']);
  const above = inner === undefined ? [] : ['workspace'];
  const workspace = inner ?? root;
  const builder = new DocumentBuilder();
  for (const [i, item] of file.list(workspace['intents'], ...above, 'intents').entries()) {
    const path = [...above, 'intents', i];
    const intent = file.object(item, ...path);
    const name = file.string(intent['intent'], ...path, 'intent');
    builder.intent(name, file.at(...path));
    const description = file.optionalString(intent['description'], ...path, 'description');
    if (description !== undefined) builder.description(name, description, file.at(...path));
    for (const [text, place] of texts(file, intent['examples'], [...path, 'examples'])) {
      builder.example(name, text, place);
    }
  }
  const path = [...above, 'counterexamples'];
  for (const [text, place] of texts(file, workspace['counterexamples'], path)) {
    builder.counterexample(text, place);
  }
  for (const part of IGNORED) {
    const { length } = file.list(workspace[part], ...above, part);
    if (length > 0) builder.remark(`ignored ${part.replace('_', ' ')} (${length})`);
  }
  const { language } = workspace;
  return { ...builder.finish(), ...(typeof language === 'string' && language !== '' ? { language } : {}) };
}

function* texts(file: JsonFile, value: unknown, path: readonly (string | number)[]) {
  for (const [k, item] of file.list(value, ...path).entries()) {
    const example = file.object(item, ...path, k);
    yield [file.string(example['text'], ...path, k, 'text'), file.at(...path, k)] as const;
  }
}
