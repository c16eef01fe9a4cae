import { inner } from './cosines.js';
import type { SupportRows } from './runtime.js';

// What a support set looks like from the inside: how near its texts lie to one another. The detector of what is out of
// scope (scopeDetector.ts) judges distances by it.

/** The support rows of one intent, summed up. */
export interface IntentShape {
  /** `[D]`: the mean of the rows at unit length. */
  readonly prototype: Float32Array;
  readonly rows: number;
  /** The mean cosine of two of the rows; 0 where there are not two. */
  readonly cohesion: number;
}

/** @param rows `[n, D]`, n ≥ 1, unit length. */
export function intentShape(rows: Float32Array, dimension: number): IntentShape {
  const n = rows.length / dimension;
  const sum = sumOf(rows, 0, n, dimension);
  const length = norm(sum);
  return { prototype: sum.map((value) => value / length), rows: n, cohesion: cohesionOf(dot(sum, sum), n) };
}

/** Of unit vectors |Σ x|² = n + n (n - 1) cohesion. */
function cohesionOf(squaredSum: number, n: number): number {
  return n < 2 ? 0 : (squaredSum - n) / (n * (n - 1));
}

/** A support set by leave-one-out; in the means every intent weighs the same. */
export interface LeaveOneOut {
  /** The mean cosine of an example to the nearest prototype when the example itself is not in it, */
  readonly inside: number;
  /** and when its whole intent is not. */
  readonly outside: number;
  /** The mean cosine of two rows of one intent, every pair weighing the same; undefined where no intent has two. */
  readonly cohesion?: number;
}

/** More examples than this say nothing new; an evenly spread sample is taken. */
const MAX_LEFT_OUT = 1000;

/**
 * Leaves each example of a support set out once. O(examples × intents × D).
 *
 * @param examples `[C]`: how many of a class's rows are examples; they come first, and only they are left out.
 * @returns undefined where there are not two classes, or not two examples.
 */
export function leaveOneOut(
  { counts, rows }: Pick<SupportRows, 'counts' | 'rows'>,
  examples: readonly number[],
  dimension: number,
): LeaveOneOut | undefined {
  const D = dimension;
  let start = 0;
  const classes = counts.map((count, c) => {
    const first = start;
    start += count;
    const sum = sumOf(rows, first, count, D);
    return { first, count, examples: examples[c]!, sum, length: norm(sum) };
  });
  const leftOut = classes.flatMap((own) =>
    Array.from({ length: own.examples }, (_, k) => ({ own, row: own.first + k })),
  );
  if (classes.length < 2 || leftOut.length < 2) return undefined;

  const stride = Math.max(1, leftOut.length / MAX_LEFT_OUT);
  let inside = 0;
  let outside = 0;
  let weights = 0;
  for (let pick = 0; pick < leftOut.length; pick += stride) {
    const { own, row } = leftOut[Math.floor(pick)]!;
    const x = rows.subarray(row * D, (row + 1) * D);
    let mine = -1;
    let other = -1;
    for (const one of classes) {
      if (one !== own) {
        other = Math.max(other, dot(x, one.sum) / one.length);
      } else if (one.count > 1) {
        const rest = one.sum.map((value, d) => value - x[d]!);
        mine = dot(x, rest) / norm(rest);
      }
    }
    const weight = 1 / own.examples;
    inside += weight * Math.max(mine, other);
    outside += weight * other;
    weights += weight;
  }

  let cosines = 0;
  let pairs = 0;
  for (const { count, length } of classes) {
    cosines += cohesionOf(length ** 2, count) * count * (count - 1);
    pairs += count * (count - 1);
  }
  return {
    inside: inside / weights,
    outside: outside / weights,
    ...(pairs === 0 ? {} : { cohesion: cosines / pairs }),
  };
}

/** Inner product. */
export function dot(a: Float32Array, b: Float32Array): number {
  return inner(a, 0, b, 0, a.length);
}

function norm(a: Float32Array): number {
  return Math.sqrt(dot(a, a)) || 1;
}

function sumOf(rows: Float32Array, first: number, count: number, D: number): Float32Array {
  const sum = new Float32Array(D);
  for (let i = first; i < first + count; i++) for (let d = 0; d < D; d++) sum[d]! += rows[i * D + d]!;
  return sum;
}
