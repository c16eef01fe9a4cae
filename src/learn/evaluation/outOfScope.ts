import { auroc, expectedCalibrationError, type Proportion, proportion } from '../../statistics/measures.js';

/** How well scores tell what is in scope from what is not. */
export interface OutOfScopeResult {
  /** In scope against out of scope, with its 95 % interval. */
  readonly auroc: Proportion;
  /** The share of the queries out of scope that is refused where `ACCEPTED` of those in scope are accepted. */
  readonly recall: Proportion;
  /** What is accepted of the queries out of scope at that threshold: 1 - recall. */
  readonly fpr95: number;
  /** Of the scores as probabilities of being in scope; absent for scores that are none. */
  readonly ece?: number;
}

const ACCEPTED = 0.95;
const Z95 = 1.959964;

/**
 * @param inside scores of the queries in scope, higher for more in scope.
 * @param outside scores of those out of scope.
 * @param probabilities whether the scores claim to be probabilities of being in scope.
 */
export function outOfScopeMeasures(
  inside: readonly number[],
  outside: readonly number[],
  probabilities: boolean,
): OutOfScopeResult {
  const threshold = acceptingThreshold(inside);
  const recall = proportion(outside.filter((score) => score < threshold).length, outside.length);
  const flags = [...inside.map(() => true), ...outside.map(() => false)];
  return {
    auroc: aurocInterval(inside, outside),
    recall,
    fpr95: 1 - recall.value,
    ...(probabilities ? { ece: expectedCalibrationError([...inside, ...outside], flags) } : {}),
  };
}

/** The highest threshold at or above which at least `ACCEPTED` of the scores are. */
function acceptingThreshold(scores: readonly number[]): number {
  const descending = [...scores].sort((a, b) => b - a);
  return descending[Math.ceil(ACCEPTED * scores.length) - 1]!;
}

/**
 * Area under the ROC curve with its 95 % interval by the variance of DeLong et al. 1988: of the share of negatives that each
 * positive beats, over the positives, and of the share of positives that beat each negative, over the negatives.
 */
export function aurocInterval(positives: readonly number[], negatives: readonly number[]): Proportion {
  const value = auroc(positives, negatives);
  const beaten = shareBelow(positives, negatives);
  const beating = shareBelow(negatives, positives).map((share) => 1 - share);
  const half = Z95 * Math.sqrt(variance(beaten) / positives.length + variance(beating) / negatives.length);
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** Of each score, the share of the others that lies below it, ties counting half. */
function shareBelow(scores: readonly number[], others: readonly number[]): number[] {
  const ascending = Float64Array.from(others).sort();
  return scores.map(
    (score) =>
      (lowerBound(ascending, score, false) + lowerBound(ascending, score, true)) / (2 * others.length),
  );
}

/** How many of ascending values are below one, or, `inclusive`, not above it. */
function lowerBound(ascending: Float64Array, value: number, inclusive: boolean): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! < value || (inclusive && ascending[middle]! === value)) from = middle + 1;
    else to = middle;
  }
  return from;
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
