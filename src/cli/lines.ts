import { isNativeError } from 'node:util/types';
import { KshotError } from '../errors.js';

/** Texts of one request at most: enough to fill the encoder's batches, little enough that results come steadily. */
export const MAX_BATCH = 256;

/** Characters of one request's texts at most, a quarter of the body that a server takes by default. */
const MAX_BATCH_CHARS = 250_000;

/** What Node's decoder throws. */
const NOT_UTF8 = 'ERR_ENCODING_INVALID_ENCODED_DATA';

export interface Batch {
  readonly texts: readonly string[];
  /** Where each text stood, counted from 1; absent for texts that are no lines. */
  readonly lines?: readonly number[];
  /** Lines between them that were passed over. */
  readonly emptyLines: number;
}

/**
 * The lines of a stream in batches. What has arrived is handed on at once, so that a pipe that never ends is
 * answered line by line.
 *
 * @throws KshotError `invalid_file` if the stream is not UTF-8.
 */
export async function* batchesOfLines(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Batch> {
  let line = 0;
  let rest = '';
  for await (const text of decoded(stream)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* batches(lines, line);
    line += lines.length;
  }
  if (rest !== '') yield* batches([rest], line);
}

/** @param before how many lines came before these. */
function* batches(lines: readonly string[], before: number): Generator<Batch> {
  let texts: string[] = [];
  let numbers: number[] = [];
  let emptyLines = 0;
  let characters = 0;
  for (const [at, raw] of lines.entries()) {
    const text = raw.replace(/\r$/, '');
    if (text.trim() === '') {
      emptyLines++;
      continue;
    }
    if (texts.length === MAX_BATCH || (texts.length > 0 && characters + text.length > MAX_BATCH_CHARS)) {
      yield { texts, lines: numbers, emptyLines };
      texts = [];
      numbers = [];
      emptyLines = 0;
      characters = 0;
    }
    texts.push(text);
    numbers.push(before + at + 1);
    characters += text.length;
  }
  if (texts.length > 0 || emptyLines > 0) yield { texts, lines: numbers, emptyLines };
}

async function* decoded(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const part of stream) {
      yield typeof part === 'string' ? part : decoder.decode(part, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (!isNativeError(error) || !('code' in error) || error.code !== NOT_UTF8) throw error;
    throw new KshotError('invalid_file', 'standard input is not UTF-8; convert it, for instance with iconv', {
      cause: error,
    });
  }
}
