import {
  argmax,
  expectedCalibrationError,
  type ReliabilityBin,
  reliabilityBins,
} from '../../statistics/measures.js';
import type { Outcomes } from './outcomes.js';
import type { Task } from './task.js';

/** So many queries of one class were taken for another. */
export interface Confusion {
  readonly intent: string;
  readonly taken: string;
  readonly queries: number;
}

/** What the logits of all classes of a set say. */
export interface FullSetMeasures {
  /** One unit a query. */
  readonly outcomes: Outcomes;
  /** `[Q]`: the largest probability of each query. */
  readonly confidences: readonly number[];
  readonly ece: number;
  readonly reliability: readonly ReliabilityBin[];
  /** Every pair that was confused, most queries first. */
  readonly confusions: readonly Confusion[];
}

/**
 * All classes of a set at once: accuracy, and how far confidences can be believed.
 *
 * @param logits `[Q, C]`, of `scoreTask`.
 * @param temperature what they are divided by before the softmax.
 */
export function fullSetMeasures(task: Task, logits: Float32Array, temperature: number): FullSetMeasures {
  const classes = task.classes.length;
  const winners = argmax(logits, classes);
  const right = winners.map((winner, q) => winner === task.labels[q]);
  const sure = confidences(logits, classes, temperature);
  return {
    outcomes: { of: 1, hits: right.map(Number) },
    confidences: sure,
    ece: expectedCalibrationError(sure, right),
    reliability: reliabilityBins(sure, right),
    confusions: confusionsOf(task, winners),
  };
}

/** The largest probability of each query's softmax(logits / temperature): `[Q, C]` to `[Q]`. */
export function confidences(logits: Float32Array, classes: number, temperature: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, q) => {
    const own = logits.subarray(q * classes, (q + 1) * classes);
    const largest = own.reduce((best, logit) => Math.max(best, logit), -Infinity);
    return 1 / own.reduce((sum, logit) => sum + Math.exp((logit - largest) / temperature), 0);
  });
}

function confusionsOf({ classes, labels }: Task, winners: readonly number[]): Confusion[] {
  const counts = new Map<string, Confusion>();
  winners.forEach((winner, q) => {
    const label = labels[q]!;
    if (label === winner || label < 0) return;
    const key = `${label} ${winner}`;
    const queries = (counts.get(key)?.queries ?? 0) + 1;
    counts.set(key, { intent: classes[label]!, taken: classes[winner]!, queries });
  });
  return [...counts.values()].sort(
    (a, b) => b.queries - a.queries || compare(a.intent, b.intent) || compare(a.taken, b.taken),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
