import { KshotError } from '../errors.js';
import { concatenate } from './batcher.js';
import type { CharacterSpan, EncodedSpans } from './encoder.js';
import type { Session } from './session.js';
import { takeBatch, type BatchLimits } from './takeBatch.js';
import type { TextTokenizer } from './tokenizer.js';

interface SpanReader {
  readonly session: Session;
  readonly tokenizer: TextTokenizer;
  readonly limits: BatchLimits;
}

interface Row {
  readonly position: number;
  readonly ids: readonly number[];
  /** Length of `ids`. */
  readonly tokens: number;
  readonly truncated: boolean;
  /** `[S]`: in tokens. */
  readonly spans: readonly (readonly [from: number, to: number])[];
}

/**
 * `SpanEncoder.encodeSpans` on a session. The states are pooled where the pass runs: of a text's tokens only the means come
 * back, a tenth of the numbers.
 */
export async function encodeSpans(
  { session, tokenizer, limits }: SpanReader,
  texts: readonly string[],
  spans: readonly (readonly CharacterSpan[])[],
  signal?: AbortSignal,
): Promise<EncodedSpans> {
  const perText = spans[0]?.length ?? 0;
  if (spans.length !== texts.length || spans.some(({ length }) => length !== perText)) {
    throw new RangeError(`${texts.length} texts need as many lists of spans, all of one length`);
  }
  let waiting = texts.map((text, position): Row => {
    const { ids, truncated } = tokenizer.tokenize(text);
    return { position, ids, tokens: ids.length, truncated, spans: tokenizer.locate(text, spans[position]!) };
  });
  const truncated = waiting.map((row) => row.truncated);
  const width = (1 + perText) * session.dimension;
  const states = new Float32Array(texts.length * width);
  while (waiting.length > 0) {
    if (signal?.aborted === true) throw new KshotError('cancelled', 'The request was cancelled');
    const batch = takeBatch(waiting, limits);
    const taken = new Set(batch);
    waiting = waiting.filter((row) => !taken.has(row));
    const pass = await session.run({
      ids: concatenate(batch),
      lengths: Int32Array.from(batch, ({ tokens }) => tokens),
      spans: Int32Array.from(batch.flatMap((row) => row.spans.flat())),
    });
    for (const [i, { position }] of batch.entries()) {
      states.set(pass.embeddings.subarray(i * width, (i + 1) * width), position * width);
    }
  }
  return { rows: texts.length, states, truncated };
}
