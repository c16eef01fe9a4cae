import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { KshotError } from '../errors.js';
import { MAX_FILE_BYTES, tooLong } from '../formats/decode.js';
import { inFile } from '../formats/document.js';
import { readBot, type ExportFormat, type FileReading, type FileReadOptions } from '../formats/formats.js';

const extensions: Record<string, ExportFormat> = {
  '.json': 'kshot',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.yml': 'rasa',
  '.yaml': 'rasa',
};

/**
 * Reads a bot from a file, whose format the content tells.
 *
 * @throws KshotError `invalid_file`: file, place and what to do.
 */
export async function readBotFile(file: string): Promise<FileReading> {
  return readBot(await readBytes(file), readOptions(file));
}

/** How a file is read that has this name: errors name it, and its ending decides where the content does not. */
export function readOptions(file: string): FileReadOptions {
  const fallback = formatOfName(file);
  return { file, ...(fallback === undefined ? {} : { fallback }) };
}

/**
 * A file's bytes.
 *
 * @throws KshotError `invalid_file` if there is none, or it is longer than a file may be.
 */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw inFile(file, tooLong());
    return await readBounded(createReadStream(file));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new KshotError('invalid_file', `${file} cannot be read: ${systemReason(error)}`, { cause: error });
  }
}

/** The format that a file's name tells; undefined where it tells none. */
export function formatOfName(file: string): ExportFormat | undefined {
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
