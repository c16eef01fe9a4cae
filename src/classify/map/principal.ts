import { mulberry32 } from '../../heads/mulberry32.js';
import type { Layout } from './layout.js';

/** Power iterations; they end before when the direction stays. */
const MOST_ITERATIONS = 100;
/** So near to 1 must be the cosine of a direction to the one before. */
const STEADY = 1 - 1e-9;

/**
 * The two directions along which rows differ most (principal component analysis), by power iteration on the centred rows,
 * the second one within what the first leaves over (Hotelling 1933). O(n D) time an iteration.
 *
 * @param rows `[n, D]`
 * @returns where each row lies along them; 0 where there is no further direction.
 */
export function principalLayout(rows: Float32Array, D: number): Layout {
  const centred = centre(rows, D);
  const xs = nextComponent(centred, D);
  const ys = nextComponent(centred, D);
  return Array.from(xs, (x, row) => [x, ys[row]!]);
}

/** `[n, D]`, their mean taken off. */
function centre(rows: Float32Array, D: number): Float64Array {
  const n = rows.length / D;
  const mean = new Float64Array(D);
  rows.forEach((value, i) => (mean[i % D]! += value / n));
  return Float64Array.from(rows, (value, i) => value - mean[i % D]!);
}

/** Takes the largest component out of the rows. @returns `[n]`: how much of it each row had. */
function nextComponent(rows: Float64Array, D: number): Float64Array {
  const random = mulberry32(1);
  let direction = unit(Float64Array.from({ length: D }, () => random() - 0.5));
  for (let i = 0; i < MOST_ITERATIONS; i++) {
    const next = unit(combined(rows, along(rows, direction)));
    const cosine = next.reduce((sum, value, d) => sum + value * direction[d]!, 0);
    direction = next;
    if (cosine >= STEADY) break;
  }
  direction = oriented(direction);
  const amounts = along(rows, direction);
  for (let at = 0; at < rows.length; at++) rows[at]! -= amounts[Math.floor(at / D)]! * direction[at % D]!;
  return amounts;
}

/** `[n]`: the inner product of each row with a direction. */
function along(rows: Float64Array, direction: Float64Array): Float64Array {
  const D = direction.length;
  return Float64Array.from({ length: rows.length / D }, (_, row) => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += rows[row * D + d]! * direction[d]!;
    return sum;
  });
}

/** `[D]`: the sum of the rows, each so many times. */
function combined(rows: Float64Array, amounts: Float64Array): Float64Array {
  const D = rows.length / amounts.length;
  const sum = new Float64Array(D);
  amounts.forEach((amount, row) => {
    for (let d = 0; d < D; d++) sum[d]! += amount * rows[row * D + d]!;
  });
  return sum;
}

/** Of length 1, or 0 where there is no direction. */
function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  // What is left of rows that lie on a line is rounding, and would be blown up.
  return vector.map((value) => (length > 1e-12 ? value / length : 0));
}

/** Of the two directions of a line always the same one, so that a map is not turned over for no reason. */
function oriented(direction: Float64Array): Float64Array {
  const largest = direction.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? direction.map((value) => -value) : direction;
}
