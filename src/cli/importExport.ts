import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { KshotError } from '../errors.js';
import { csv, hasCsvHeader } from './formats/csv.js';
import { decodeText, MAX_FILE_BYTES, tooLong } from './formats/decode.js';
import type { BotDocument, Format, Reading } from './formats/document.js';
import { jsonl } from './formats/jsonl.js';
import { looksLikeRasa, rasa } from './formats/rasa.js';

export type { BotDocument, IntentDocument } from './formats/document.js';

export const FORMAT_NAMES = ['csv', 'jsonl', 'rasa'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

const formats: Record<FormatName, Format> = { csv, jsonl, rasa };

const extensions: Record<string, FormatName> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.yml': 'rasa',
  '.yaml': 'rasa',
};

export interface FileReading extends Reading {
  readonly format: FormatName;
}

export interface ReadOptions {
  /** Detected from the content by default. */
  readonly format?: FormatName;
  /** Used in error messages, and its ending where the content does not tell the format. */
  readonly file?: string;
}

/**
 * Reads a bot from a file, whose format the content tells.
 *
 * @throws KshotError `invalid_file`: file, line and what to do.
 */
export async function readBotFile(file: string, options: ReadOptions = {}): Promise<FileReading> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw inFile(file, tooLong());
    return readBot(await readBounded(createReadStream(file)), { ...options, file });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new KshotError('invalid_file', `${file} cannot be read: ${systemReason(error)}`, { cause: error });
  }
}

/**
 * Reads a bot from a file's bytes.
 *
 * @throws KshotError `invalid_file`: file, line and what to do.
 */
export function readBot(bytes: Uint8Array, options: ReadOptions = {}): FileReading {
  try {
    const text = decodeText(bytes);
    const format = options.format ?? detectFormat(text, options.file);
    return { format, ...formats[format].read(text) };
  } catch (error) {
    throw inFile(options.file, error);
  }
}

/** Reading what comes out gives the very document. */
export function writeBot(document: BotDocument, format: FormatName): string {
  return formats[format].write(document);
}

/** The format that a file's name tells; undefined where it tells none. */
export function formatOfName(file: string): FormatName | undefined {
  return extensions[extname(file).toLowerCase()];
}

/**
 * A stream's bytes.
 *
 * @throws KshotError `invalid_file` as soon as they are more than a file may have.
 */
export async function readBounded(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    length += bytes.length;
    if (length > MAX_FILE_BYTES) throw tooLong();
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function detectFormat(text: string, file: string | undefined): FormatName {
  if (text.trim() === '') throw new KshotError('invalid_file', 'the file is empty');
  if (/^\s*[{[]/.test(text)) return 'jsonl';
  if (hasCsvHeader(text)) return 'csv';
  if (looksLikeRasa(text)) return 'rasa';
  // Its reader says best what is missing.
  const named = file === undefined ? undefined : formatOfName(file);
  if (named !== undefined) return named;
  throw new KshotError(
    'invalid_file',
    'neither CSV with a header "intent,text", nor JSON lines, nor Rasa NLU YAML; convert it, or name the format with --format',
  );
}

/** The error, with the file's name in front. */
export function inFile(file: string | undefined, error: unknown): unknown {
  if (file === undefined || !(error instanceof KshotError)) return error;
  return new KshotError(error.code, `${file}: ${error.message}`, { cause: error });
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return isNativeError(error) && 'syscall' in error && 'code' in error;
}

/** Why the operating system refused, in words. */
export function systemReason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return error.message;
  }
}
