import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { KshotError } from '../errors.js';
import { csvTexts } from '../formats/csv.js';
import { decodeText } from '../formats/decode.js';
import { inFile } from '../formats/document.js';
import { jsonlTexts } from '../formats/jsonl.js';
import { isSystemError, readBounded, systemReason } from './importExport.js';

/** Files of texts without intents. Any text may stand on a line, so that the content cannot tell the format. */
export const TEXT_FORMAT_NAMES = ['txt', 'csv', 'jsonl'] as const;
export type TextFormatName = (typeof TEXT_FORMAT_NAMES)[number];

const readers: Record<TextFormatName, (text: string) => string[]> = {
  txt: (text) => text.split(/\r?\n/),
  csv: csvTexts,
  jsonl: jsonlTexts,
};

const extensions: Record<string, TextFormatName> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/**
 * The texts of a file, each once: a text a line; of a CSV file the column `text`; of JSON lines the field `text`. Intents, if
 * there are any, are not looked at.
 *
 * @param file "-" is `stdin`.
 * @param format default: what the file's name tells, else a text a line.
 * @throws KshotError `invalid_file`: file, line and what to do.
 */
export async function readTextFile(
  file: string,
  stdin: AsyncIterable<Uint8Array | string>,
  format: TextFormatName = extensions[extname(file).toLowerCase()] ?? 'txt',
): Promise<string[]> {
  const name = file === '-' ? 'standard input' : file;
  try {
    const bytes = await readBounded(file === '-' ? stdin : createReadStream(file));
    const texts = readers[format](decodeText(bytes)).filter((text) => text.trim() !== '');
    if (texts.length === 0) throw new KshotError('invalid_file', 'there is no text in it');
    return [...new Set(texts)];
  } catch (error) {
    if (!isSystemError(error)) throw inFile(name, error);
    throw new KshotError('invalid_file', `${name} cannot be read: ${systemReason(error)}`, { cause: error });
  }
}
