import { type BotSupport, exampleCounts } from './supportSet.js';

// Whether a text belongs to any of a bot's intents. The similarity that this is judged on does not depend on the head, so
// that the decision on scope stays the same when a bot changes its head.

/** Share of the best support row in the similarity, beside the prototype. */
const BEST_SHARE = 0.3;
/** What an intent is given for having few rows, times 1 / rows. */
const FEW_ROWS = 0.1;

/**
 * The similarity of a text to an intent: prototype and best row mixed, a little more where the rows are few. Of the
 * features compared (docs/defaults.md) none tells a bot's texts from others better by more than noise, and with the best
 * row in it a text that equals an example is hardly ever far.
 *
 * @param prototype cosine to the mean of the intent's support rows.
 * @param best cosine to the nearest of them.
 * @param rows how many they are.
 */
export function intentSimilarity(prototype: number, best: number, rows: number): number {
  return (1 - BEST_SHARE) * prototype + BEST_SHARE * best + FEW_ROWS / Math.max(1, rows);
}

/** in_scope = sigmoid(slope (similarity - midpoint)), the similarity that of the nearest intent. */
export interface Scope {
  readonly slope: number;
  readonly midpoint: number;
}

/**
 * For a bot whose support set has not been looked at: among more intents one is near sooner. Fitted on validation
 * episodes of BANKING77, CLINC150 and HWU64, each with an encoder that has not seen the set.
 */
export function defaultScope(intents: number, hasExamples: boolean): Scope {
  // Names alone are farther from texts than examples are.
  const base = hasExamples ? 0.448 : 0.4;
  return { slope: 16, midpoint: base + 0.029 * Math.log(Math.max(1, intents)) };
}

/**
 * For a bot by its own support set, by leave-one-out cross-validation: how similar its examples are to their bot when they
 * are not in it, and how similar they would be if their whole intent were not. The weights were fitted on the same
 * episodes; with weights of two sets, balanced accuracy on the third is 92.1 %, against 90.9 % of the default.
 */
export function fittedScope({ inside, outside }: LeaveOneOut): Scope {
  return { slope: 18, midpoint: 0.045 + 0.493 * inside + 0.262 * outside };
}

/** How sharply a counter-example that is nearer than the intents takes a text out of scope. */
const COUNTER_SLOPE = 40;

/**
 * Probability that a text is in scope.
 *
 * @param similarity to the nearest intent.
 * @param counterexample cosine to the nearest counter-example, where the bot has any. It counts when it is about as high
 *   as the similarity: a text that equals a counter-example is out of scope, whatever else it is like.
 */
export function inScope(scope: Scope, similarity: number, counterexample?: number): number {
  const near = sigmoid(scope.slope * (similarity - scope.midpoint));
  if (counterexample === undefined) return near;
  return near * sigmoid(COUNTER_SLOPE * (Math.min(similarity, 1) - counterexample));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Mean similarities over a support set, every intent weighing the same. */
export interface LeaveOneOut {
  /** To the nearest intent, the example itself taken out. */
  readonly inside: number;
  /** To the nearest intent but its own. */
  readonly outside: number;
}

/** More examples than this say nothing new; an evenly spread sample is taken. */
const MAX_LEFT_OUT = 1000;

/**
 * Leaves each example of a support set out once; labels stay.
 *
 * @returns undefined where there are not two classes, or not two examples.
 */
export function leaveOneOut(support: BotSupport, dimension: number): LeaveOneOut | undefined {
  const { counts, rows } = support;
  const D = dimension;
  const row = (i: number) => rows.subarray(i * D, (i + 1) * D);
  let start = 0;
  const classes = exampleCounts(support).map((examples, c) => {
    const first = start;
    const count = counts[c]!;
    start += count;
    const sum = sumOf(rows, first, count, D);
    return { first, count, examples, sum, norm: length(sum) };
  });
  const leftOut = classes.flatMap((own) =>
    Array.from({ length: own.examples }, (_, k) => ({ own, at: own.first + k })),
  );
  if (classes.length < 2 || leftOut.length < 2) return undefined;

  const stride = Math.max(1, leftOut.length / MAX_LEFT_OUT);
  let inside = 0;
  let outside = 0;
  let weights = 0;
  for (let pick = 0; pick < leftOut.length; pick += stride) {
    const { own, at } = leftOut[Math.floor(pick)]!;
    const x = row(at);
    let other = -Infinity;
    let mine = -Infinity;
    for (const c of classes) {
      let best = -Infinity;
      for (let i = c.first; i < c.first + c.count; i++) if (i !== at) best = Math.max(best, dot(x, row(i)));
      if (c !== own) {
        other = Math.max(other, intentSimilarity(dot(x, c.sum) / c.norm, best, c.count));
      } else if (c.count > 1) {
        const rest = c.sum.map((value, d) => value - x[d]!);
        mine = intentSimilarity(dot(x, rest) / length(rest), best, c.count - 1);
      }
    }
    const weight = 1 / own.examples;
    inside += weight * Math.max(mine, other);
    outside += weight * other;
    weights += weight;
  }
  return { inside: inside / weights, outside: outside / weights };
}

/** The prototype of support rows `[n, D]`: their mean at unit length, `[D]`. */
export function prototypeOf(rows: Float32Array, dimension: number): Float32Array {
  const sum = sumOf(rows, 0, rows.length / dimension, dimension);
  const norm = length(sum);
  return sum.map((value) => value / norm);
}

/** Inner product. */
export function dot(a: Float32Array, b: Float32Array): number {
  // Four sums, so that the additions need not wait for one another.
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = a.length - (a.length % 4);
  for (let d = 0; d < whole; d += 4) {
    s0 += a[d]! * b[d]!;
    s1 += a[d + 1]! * b[d + 1]!;
    s2 += a[d + 2]! * b[d + 2]!;
    s3 += a[d + 3]! * b[d + 3]!;
  }
  for (let d = whole; d < a.length; d++) s0 += a[d]! * b[d]!;
  return s0 + s1 + s2 + s3;
}

function length(a: Float32Array): number {
  return Math.sqrt(dot(a, a)) || 1;
}

function sumOf(rows: Float32Array, first: number, count: number, D: number): Float32Array {
  const sum = new Float32Array(D);
  for (let i = first; i < first + count; i++) for (let d = 0; d < D; d++) sum[d]! += rows[i * D + d]!;
  return sum;
}
