import { KshotError } from '../errors.js';
import {
  DocumentBuilder,
  type BotDocument,
  type JsonReader,
  type Reading,
  type ReadOptions,
  type WriteOptions,
  type Writer,
} from './document.js';
import { asObject, type JsonFile } from './jsonFile.js';
import { chooseLanguage, languageNotes } from './languages.js';

/*
 * A project of Azure's conversational language understanding, JSON
 * (https://learn.microsoft.com/azure/ai-services/language-service/conversational-language-understanding/concepts/data-formats).
 * Its intent `None`, which every project has, is what is out of scope.
 */

const NONE = 'None';
const FILE_VERSION = '2023-04-01';
const DEFAULT_LANGUAGE = 'en-us';

export const clu: JsonReader & Writer = { read, write, losses };

interface Utterance {
  readonly text: string;
  readonly intent: string;
  readonly language: string;
  readonly at: number;
}

function read(file: JsonFile, { language: wanted }: ReadOptions = {}): Reading {
  const root = file.object(file.value);
  const assets = file.object(root['assets'], 'assets');
  const own = asObject(root['metadata'])?.['language'];
  const fallback = typeof own === 'string' && own !== '' ? own : DEFAULT_LANGUAGE;
  const builder = new DocumentBuilder();
  for (const [i, item] of file.list(assets['intents'], 'assets', 'intents').entries()) {
    const intent = file.object(item, 'assets', 'intents', i);
    const name = file.string(intent['category'], 'assets', 'intents', i, 'category');
    if (name.trim() === NONE) continue;
    builder.intent(name, file.at('assets', 'intents', i));
    const description = file.optionalString(intent['description'], 'assets', 'intents', i, 'description');
    if (description !== undefined) builder.description(name, description, file.at('assets', 'intents', i));
  }

  const utterances = readUtterances(file, assets['utterances'], fallback, builder);
  const choice =
    utterances.length === 0
      ? undefined
      : chooseLanguage(
          utterances.map(({ language }) => language),
          wanted,
          fallback,
        );
  let isNoneRead = false;
  for (const { text, intent, language, at } of utterances) {
    if (language !== choice?.language) continue;
    const place = file.at('assets', 'utterances', at);
    if (intent.trim() === NONE) {
      isNoneRead = true;
      builder.counterexample(text, place);
    } else builder.example(intent, text, place);
  }
  if (isNoneRead) builder.remark(`read the intent "${NONE}" as counter-examples`);
  const entities = file.list(assets['entities'], 'assets', 'entities').length;
  if (entities > 0) builder.remark(`ignored ${entities} ${entities === 1 ? 'entity' : 'entities'}`);
  if (choice === undefined) return builder.finish();
  for (const note of languageNotes(choice)) builder.remark(note);
  return { ...builder.finish(), language: choice.language, languagesLeftOut: choice.leftOut };
}

function readUtterances(
  file: JsonFile,
  value: unknown,
  fallback: string,
  builder: DocumentBuilder,
): Utterance[] {
  const utterances: Utterance[] = [];
  // Tags are told apart as they are written; one project writes a language one way.
  const tags = new Map<string, string>();
  for (const [at, item] of file.list(value, 'assets', 'utterances').entries()) {
    const utterance = file.object(item, 'assets', 'utterances', at);
    const text = file.string(utterance['text'], 'assets', 'utterances', at, 'text');
    const intent = file.optionalString(utterance['intent'], 'assets', 'utterances', at, 'intent');
    const language =
      file.optionalString(utterance['language'], 'assets', 'utterances', at, 'language') ?? fallback;
    const tag = tags.get(language.toLowerCase()) ?? language;
    tags.set(language.toLowerCase(), tag);
    const dataset = utterance['dataset'];
    if (intent === undefined)
      builder.skip('utterance without an intent', file.at('assets', 'utterances', at));
    else if (typeof dataset === 'string' && dataset.toLowerCase() === 'test') {
      builder.skip('utterance of the test set', file.at('assets', 'utterances', at));
    } else utterances.push({ text, intent, language: tag, at });
  }
  return utterances;
}

/** @throws KshotError `invalid_request` for an intent that is named as what is out of scope. */
function write(
  { intents, counterexamples }: BotDocument,
  { language = DEFAULT_LANGUAGE }: WriteOptions = {},
): string {
  if (intents.some(({ name }) => name === NONE)) {
    throw new KshotError(
      'invalid_request',
      `an intent named "${NONE}" means "out of scope" in CLU; rename it, or export another format`,
    );
  }
  const utterance = (intent: string) => (text: string) => ({
    text,
    intent,
    language,
    dataset: 'Train',
    entities: [],
  });
  const project = {
    projectFileVersion: FILE_VERSION,
    stringIndexType: 'Utf16CodeUnit',
    metadata: {
      projectKind: 'Conversation',
      projectName: 'kshot',
      multilingual: false,
      description: '',
      language,
      settings: { confidenceThreshold: 0 },
    },
    assets: {
      projectKind: 'Conversation',
      intents: [...intents.map(({ name }) => name), NONE].map((category) => ({ category })),
      entities: [],
      utterances: [
        ...intents.flatMap(({ name, examples }) => examples.map(utterance(name))),
        ...counterexamples.map(utterance(NONE)),
      ],
    },
  };
  return `${JSON.stringify(project, undefined, 2)}\n`;
}

function losses({ intents }: BotDocument): string[] {
  const described = intents.filter(({ description }) => description !== undefined).length;
  if (described === 0) return [];
  return [`CLU has no place for descriptions: those of ${described} intents were left out`];
}
