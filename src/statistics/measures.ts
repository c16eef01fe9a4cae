// Measures of classification, with their intervals.

/** A proportion with its 95 % interval. */
export interface Proportion {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const Z95 = 1.959964;

/** Wilson's score interval (Wilson 1927) of `hits` out of `n`. */
export function proportion(hits: number, n: number): Proportion {
  if (n === 0) return { value: NaN, low: NaN, high: NaN };
  const p = hits / n;
  const z2 = Z95 ** 2;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return { value: p, low: centre - half, high: centre + half };
}

/**
 * The mean of values that were drawn independently, such as the accuracies of episodes, with its 95 % interval: mean ± 1.96
 * standard deviations over √n, as few-shot papers report it. Of a single value the interval is unknown: NaN.
 */
export function meanInterval(values: ArrayLike<number>): Proportion {
  const all = Array.from(values);
  const n = all.length;
  const mean = all.reduce((sum, value) => sum + value, 0) / n;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = Z95 * Math.sqrt(variance / n);
  return { value: mean, low: mean - half, high: mean + half };
}

/** Predictions whose confidences are much the same. */
export interface ReliabilityBin {
  readonly count: number;
  /** Mean confidence. */
  readonly confidence: number;
  /** The share that is correct: equal to the confidence where it can be believed. */
  readonly accuracy: number;
}

/** An equally wide part of the confidences from 0 to 1, with what falls into it; confidence and accuracy are NaN where nothing does. */
export interface ConfidenceBin extends ReliabilityBin {
  readonly from: number;
  readonly to: number;
}

/** A whole reliability diagram: every one of `bins` equally wide bins of confidence. */
export function reliabilityDiagram(
  confidences: readonly number[],
  correct: readonly boolean[],
  bins: number,
): ConfidenceBin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, correct: 0 }));
  confidences.forEach((confidence, i) => {
    const bin = sums[Math.min(bins - 1, Math.floor(confidence * bins))]!;
    bin.count += 1;
    bin.confidence += confidence;
    bin.correct += correct[i] ? 1 : 0;
  });
  return sums.map((bin, i) => ({
    from: i / bins,
    to: (i + 1) / bins,
    count: bin.count,
    confidence: bin.confidence / bin.count,
    accuracy: bin.correct / bin.count,
  }));
}

/** The points of a reliability diagram: equally wide bins of confidence, those that nothing falls in left out. */
export function reliabilityBins(
  confidences: readonly number[],
  correct: readonly boolean[],
  bins = 15,
): ReliabilityBin[] {
  return reliabilityDiagram(confidences, correct, bins)
    .filter(({ count }) => count > 0)
    .map(({ count, confidence, accuracy }) => ({ count, confidence, accuracy }));
}

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017, eq. 3): the mean gap between confidence and accuracy
 * over `bins` equally wide bins of confidence, weighted by how many predictions fall in.
 */
export function expectedCalibrationError(
  confidences: readonly number[],
  correct: readonly boolean[],
  bins = 15,
): number {
  const gaps = reliabilityBins(confidences, correct, bins).map(
    ({ count, confidence, accuracy }) => count * Math.abs(confidence - accuracy),
  );
  return gaps.reduce((sum, gap) => sum + gap, 0) / confidences.length;
}

/**
 * Area under the ROC curve: the probability that a positive scores above a negative, ties counting half (the
 * Mann-Whitney statistic).
 */
export function auroc(positives: readonly number[], negatives: readonly number[]): number {
  const all = [
    ...positives.map((score) => ({ score, positive: true })),
    ...negatives.map((score) => ({ score, positive: false })),
  ].sort((a, b) => a.score - b.score);
  let rankSum = 0;
  for (let from = 0; from < all.length;) {
    let to = from;
    while (to < all.length && all[to]!.score === all[from]!.score) to++;
    const rank = (from + 1 + to) / 2; // of each of the tied, counted from 1
    for (let i = from; i < to; i++) rankSum += all[i]!.positive ? rank : 0;
    from = to;
  }
  const n = positives.length;
  return (rankSum - (n * (n + 1)) / 2) / (n * negatives.length);
}

/** The class with the largest logit of each query, the first of equals: `[Q, C]` to `[Q]`. */
export function argmax(logits: Float32Array, classes: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, q) => {
    let best = q * classes;
    for (let i = best + 1; i < (q + 1) * classes; i++) if (logits[i]! > logits[best]!) best = i;
    return best - q * classes;
  });
}
