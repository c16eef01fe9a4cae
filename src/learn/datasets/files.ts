import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { gunzip } from 'node:zlib';
import type { z } from 'zod';
import { KshotError } from '../../errors.js';

/** The longest file that is read, in bytes, unpacked: far beyond every set known, short of what a string can hold. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

const unpack = promisify(gunzip);

export interface Line {
  readonly text: string;
  /** Where it stands: `<file>, line 7`. */
  readonly place: string;
}

/** A line, counted from 1, as messages name it. */
export function placeOf(file: string, line: number): string {
  return `${file}, line ${line}`;
}

export function invalid(place: string, message: string, cause?: unknown): KshotError {
  return new KshotError('invalid_file', `${place}: ${message}`, cause === undefined ? {} : { cause });
}

/**
 * A file's text: UTF-8, with or without byte order mark; `.gz` is unpacked.
 *
 * @param fallback what a file that is no UTF-8 is read as; without one it is refused.
 * @throws KshotError `invalid_file`.
 */
export async function readText(file: string, fallback?: 'latin1'): Promise<string> {
  const bytes = await readBytes(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    if (fallback !== undefined) return new TextDecoder(fallback).decode(bytes);
    throw invalid(file, 'this is not UTF-8; convert it, for instance with iconv', cause);
  }
}

/** A file's lines that are not blank. @throws like `readText`. */
export async function readLines(file: string): Promise<Line[]> {
  const lines = (await readText(file)).split(/\r?\n/);
  return lines.flatMap((text, i) => (text.trim() === '' ? [] : [{ text, place: placeOf(file, i + 1) }]));
}

/** A JSON file of the given shape. @throws KshotError `invalid_file`, naming where in the document it departs from it. */
export async function readJson<T>(file: string, schema: z.ZodType<T>, fallback?: 'latin1'): Promise<T> {
  return parseJson(await readText(file, fallback), schema, file);
}

/** @param place names the text in messages. @throws KshotError `invalid_file`. */
export function parseJson<T>(text: string, schema: z.ZodType<T>, place: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = isNativeError(cause) ? cause.message : String(cause);
    const offset = /at position (\d+)/.exec(message)?.[1];
    const line = offset === undefined ? 0 : text.slice(0, Number(offset)).split('\n').length;
    // One line of many has its number in its place already.
    throw invalid(line > 1 ? placeOf(place, line) : place, `this is not JSON: ${message}`, cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalid(place, `at "${issue.path.join('.')}": ${issue.message}`);
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw tooLong(file);
    const bytes = await readFile(file);
    if (!file.endsWith('.gz')) return bytes;
    return await unpack(bytes, { maxOutputLength: MAX_FILE_BYTES });
  } catch (cause) {
    if (cause instanceof KshotError) throw cause;
    const code = isNativeError(cause) && 'code' in cause ? cause.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(file);
    const reason = code === 'ENOENT' ? 'there is no such file' : String(cause);
    throw invalid(file, `cannot be read: ${reason}`, cause);
  }
}

function tooLong(file: string): KshotError {
  return invalid(file, `longer than ${MAX_FILE_BYTES / 1024 / 1024} MiB; split it`);
}
