import { type CalibrationModel, sharpnessOf } from '../heads/calibration.js';
import type { HeadRuntime } from '../heads/runtime.js';
import { type LeaveOneOut, leaveOneOut } from '../heads/supportShape.js';
import { type Sharpness, temperatureOf } from '../heads/temperature.js';
import { type BotSupport, exampleCounts } from './supportSet.js';

/** How a bot's scores become probabilities. */
export interface BotCalibration {
  readonly source: 'default' | 'fitted';
  /** What the head's logits are divided by before the softmax over the intents. */
  readonly temperature: number;
  /** What scope is judged by (src/heads/scopeDetector.ts); undefined: by the bot's size alone. */
  readonly leaveOneOut: LeaveOneOut | undefined;
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
 * What a bot is judged by before, or unless, its own examples have been looked at.
 * @param counts `[N]`: the support rows of each intent.
 */
export function defaultCalibration(
  model: CalibrationModel,
  head: string,
  counts: readonly number[],
): BotCalibration {
  return { source: 'default', temperature: defaultTemperature(model, head, counts), leaveOneOut: undefined };
}

/** The temperature of a head by a bot's size. @param counts `[N]`: the support rows of each intent. */
export function defaultTemperature(model: CalibrationModel, head: string, counts: readonly number[]): number {
  return temperatureOf(sharpnessOf(model, head), counts);
}

const FOLDS = 5;
/** Fewer examples say less about the temperature than the default does. */
const MIN_EXAMPLES = 100;
/** The default weighs as much as so many examples. */
const PRIOR_EXAMPLES = 200;
/** Rows x classes beyond which cross-validation of the temperature would take too long: some 10 s on one core. */
const MAX_FOLD_COST = 500_000;

/**
 * Fits a bot's calibration to its own examples: what scope is judged by through leave-one-out, which pays from the first
 * examples on; the temperature by 5-fold cross-validation, where there are enough examples, and drawn towards the default. A
 * fold has fewer shots than the bot will, and so asks for a higher temperature: what is fitted is the ratio to the default at
 * the fold's shots. With the shipped encoder the default is as good; the fit is there for encoders whose cosines spread
 * otherwise.
 *
 * @param sharpness of the head.
 * @returns undefined where the bot has not two intents, or not two examples.
 */
export function fitCalibration(
  runtime: HeadRuntime,
  sharpness: Sharpness,
  support: BotSupport,
): BotCalibration | undefined {
  const perClass = exampleCounts(support);
  const left = leaveOneOut(support, perClass, runtime.dimension);
  if (left === undefined) return undefined;
  const { counts } = support;
  const examples = perClass.reduce((sum, n) => sum + n, 0);
  const unlabelled = (support.unlabelled?.length ?? 0) / runtime.dimension;
  const rows = counts.reduce((sum, n) => sum + n, unlabelled);
  let temperature = temperatureOf(sharpness, counts);
  // Five more adaptations of a head that is slow at it would gain less than they cost.
  const isFast = runtime.head.local === undefined && rows * counts.length <= MAX_FOLD_COST;
  if (examples >= MIN_EXAMPLES && isFast) {
    const ratio = temperatureRatio(runtime, sharpness, support);
    temperature *= Math.exp((Math.log(ratio) * examples) / (examples + PRIOR_EXAMPLES));
  }
  return { source: 'fitted', temperature, leaveOneOut: left };
}

/** The temperature that makes held-out examples likeliest, as a multiple of the default at the folds' shots. */
function temperatureRatio(runtime: HeadRuntime, sharpness: Sharpness, support: BotSupport): number {
  const heldOut: { logits: Float32Array; label: number; unit: number }[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const { kept, left, labels } = split(support, runtime.dimension, fold);
    if (labels.length === 0) continue;
    const unit = temperatureOf(sharpness, kept.counts);
    const state = runtime.load(runtime.adapt(kept));
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
  const unlabelled = support.unlabelled && { unlabelled: support.unlabelled };
  return { kept: { counts: keptCounts, rows: pick(kept), names, ...unlabelled }, left: pick(left), labels };
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
