import {
  logOdds,
  RISING,
  SCOPE_FEATURES,
  type ScopeDetector,
  type ScopeModel,
  sigmoid,
} from '../../heads/scopeDetector.js';
import { type ConvexPoint, newton } from './newton.js';
import { recordFeatures, type ScopeRecord } from './scopeRecords.js';

/** A query in the fit: its features for each intent that it is near to, whether it is in scope, and its weight. */
export interface ScopeExample {
  readonly candidates: readonly (readonly number[])[];
  readonly inScope: boolean;
  readonly weight: number;
}

/** Pulls weights to 0, so weakly that it matters only where examples do not tell: a feature that never varies, say. */
const RIDGE = 1e-6;
/** Rounds of choosing each query's intent by the weights and fitting the weights to the intents chosen. */
const ROUNDS = 6;

/**
 * Fits the two models of the detector.
 *
 * @param sets records by set. Every set, size of bot and kind of query, in scope, near and far, weighs the same, but for
 * @param inScopeWeight what queries in scope weigh against those out of scope.
 */
export function fitScope(sets: readonly (readonly ScopeRecord[])[], inScopeWeight: number): ScopeDetector {
  const all = sets.flat();
  const cohesions = all.flatMap(({ bot }) => bot.leaveOneOut?.cohesion ?? []);
  const cohesion = cohesions.reduce((sum, value) => sum + value, 0) / cohesions.length;
  const weights = sets.flatMap((records) => cellWeights(records, inScopeWeight));

  const fitted = all.flatMap((record, i) =>
    record.bot.leaveOneOut === undefined ? [] : [exampleOf('fitted', record, cohesion, weights[i]!)],
  );
  const unfitted = all.map((record, i) => exampleOf('default', record, cohesion, weights[i]!));
  return {
    cohesion,
    fitted: named('fitted', fitLogistic('fitted', fitted)),
    default: named('default', fitLogistic('default', unfitted)),
  };
}

/** Of one set: every size of bot the same, of it `inScopeWeight` parts in scope, half a part near, half a part far. */
export function cellWeights(records: readonly ScopeRecord[], inScopeWeight: number): number[] {
  const cells = new Map<string, number>();
  const keys = records.map(({ size, label }) => `${size} ${kindOf(label)}`);
  for (const key of keys) cells.set(key, (cells.get(key) ?? 0) + 1);
  return records.map(({ label }, i) => (label >= 0 ? inScopeWeight : 0.5) / cells.get(keys[i]!)!);
}

/** 0 in scope, 1 near, 2 far. */
export function kindOf(label: number): 0 | 1 | 2 {
  if (label >= 0) return 0;
  return label === -1 ? 1 : 2;
}

function exampleOf(model: ScopeModel, record: ScopeRecord, cohesion: number, weight: number): ScopeExample {
  return { candidates: recordFeatures(model, record, cohesion), inScope: record.label >= 0, weight };
}

/**
 * Logistic regression in which a query counts by the intent that speaks most for it, as it will when it is judged: that
 * intent is chosen by the weights, the weights are fitted to the chosen, and so on.
 *
 * @returns the weights, in the order of `SCOPE_FEATURES[model]`.
 */
export function fitLogistic(model: ScopeModel, examples: readonly ScopeExample[]): Float64Array {
  const features = SCOPE_FEATURES[model];
  const rising = [...features.keys()].filter((i) => RISING.includes(features[i]!));
  // At first the nearest intent.
  let weights: Float64Array = Float64Array.from(features, (_, i) => (rising.includes(i) ? 1 : 0));
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = examples.map(({ candidates }) =>
      candidates.reduce((a, b) => (logOdds(weights, b) > logOdds(weights, a) ? b : a)),
    );
    weights = newton((w) => logisticLoss(w, chosen, examples), weights, { nonNegative: rising });
  }
  return weights;
}

/** The mean cross-entropy of sigmoid(w · x), by the examples' weights. */
export function logisticLoss(
  weights: Float64Array,
  features: readonly (readonly number[])[],
  examples: readonly Pick<ScopeExample, 'inScope' | 'weight'>[],
): ConvexPoint {
  const P = weights.length;
  let value = 0;
  const gradient = new Float64Array(P);
  const hessian = new Float64Array(P * P);
  const total = examples.reduce((sum, { weight }) => sum + weight, 0);
  examples.forEach(({ inScope, weight }, n) => {
    const x = features[n]!;
    const odds = logOdds(weights, x);
    const share = weight / total;
    const p = sigmoid(odds);
    // ln(1 + e^z), z the log-odds of what is not so: without overflow.
    const z = inScope ? -odds : odds;
    value += share * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))));
    const slope = share * (p - (inScope ? 1 : 0));
    const curvature = share * p * (1 - p);
    for (let i = 0; i < P; i++) {
      gradient[i]! += slope * x[i]!;
      for (let j = 0; j <= i; j++) hessian[i * P + j]! += curvature * x[i]! * x[j]!;
    }
  });
  for (let i = 0; i < P; i++) {
    value += (RIDGE / 2) * weights[i]! ** 2;
    gradient[i]! += RIDGE * weights[i]!;
    hessian[i * P + i]! += RIDGE;
    for (let j = 0; j < i; j++) hessian[j * P + i] = hessian[i * P + j]!;
  }
  return { value, gradient, hessian };
}

function named<M extends ScopeModel>(model: M, weights: Float64Array): ScopeDetector[M] {
  return Object.fromEntries(
    SCOPE_FEATURES[model].map((feature, i) => [feature, weights[i]!]),
  ) as ScopeDetector[M];
}
