import { meanInterval, type Proportion } from './measures.js';

/** 97.5 % quantile of Student's t by degrees of freedom, from 1 on; beyond them the normal's is near enough. */
const QUANTILES = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
];
const NORMAL = 1.96;

/**
 * The mean of a handful of values that were drawn independently, with its 95 % interval by Student's t (Student 1908): of
 * five values it is 1.4 times as wide as `meanInterval` has it, which takes their deviation for known. Of a single value the
 * interval is unknown: NaN.
 */
export function studentInterval(values: readonly number[]): Proportion {
  const { value, high } = meanInterval(values);
  const half = ((high - value) * (QUANTILES[values.length - 2] ?? NORMAL)) / NORMAL;
  return { value, low: value - half, high: value + half };
}
