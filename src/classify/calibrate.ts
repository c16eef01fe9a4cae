import type { HeadName } from '../heads/registry.js';
import type { HeadRuntime } from '../heads/runtime.js';
import { type BotSupport, exampleCounts } from './supportSet.js';
import { defaultScope, fittedScope, leaveOneOut, type Scope } from './scope.js';

/** How a bot's scores become probabilities. */
export interface Calibration {
  readonly source: 'default' | 'fitted';
  /** What the head's logits are divided by before the softmax over the intents. */
  readonly temperature: number;
  readonly scope: Scope;
}

/** softmax(logits / temperature): `[C]` to `[C]`. */
export function softmax(logits: Float32Array, temperature: number): Float32Array {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  const weights = logits.map((logit) => Math.exp((logit - largest) / temperature));
  let total = 0;
  for (const weight of weights) total += weight;
  return weights.map((weight) => weight / total);
}

/**
 * 1 / temperature by the bot's size: `a + b ln N + c k`, N intents, k the mean over them of ln(support rows). Fitted to the
 * likelihood of validation episodes of 2 to 150 intents with 1 to 40 examples (BANKING77, CLINC150, HWU64, each with an
 * encoder that has not seen it). Formulas fitted on two of the sets have an expected calibration error of 0.4 to 1.0 % on
 * the third. The ln N is what keeps the default head's confidences from sinking as intents are added; others need none.
 */
const SHARPNESS: Readonly<Record<HeadName, readonly [a: number, b: number, c: number]>> = {
  adapted: [0.615, 0.075, 0.075],
  prototypical: [1.05, 0, 0.125],
  'prototypical-euclidean': [1.06, 0, 0.26],
  matching: [1, 0, 0],
  names: [1.05, 0, 0],
};

/** @param counts `[N]`: the support rows of each intent. */
export function defaultTemperature(head: HeadName, counts: readonly number[]): number {
  const [a, b, c] = SHARPNESS[head];
  const N = Math.max(1, counts.length);
  const k = counts.reduce((sum, n) => sum + Math.log(Math.max(1, n)), 0) / N;
  return 1 / (a + b * Math.log(N) + c * k);
}

/**
 * What a bot is judged by before, or unless, its own examples have been looked at.
 * @param counts `[N]`: the support rows of each intent.
 * @param examples of all intents.
 */
export function defaultCalibration(head: HeadName, counts: readonly number[], examples: number): Calibration {
  const scope = defaultScope(counts.length, examples > 0);
  return { source: 'default', temperature: defaultTemperature(head, counts), scope };
}

const FOLDS = 5;
/** Fewer examples say less about the temperature than the default does. */
const MIN_EXAMPLES = 100;
/** The default weighs as much as so many examples. */
const PRIOR_EXAMPLES = 200;
/** Rows x classes beyond which cross-validation of the temperature would take too long: some 10 s on one core. */
const MAX_FOLD_COST = 500_000;

/**
 * Fits a bot's calibration to its own examples: the scope by leave-one-out, which pays from the first examples on; the
 * temperature by 5-fold cross-validation, where there are enough examples, and drawn towards the default. A fold has fewer
 * shots than the bot will, and so asks for a higher temperature: what is fitted is the ratio to the default at the fold's
 * shots. With the shipped encoder the default is as good; the fit is there for encoders whose cosines spread otherwise.
 *
 * @returns undefined where the bot has not two intents, or no example.
 */
export function fitCalibration(
  runtime: HeadRuntime,
  head: HeadName,
  support: BotSupport,
): Calibration | undefined {
  const similarities = leaveOneOut(support, runtime.dimension);
  if (similarities === undefined) return undefined;
  const { counts } = support;
  const examples = exampleCounts(support).reduce((sum, n) => sum + n, 0);
  const rows = counts.reduce((sum, n) => sum + n, 0);
  let temperature = defaultTemperature(head, counts);
  if (examples >= MIN_EXAMPLES && rows * counts.length <= MAX_FOLD_COST) {
    const ratio = temperatureRatio(runtime, head, support);
    temperature *= Math.exp((Math.log(ratio) * examples) / (examples + PRIOR_EXAMPLES));
  }
  return { source: 'fitted', temperature, scope: fittedScope(similarities) };
}

/** The temperature that makes held-out examples likeliest, as a multiple of the default at the folds' shots. */
function temperatureRatio(runtime: HeadRuntime, head: HeadName, support: BotSupport): number {
  const heldOut: { logits: Float32Array; label: number; unit: number }[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const { kept, left, labels } = split(support, runtime.dimension, fold);
    if (labels.length === 0) continue;
    const unit = defaultTemperature(head, kept.counts);
    const state = runtime.load(runtime.adapts ? runtime.adapt(kept) : runtime.induce(kept));
    const logits = runtime.score(state, left);
    state.dispose();
    const C = kept.counts.length;
    labels.forEach((label, i) => heldOut.push({ logits: logits.subarray(i * C, (i + 1) * C), label, unit }));
  }
  const loss = (logRatio: number) =>
    heldOut.reduce(
      (sum, { logits, label, unit }) =>
        sum - Math.log(softmax(logits, unit * Math.exp(logRatio))[label]! + 1e-9),
      0,
    );
  return Math.exp(minimise(loss, Math.log(1 / 4), Math.log(4)));
}

/** One fold: every fifth example of each class is left out, but none of a class that would be left empty; never a label. */
function split(support: BotSupport, D: number, fold: number) {
  const { counts, rows, names } = support;
  const kept: number[] = [];
  const left: number[] = [];
  const labels: number[] = [];
  let row = 0;
  const keptCounts = exampleCounts(support).map((examples, c) => {
    const before = kept.length;
    for (let k = 0; k < counts[c]!; k++, row++) {
      if (k < examples && counts[c]! > 1 && k % FOLDS === fold) {
        left.push(row);
        labels.push(c);
      } else {
        kept.push(row);
      }
    }
    return kept.length - before;
  });
  const pick = (at: readonly number[]) => {
    const picked = new Float32Array(at.length * D);
    at.forEach((from, to) => picked.set(rows.subarray(from * D, (from + 1) * D), to * D));
    return picked;
  };
  return { kept: { counts: keptCounts, rows: pick(kept), names }, left: pick(left), labels };
}

/** Golden-section search for the minimum of a function with one valley, to 0.01. */
function minimise(f: (x: number) => number, low: number, high: number): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [x1, x2] = [b - golden * (b - a), a + golden * (b - a)];
  let [f1, f2] = [f(x1), f(x2)];
  while (b - a > 0.01) {
    if (f1 < f2) {
      [b, x2, f2] = [x2, x1, f1];
      x1 = b - golden * (b - a);
      f1 = f(x1);
    } else {
      [a, x1, f1] = [x1, x2, f2];
      x2 = a + golden * (b - a);
      f2 = f(x2);
    }
  }
  return (a + b) / 2;
}
