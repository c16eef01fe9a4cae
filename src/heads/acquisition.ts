import { densities } from './cosines.js';
import { farthestFirst } from './farthestFirst.js';
import { mulberry32 } from './mulberry32.js';
import type { Strategy } from './strategies.js';
import { disagreement, entropy, leastConfidence, smallestMargin } from './uncertainty.js';

/** Texts without a label, and what is known about them. */
export interface Pool {
  /** `[U, D]`, unit length. */
  readonly embeddings: Float32Array;
  readonly dimension: number;
  /** `[L, D]`, unit length: of what is labelled; may be empty. */
  readonly labelled: Float32Array;
  /** Each `[U, C]` probabilities: the first of the bot's own head, all of them together the committee. */
  readonly members: readonly Float32Array[];
}

export interface Suggestion {
  /** Of the pool. */
  readonly row: number;
  /** What the strategy ranks by, the larger the better; comparable within one strategy only. */
  readonly score: number;
}

/**
 * The rows of a pool that are most worth a label, best first:
 *
 * - `least-confidence`, `margin`, `entropy`: what the bot's head knows least about (src/heads/uncertainty.ts).
 * - `committee`: what several heads disagree about most.
 * - `k-centre`: core-set selection (Sener & Savarese 2018, algorithm 1), each row the farthest from everything that is
 *   labelled or chosen before it; no head is asked. Its score is a cosine distance.
 * - `mix`: what the head knows little about, like many texts of the pool, and unlike what is labelled or chosen
 *   (`weightedCoreSet`).
 * - `random`: any.
 *
 * @param count rows that are wanted; fewer where the pool has fewer. One strategy's first rows do not depend on it.
 * @param seed of `random`.
 * @throws RangeError where the arrays' shapes do not fit together, or a strategy that asks the bot's head has no member.
 */
export function suggest(strategy: Strategy, pool: Pool, count: number, seed = 1): Suggestion[] {
  const rows = checkedRows(pool);
  if (rows === 0) return [];
  switch (strategy) {
    case 'least-confidence':
      return largest(leastConfidence(ownMember(pool), rows), count);
    case 'margin':
      return largest(smallestMargin(ownMember(pool), rows), count);
    case 'entropy':
      return largest(entropy(ownMember(pool), rows), count);
    case 'committee':
      ownMember(pool);
      return largest(disagreement(pool.members, rows), count);
    case 'k-centre':
      return coreSet(pool, count);
    case 'mix':
      return weightedCoreSet(pool, rows, count);
    case 'random':
      return largest(randomScores(rows, seed), count);
  }
}

/**
 * Sener & Savarese (2018), algorithm 1, by the cosine distance, which orders unit rows as the Euclidean does.
 *
 * @param weights `[U]`: what the distance of each row is multiplied by; 1 unless given.
 */
function coreSet(
  { embeddings, dimension: D, labelled }: Pool,
  count: number,
  weights = new Float64Array(embeddings.length / D).fill(1),
): Suggestion[] {
  const picks = farthestFirst(embeddings, labelled, D, weights, count);
  return picks.map(({ row, gap }) => ({ row, score: gap }));
}

/** Texts of the pool that a text is compared with, to see whether it is like many. */
const NEIGHBOURS = 10;
/** A text that is like no other still counts a little. */
const LEAST_DENSITY = 0.01;

/**
 * A core-set of what is worth knowing: each row the one whose
 *
 *   sqrt(margin uncertainty) * density^2 * (cosine distance to the nearest row that is labelled or chosen)
 *
 * is largest. Density is the mean cosine to the 10 nearest of the pool (information density, Settles & Craven 2008, eq. 13,
 * with neighbours in place of the whole pool): what is like nothing else that was asked teaches little. The distance makes it
 * one of a kind: of texts that are alike the second is worth nothing once the first is chosen. The exponents were chosen on
 * validation (docs/defaults.md).
 */
function weightedCoreSet(pool: Pool, rows: number, count: number): Suggestion[] {
  const unsure = smallestMargin(ownMember(pool), rows);
  const dense = densities(pool.embeddings, pool.dimension, NEIGHBOURS);
  const weights = unsure.map((u, row) => Math.sqrt(u) * Math.max(LEAST_DENSITY, dense[row]!) ** 2);
  return coreSet(pool, count, weights);
}

function largest(scores: Float64Array, count: number): Suggestion[] {
  return Array.from(scores, (score, row) => ({ row, score }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, count);
}

/** Uniform in [0, 1). */
function randomScores(rows: number, seed: number): Float64Array {
  const random = mulberry32(seed);
  return Float64Array.from({ length: rows }, random);
}

function ownMember({ members }: Pool): Float32Array {
  const [own] = members;
  if (own === undefined) throw new RangeError('this strategy needs the probabilities of a head');
  return own;
}

function checkedRows({ embeddings, dimension, labelled, members }: Pool): number {
  const rows = embeddings.length / dimension;
  const fits =
    Number.isInteger(rows) &&
    Number.isInteger(labelled.length / dimension) &&
    members.every(
      ({ length }) => length === members[0]!.length && (rows === 0 ? length === 0 : length % rows === 0),
    );
  if (!fits) throw new RangeError(`a pool of ${rows} rows does not fit together`);
  return rows;
}
