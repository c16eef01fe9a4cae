import { RowStore } from '../../index/rowStore.js';
import { type ComparedTexts } from './checkedBot.js';

/** Two rows that lie near to one another; similarity is the cosine. */
export interface NearPair {
  readonly a: number;
  readonly b: number;
  readonly similarity: number;
}

/** Where each of n texts lies among the others. */
export interface Surroundings {
  /** `[n]`: the cosine to the nearest other example of its own intent; -1 where there is none, and for counter-examples. */
  readonly own: Float32Array;
  /** `[n]`: the cosine to the nearest example of another intent; -1 where there is none. */
  readonly other: Float32Array;
  /** `[n]`: the row of that example; -1 where there is none. */
  readonly otherRow: Int32Array;
  /** Pairs of rows of two groups that are at least so near; the counter-examples are a group. In the order of the rows. */
  readonly near: readonly NearPair[];
}

/** A bot that is one intent copied into another would have a pair for every two texts; so many are kept. */
const MOST_NEAR_PAIRS = 10_000;

/**
 * Compares every text with every other once. O(n² D) time, O(n) memory: 10,000 texts of 384 numbers take about 2 s on one
 * core, 1,000 some 50 ms.
 *
 * @param nearness the cosine from which on a pair is near.
 */
export function surroundings(
  { positions, embeddings, dimension: D }: ComparedTexts,
  nearness: number,
): Surroundings {
  const groups = Int32Array.from(positions.flatMap((own, group) => own.map(() => group)));
  const counterexamples = positions.length - 1;
  const n = groups.length;
  const rows = new RowStore(D);
  const own = new Float32Array(n).fill(-1);
  const other = new Float32Array(n).fill(-1);
  const otherRow = new Int32Array(n).fill(-1);
  const near: NearPair[] = [];
  for (let a = 0; a < n; a++) {
    const row = embeddings.subarray(a * D, (a + 1) * D);
    const group = groups[a]!;
    const isExample = group !== counterexamples;
    const cosines = rows.innerProducts(row, a); // of those before it: a pair is compared once
    for (let b = 0; b < a; b++) {
      const similarity = cosines[b]!;
      if (groups[b] === group) {
        if (!isExample) continue;
        if (similarity > own[a]!) own[a] = similarity;
        if (similarity > own[b]!) own[b] = similarity;
        continue;
      }
      // Counter-examples come last: b, of another group and before a, is an example.
      if (similarity > other[a]!) {
        other[a] = similarity;
        otherRow[a] = b;
      }
      if (isExample && similarity > other[b]!) {
        other[b] = similarity;
        otherRow[b] = a;
      }
      if (similarity >= nearness && near.length < MOST_NEAR_PAIRS) near.push({ a: b, b: a, similarity });
    }
    rows.set(a, row);
  }
  return { own, other, otherRow, near };
}
