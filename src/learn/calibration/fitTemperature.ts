import type { HeadRuntime } from '../../heads/runtime.js';
import { type Sharpness, sizeFeatures } from '../../heads/temperature.js';
import type { SampledBot } from './bots.js';
import { type ConvexPoint, newton } from './newton.js';

/** A query in scope, and what a head says to it. */
export interface ScoredQuery {
  /** `[C]` */
  readonly logits: Float32Array;
  readonly label: number;
  /** `sizeFeatures` of the bot. */
  readonly size: readonly number[];
  readonly weight: number;
}

/** Pulls weights to 0, so weakly that it matters only where nothing else does: bots all of one size, say. */
const RIDGE = 1e-6;

/** The logits of a bot's queries in scope; every bot weighs the same. Heads that adapt have adapted to the bot. */
export function scoreBot(runtime: HeadRuntime, { support, queries, labels }: SampledBot): ScoredQuery[] {
  const C = support.counts.length;
  const inScope = labels.filter((label) => label >= 0);
  // They come first; the rest need not be scored.
  const last = labels.findLastIndex((label) => label >= 0) + 1;
  const state = runtime.load(runtime.adapt(support));
  try {
    const logits = runtime.score(state, queries.subarray(0, last * runtime.dimension));
    const size = sizeFeatures(support.counts);
    return Array.from(labels.subarray(0, last), (label, q) => ({
      logits: logits.subarray(q * C, (q + 1) * C),
      label,
      size,
      weight: 1 / inScope.length,
    })).filter(({ label }) => label >= 0);
  } finally {
    state.dispose();
  }
}

/**
 * Fits a head's sharpness by likelihood: the cross-entropy of softmax(s logits) is convex in s, and s = a + b ln N + c L is
 * linear in what is fitted.
 */
export function fitSharpness(queries: readonly ScoredQuery[]): Sharpness {
  const [base, lnIntents, lnRows] = newton(
    (weights) => temperatureLoss(weights, queries),
    Float64Array.of(1, 0, 0),
    { nonNegative: [0, 1, 2] },
  );
  return { base: base!, lnIntents: lnIntents!, lnRows: lnRows! };
}

/** The mean cross-entropy of softmax((w · size) logits), by the queries' weights. */
export function temperatureLoss(weights: Float64Array, queries: readonly ScoredQuery[]): ConvexPoint {
  const P = weights.length;
  let value = 0;
  const gradient = new Float64Array(P);
  const hessian = new Float64Array(P * P);
  const total = queries.reduce((sum, { weight }) => sum + weight, 0);
  for (const { logits, label, size, weight } of queries) {
    const sharpness = size.reduce((sum, x, i) => sum + weights[i]! * x, 0);
    const { logPartition, mean, variance } = moments(logits, sharpness);
    const share = weight / total;
    value += share * (logPartition - sharpness * logits[label]!);
    for (let i = 0; i < P; i++) {
      gradient[i]! += share * (mean - logits[label]!) * size[i]!;
      for (let j = 0; j < P; j++) hessian[i * P + j]! += share * variance * size[i]! * size[j]!;
    }
  }
  for (let i = 0; i < P; i++) {
    value += (RIDGE / 2) * weights[i]! ** 2;
    gradient[i]! += RIDGE * weights[i]!;
    hessian[i * P + i]! += RIDGE;
  }
  return { value, gradient, hessian };
}

/** ln Σ exp(s z), and the mean and variance of z under softmax(s z). */
function moments(logits: Float32Array, sharpness: number) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let partition = 0;
  let first = 0;
  let second = 0;
  for (const logit of logits) {
    const below = logit - largest; // moments about the largest: of small numbers, exact
    const share = Math.exp(sharpness * below);
    partition += share;
    first += share * below;
    second += share * below ** 2;
  }
  const mean = first / partition;
  return {
    logPartition: sharpness * largest + Math.log(partition),
    mean: mean + largest,
    variance: Math.max(0, second / partition - mean ** 2),
  };
}
