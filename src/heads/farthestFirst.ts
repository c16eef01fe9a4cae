import { inner } from './cosines.js';

/** A row that was picked, and how far it was, when it was picked, from all that was covered before. */
export interface Pick {
  readonly row: number;
  /** Its cosine distance, from 0 to 2, times its weight. */
  readonly gap: number;
}

/** Covered rows that a row is compared with before it is asked again which row may be the farthest. */
const BLOCK = 64;

/**
 * Farthest-first traversal (Gonzalez 1985), the greedy answer to the k-centre problem: again and again the row that is
 * farthest from what is covered, which it then belongs to. Of two equal rows the second is picked only when nothing else is
 * left.
 *
 * A row's distance to what it was compared with so far is more than its gap or equal to it. So only the row that seems the farthest
 * is compared with more, until it is the farthest indeed: most rows turn out to be near to something before long, and are
 * never compared with all.
 *
 * @param rows `[n, D]`, unit length.
 * @param covered `[m, D]`, unit length: what is covered at the start; may be empty.
 * @param weights `[n]`: what the distance of each row is multiplied by, at least 0.
 * @param count picks that are wanted; fewer where there are fewer rows.
 * @returns the picks in their order; of equal gaps the first row comes first.
 */
export function farthestFirst(
  rows: Float32Array,
  covered: Float32Array,
  D: number,
  weights: ArrayLike<number>,
  count: number,
): Pick[] {
  const n = rows.length / D;
  const start = covered.length / D;
  const gaps = Float64Array.from({ length: n }, (_, row) => 2 * weights[row]!); // as far as can be
  const compared = new Int32Array(n); // with so many: first the covered ones, then the picks
  const picks: Pick[] = [];
  while (picks.length < Math.min(count, n)) {
    const row = indexOfLargest(gaps);
    const known = start + picks.length;
    if (compared[row] === known) {
      picks.push({ row, gap: gaps[row]! });
      gaps[row] = -Infinity;
      continue;
    }
    let most = -1; // cosine
    const to = Math.min(known, compared[row]! + BLOCK);
    for (let other = compared[row]!; other < to; other++) {
      const cosine =
        other < start
          ? inner(rows, row * D, covered, other * D, D)
          : inner(rows, row * D, rows, picks[other - start]!.row * D, D);
      if (cosine > most) most = cosine;
    }
    compared[row] = to;
    // Rounding may make the cosine of a row to itself more than 1.
    gaps[row] = Math.min(gaps[row]!, weights[row]! * Math.max(0, 1 - most));
  }
  return picks;
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
