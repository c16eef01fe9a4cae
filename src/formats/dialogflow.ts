import type { Archive } from './archive.js';
import {
  DocumentBuilder,
  listed,
  type ArchiveReader,
  type Place,
  type Reading,
  type ReadOptions,
} from './document.js';
import { asObject, type JsonFile, type JsonObject } from './jsonFile.js';
import { chooseLanguage, languageNotes } from './languages.js';

/*
 * Agents of Dialogflow as they are exported, ZIP archives of JSON. ES: `agent.json`, `intents/<name>.json` and
 * `intents/<name>_usersays_<language>.json`. CX (https://cloud.google.com/dialogflow/cx/docs/reference/json-export):
 * `agent.json`, `intents/<name>/<name>.json` and `intents/<name>/trainingPhrases/<language>.json`.
 *
 * A fallback intent's training phrases are negative examples in Dialogflow, so they are read as counter-examples. An intent
 * without training phrases is never matched there, only called by an event or a page: it is passed over, for kshot would
 * match it by its name.
 */

const AGENT = 'agent.json';
/** The fallback intent that every agent of CX has. */
const NEGATIVE_INTENT = 'Default Negative Intent';

export const dialogflowEs: ArchiveReader = { read: readEs };
export const dialogflowCx: ArchiveReader = { read: readCx };

/** Where an intent's parts are in the archive. */
interface IntentFiles {
  file: string | undefined;
  /** Files of training phrases by language. */
  readonly phrases: Map<string, string>;
}

interface Phrase {
  readonly text: string;
  /** Holds the names of entities instead of words. */
  readonly isTemplate: boolean;
  /** Undefined where the phrase does not name one. */
  readonly language: string | undefined;
  readonly place: Place;
}

interface Layout {
  /** The intents' files by what names them in the archive. */
  files(archive: Archive): Map<string, IntentFiles>;
  /** The agent's default language. */
  language(agent: JsonObject): unknown;
  name(intent: JsonObject): unknown;
  isFallback(intent: JsonObject): boolean;
  phrases(file: JsonFile): Iterable<Phrase>;
  /** Phrases inside the intent's own file, as old exports have them. */
  inlinePhrases?(file: JsonFile): Phrase[];
}

const ES: Layout = {
  files(archive) {
    return collectFiles(archive, {
      phrases: /^intents\/(?<intent>[^/]+)_usersays_(?<language>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*)\.json$/,
      intents: /^intents\/(?<intent>[^/]+)\.json$/,
    });
  },
  language: (agent) => agent['language'],
  name: (intent) => intent['name'],
  isFallback: (intent) => intent['fallbackIntent'] === true,
  phrases: (file) => esPhrases(file, file.value, []),
  inlinePhrases: (file) => [...esPhrases(file, asObject(file.value)?.['userSays'], ['userSays'])],
};

const CX: Layout = {
  files(archive) {
    return collectFiles(archive, {
      phrases: /^intents\/(?<intent>[^/]+)\/trainingPhrases\/(?<language>[^/]+)\.json$/,
      intents: /^intents\/(?<intent>[^/]+)\/[^/]+\.json$/,
    });
  },
  language: (agent) => agent['defaultLanguageCode'],
  name: (intent) => intent['displayName'],
  isFallback: (intent) => intent['isFallback'] === true || intent['displayName'] === NEGATIVE_INTENT,
  *phrases(file) {
    const { trainingPhrases } = file.object(file.value);
    for (const [at, item] of file.list(trainingPhrases, 'trainingPhrases').entries()) {
      const phrase = file.object(item, 'trainingPhrases', at);
      const text = joined(file, phrase['parts'], ['trainingPhrases', at, 'parts']);
      yield { text, isTemplate: false, language: undefined, place: file.at('trainingPhrases', at) };
    }
  },
};

/** Whether an archive is an agent of ES or CX; undefined where it is neither. */
export async function agentKind(archive: Archive): Promise<'dialogflow-es' | 'dialogflow-cx' | undefined> {
  if (!archive.has(AGENT)) return undefined;
  const agent = asObject((await archive.json(AGENT)).value);
  if (agent?.['defaultLanguageCode'] !== undefined) return 'dialogflow-cx';
  const isCx = [...archive.names].some((name) => /^intents\/[^/]+\/[^/]+\.json$/.test(name));
  return isCx ? 'dialogflow-cx' : 'dialogflow-es';
}

function readEs(archive: Archive, options: ReadOptions = {}): Promise<Reading> {
  return readAgent(archive, ES, options);
}

function readCx(archive: Archive, options: ReadOptions = {}): Promise<Reading> {
  return readAgent(archive, CX, options);
}

async function readAgent(
  archive: Archive,
  layout: Layout,
  { language: wanted }: ReadOptions,
): Promise<Reading> {
  const own = await defaultLanguage(archive, layout);
  const files = layout.files(archive);
  const present = [...files.values()].flatMap(({ phrases }) => [...phrases.keys()]);
  // Where only old intents have phrases, inside their own files, they are in the agent's language.
  const choice = chooseLanguage(present.length > 0 ? present : [own ?? 'en'], wanted, own);

  const builder = new DocumentBuilder();
  const fallbacks: string[] = [];
  const empty: string[] = [];
  for (const [key, { file, phrases }] of files) {
    const intentFile = file === undefined ? undefined : await archive.json(file);
    const intent = intentFile === undefined ? {} : intentFile.object(intentFile.value);
    const given = layout.name(intent);
    const name = typeof given === 'string' && given.trim() !== '' ? given : key;
    const isFallback = layout.isFallback(intent);
    let texts = 0;
    const add = ({ text, isTemplate, place }: Phrase) => {
      if (isTemplate) {
        builder.skip('template phrase', place);
        return;
      }
      texts++;
      if (isFallback) builder.counterexample(text.trim(), place);
      else builder.example(name, text.trim(), place);
    };
    const phraseFile = phrases.get(choice.language);
    if (phraseFile !== undefined) {
      for (const phrase of layout.phrases(await archive.json(phraseFile))) add(phrase);
    }
    if (intentFile !== undefined && layout.inlinePhrases !== undefined) {
      for (const phrase of layout.inlinePhrases(intentFile)) {
        if ((phrase.language ?? own ?? choice.language) === choice.language) add(phrase);
      }
    }
    if (isFallback && texts > 0) fallbacks.push(name);
    if (!isFallback && texts === 0) empty.push(name);
    const { description } = intent;
    if (!isFallback && texts > 0 && typeof description === 'string' && description.trim() !== '') {
      builder.description(name, description, `${file ?? key}, description`);
    }
  }
  if (fallbacks.length > 0) {
    builder.remark(`read the training phrases of ${quoted(fallbacks)} as counter-examples: fallback intents`);
  }
  if (empty.length > 0) {
    builder.remark(`left out ${quoted(empty)}: without training phrases in "${choice.language}"`);
  }
  for (const note of languageNotes(choice)) builder.remark(note);
  return { ...builder.finish(), language: choice.language, languagesLeftOut: choice.leftOut };
}

async function defaultLanguage(archive: Archive, layout: Layout): Promise<string | undefined> {
  if (!archive.has(AGENT)) return undefined;
  const file = await archive.json(AGENT);
  const language = layout.language(file.object(file.value));
  return typeof language === 'string' && language !== '' ? language : undefined;
}

function collectFiles(
  archive: Archive,
  patterns: { readonly phrases: RegExp; readonly intents: RegExp },
): Map<string, IntentFiles> {
  const files = new Map<string, IntentFiles>();
  const of = (intent: string) => {
    const found = files.get(intent) ?? { file: undefined, phrases: new Map<string, string>() };
    files.set(intent, found);
    return found;
  };
  for (const name of archive.names) {
    const phrases = patterns.phrases.exec(name)?.groups;
    const intent = patterns.intents.exec(name)?.groups;
    if (phrases !== undefined) of(phrases['intent']!).phrases.set(phrases['language']!, name);
    else if (intent !== undefined) of(intent['intent']!).file = name;
  }
  return files;
}

function* esPhrases(file: JsonFile, value: unknown, path: readonly (string | number)[]): Generator<Phrase> {
  for (const [at, item] of file.list(value, ...path).entries()) {
    const phrase = file.object(item, ...path, at);
    const text = joined(file, phrase['data'], [...path, at, 'data']);
    const language = typeof phrase['lang'] === 'string' ? phrase['lang'] : undefined;
    yield { text, isTemplate: phrase['isTemplate'] === true, language, place: file.at(...path, at) };
  }
}

/** A phrase comes in parts, of which some are annotated. */
function joined(file: JsonFile, value: unknown, path: readonly (string | number)[]): string {
  return file
    .list(value, ...path)
    .map((item, i) => file.string(file.object(item, ...path, i)['text'], ...path, i, 'text'))
    .join('');
}

function quoted(names: readonly string[]): string {
  return listed(names.map((name) => `"${name}"`));
}
