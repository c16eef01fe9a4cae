import { KshotError } from '../errors.js';
import { Archive, isArchive } from './archive.js';
import { clu } from './clu.js';
import { csv, hasCsvHeader } from './csv.js';
import { decodeText, MAX_FILE_BYTES, tooLong } from './decode.js';
import { agentKind, dialogflowCx, dialogflowEs } from './dialogflow.js';
import {
  inFile,
  type ArchiveReader,
  type BotDocument,
  type JsonReader,
  type Reading,
  type ReadOptions,
  type TextReader,
  type WriteOptions,
  type Writer,
} from './document.js';
import type { ExportFormat, ImportFormat } from './formatNames.js';
import { asObject, JsonFile, looksLikeJson } from './jsonFile.js';
import { isJsonLines, jsonl } from './jsonl.js';
import { kshot } from './kshot.js';
import { looksLikeRasa, rasa } from './rasa.js';
import { readRoutesJson, readRoutesYaml } from './semanticRouter.js';
import { watson } from './watson.js';
import { looksLikeWatsonCsv, watsonCsv } from './watsonCsv.js';

/*
 * The one list of formats: what is read, what is written, and how they are told apart by their content. A page of them is
 * docs/imports.md.
 */

export * from './formatNames.js';

/** What people call them. */
export const FORMAT_WORDS: Readonly<Record<ImportFormat, string>> = {
  kshot: 'kshot document',
  csv: 'CSV',
  jsonl: 'JSON lines',
  rasa: 'Rasa NLU YAML',
  'dialogflow-es': 'Dialogflow ES agent',
  'dialogflow-cx': 'Dialogflow CX agent',
  clu: 'Azure CLU project',
  watson: 'Watson Assistant workspace',
  'watson-csv': 'Watson Assistant CSV',
  'semantic-router': 'semantic-router routes',
};

/** By media type and ending of a file, what is written. */
export const EXPORT_TYPES: Readonly<
  Record<ExportFormat, { readonly type: string; readonly extension: string }>
> = {
  kshot: { type: 'application/json', extension: '.json' },
  csv: { type: 'text/csv', extension: '.csv' },
  jsonl: { type: 'application/x-ndjson', extension: '.jsonl' },
  rasa: { type: 'application/yaml', extension: '.yml' },
  clu: { type: 'application/json', extension: '.clu.json' },
};

const TEXT_READERS: Partial<Record<ImportFormat, TextReader>> = { csv, jsonl, rasa, 'watson-csv': watsonCsv };
const JSON_READERS: Partial<Record<ImportFormat, JsonReader>> = { kshot, clu, watson };
const ARCHIVE_READERS: Partial<Record<ImportFormat, ArchiveReader>> = {
  'dialogflow-es': dialogflowEs,
  'dialogflow-cx': dialogflowCx,
};
const WRITERS: Readonly<Record<ExportFormat, Writer>> = { kshot, csv, jsonl, rasa, clu };

export interface FileReading extends Reading {
  readonly format: ImportFormat;
}

export interface FileReadOptions extends ReadOptions {
  /** Detected from the content by default. */
  readonly format?: ImportFormat;
  /** Stands in front of error messages. */
  readonly file?: string;
  /** Read as this where the content does not tell. */
  readonly fallback?: ImportFormat;
}

/**
 * Reads a bot from a file's bytes.
 *
 * @throws KshotError `invalid_file`: file, place and what to do.
 */
export async function readBot(bytes: Uint8Array, options: FileReadOptions = {}): Promise<FileReading> {
  try {
    if (bytes.length > MAX_FILE_BYTES) throw tooLong();
    return await (isArchive(bytes) ? readArchive(bytes, options) : readText(decodeText(bytes), options));
  } catch (error) {
    throw inFile(options.file, error);
  }
}

/**
 * A bot as a file. Reading what comes out gives the very document, but for what `exportLosses` names.
 *
 * @throws KshotError `invalid_request` where the format cannot tell a name from something else.
 */
export function writeBot(document: BotDocument, format: ExportFormat, options: WriteOptions = {}): string {
  return WRITERS[format].write(document, options);
}

/** What of the document a file of this format lacks, for a person; empty if nothing. */
export function exportLosses(document: BotDocument, format: ExportFormat): string[] {
  return WRITERS[format].losses?.(document) ?? [];
}

async function readArchive(bytes: Uint8Array, options: FileReadOptions): Promise<FileReading> {
  const wanted = options.format;
  if (wanted !== undefined && ARCHIVE_READERS[wanted] === undefined) {
    throw new KshotError('invalid_file', `this is a ZIP archive, not a ${FORMAT_WORDS[wanted]}; unpack it`);
  }
  const archive = await Archive.open(bytes);
  const format = wanted ?? (await agentKind(archive));
  const reader = format === undefined ? undefined : ARCHIVE_READERS[format];
  if (format === undefined || reader === undefined) throw unknownArchive(archive);
  return { format, ...(await reader.read(archive, options)) };
}

function readText(text: string, options: FileReadOptions): FileReading {
  if (text.trim() === '') throw new KshotError('invalid_file', 'the file is empty');
  const { format } = options;
  if (format !== undefined && ARCHIVE_READERS[format] !== undefined) {
    throw new KshotError('invalid_file', `a ${FORMAT_WORDS[format]} is a ZIP archive, and this is none`);
  }
  let found = format;
  if (looksLikeJson(text) && format !== 'jsonl' && !(format === undefined && isJsonLines(text))) {
    const file = new JsonFile(text);
    found ??= jsonFormat(file);
    if (found === 'semantic-router') {
      return { format: found, ...withLanguage(readRoutesJson(file), options) };
    }
    const reader = JSON_READERS[found];
    if (reader !== undefined) return { format: found, ...withLanguage(reader.read(file, options), options) };
  }
  found ??= textFormat(text) ?? options.fallback ?? unknownText();
  if (found === 'semantic-router') {
    return { format: found, ...withLanguage(readRoutesYaml(text), options) };
  }
  const reader = TEXT_READERS[found];
  if (reader !== undefined) return { format: found, ...withLanguage(reader.read(text), options) };
  throw new KshotError('invalid_file', `a ${FORMAT_WORDS[found]} is JSON; this begins with neither { nor [`);
}

/** Says that a language was asked for in vain. */
function withLanguage(reading: Reading, { language }: ReadOptions): Reading {
  if (language === undefined || reading.language !== undefined) return reading;
  return { ...reading, notes: [...reading.notes, 'this format names no languages; all texts were read'] };
}

function textFormat(text: string): ImportFormat | undefined {
  if (looksLikeJson(text)) return 'jsonl';
  if (hasCsvHeader(text)) return 'csv';
  if (looksLikeRasa(text)) return 'rasa';
  if (/^(["']?)routes\1[^\S\n]*:/m.test(text)) return 'semantic-router';
  if (looksLikeWatsonCsv(text)) return 'watson-csv';
  return undefined;
}

/** What one JSON value is, by the keys that only one format has. */
function jsonFormat(file: JsonFile): ImportFormat {
  const { value } = file;
  if (Array.isArray(value)) {
    return asObject(value[0])?.['utterances'] !== undefined ? 'semantic-router' : 'jsonl';
  }
  const root = asObject(value) ?? {};
  if (asObject(root['assets']) !== undefined) return 'clu';
  if (root['routes'] !== undefined) return 'semantic-router';
  if (root['kshot'] !== undefined) return 'kshot';
  const workspace = asObject(root['workspace']) ?? root;
  const intents = workspace['intents'];
  const first = Array.isArray(intents) ? asObject(intents[0]) : undefined;
  if (first?.['intent'] !== undefined || workspace['dialog_nodes'] !== undefined) return 'watson';
  if (first?.['name'] !== undefined || root['counterexamples'] !== undefined) return 'kshot';
  if (root['nlu'] !== undefined) return 'rasa'; // JSON is YAML too.
  throw new KshotError(
    'invalid_file',
    'JSON of none of the formats that are known (a kshot document, a CLU project, a Watson workspace, routes of ' +
      'semantic-router, JSON lines); convert it',
  );
}

function unknownText(): never {
  throw new KshotError(
    'invalid_file',
    'neither CSV with a header "intent,text", nor JSON lines, nor Rasa NLU YAML, nor another format that is known; ' +
      'convert it, or name the format',
  );
}

function unknownArchive(archive: Archive): KshotError {
  if (archive.has('[Content_Types].xml')) {
    return new KshotError('invalid_file', 'this is an Excel or Office file; export the sheet as CSV (UTF-8)');
  }
  return new KshotError(
    'invalid_file',
    'a ZIP archive without agent.json, so no agent of Dialogflow; unpack it and import the file that is in it',
  );
}
