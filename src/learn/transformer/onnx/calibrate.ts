import { KshotError } from '../../../errors.js';
import type { Bert } from '../bert.js';
import { EMBEDDING, observedModel } from './bertGraph.js';
import { type Range, rangeOf } from './quantise.js';
import { TokenGraph } from './tokenGraph.js';

export interface Calibration {
  /** Extremes of the states that are multiplied by weights, by their names in the graph. */
  readonly ranges: ReadonlyMap<string, Range>;
  /** `[n, D]`: the texts' embeddings in float32, unit length. */
  readonly embeddings: Float32Array;
}

/** Tokens of one pass at most; its states are all kept, some 50 kB a token of a model of 6 layers. */
const MAX_TOKENS = 1024;

/**
 * Runs the model in float32 over texts, and keeps the extremes of every state that int8 arithmetic quantises. Texts of one
 * length share a pass: there is no padding whose states could count.
 *
 * @param texts `[n]` lists of token ids, special tokens among them, none empty.
 * @param progress told after every pass: texts done, and of how many.
 * @throws KshotError `invalid_configuration` for no text, or one with ids or a length that the model has no embedding for;
 *   `invalid_file` for a model that gives no finite numbers.
 */
export async function calibrate(
  bert: Bert,
  texts: readonly (readonly number[])[],
  progress?: (done: number, total: number) => void,
): Promise<Calibration> {
  checkTexts(bert, texts);
  const { model, points } = observedModel(bert);
  const { width } = bert.shape;
  const ranges = new Map<string, Range>();
  const embeddings = new Float32Array(texts.length * width);
  const graph = await TokenGraph.open(model);
  let done = 0;
  try {
    for (const rows of batchesOfOneLength(texts)) {
      const ids = rows.flatMap((row) => texts[row]!);
      const outputs = await graph.run({ rows: rows.length, ids }, [EMBEDDING, ...points]);
      for (const point of points) {
        ranges.set(point, rangeOf(outputs[point]!.data as Float32Array, ranges.get(point)));
      }
      const embedded = outputs[EMBEDDING]!.data as Float32Array;
      for (const [i, row] of rows.entries()) {
        embeddings.set(embedded.subarray(i * width, (i + 1) * width), row * width);
      }
      progress?.((done += rows.length), texts.length);
    }
  } finally {
    await graph.close();
  }
  const numbers = [...ranges.values()].flatMap(({ min, max }) => [min, max]);
  if (!numbers.every(Number.isFinite) || !embeddings.every(Number.isFinite)) {
    throw new KshotError(
      'invalid_file',
      'the model gives numbers that are not finite: its weights are no result',
    );
  }
  return { ranges, embeddings };
}

function checkTexts({ shape }: Bert, texts: readonly (readonly number[])[]): void {
  if (texts.length === 0) throw new KshotError('invalid_configuration', 'there is no text to calibrate with');
  for (const ids of texts) {
    // A tokenizer without an unknown token gives no number at all for a word that it does not know.
    const strange = ids.findIndex((id) => !(id >= 0 && id < shape.vocabulary));
    if (strange !== -1) {
      throw new KshotError(
        'invalid_configuration',
        `the tokenizer gives token ${ids[strange]}, the model has a vocabulary of ${shape.vocabulary}: they are not of one model`,
      );
    }
    if (ids.length > shape.positions) {
      throw new KshotError(
        'invalid_configuration',
        `a text of ${ids.length} tokens is longer than the model's ${shape.positions} positions`,
      );
    }
  }
}

/** Indices of texts, those of one length together. */
function batchesOfOneLength(texts: readonly (readonly number[])[]): number[][] {
  const byLength = new Map<number, number[]>();
  for (const [row, { length }] of texts.entries()) {
    const others = byLength.get(length);
    if (others === undefined) byLength.set(length, [row]);
    else others.push(row);
  }
  return [...byLength].flatMap(([length, rows]) => {
    const size = Math.max(1, Math.floor(MAX_TOKENS / length));
    return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
      rows.slice(i * size, (i + 1) * size),
    );
  });
}
