import type { SupportRows } from '../heads/runtime.js';

/**
 * The newest examples of an intent that a head looks at. Scores of more would hardly differ, and memory and time stay
 * bounded; the index and the evidence know every example.
 */
const MAX_SHOTS = 63; // with the label 64 rows

/** An intent as heads see it. */
export interface SupportClass {
  /** Each `[D]`, unit length, oldest first. */
  readonly examples: readonly Float32Array[];
  /** `[D]`: embedding of the intent's description or readable name. */
  readonly label: Float32Array;
  /** Whether the label says something about the intent; "intent 17" does not. */
  readonly isTelling: boolean;
}

/**
 * The newest unlabelled texts that a head looks at which reads them: more take it longer, and the job to the worker thread
 * more memory.
 */
export const MAX_UNLABELLED_ROWS = 4096;

/** A bot's support set: of a class that is `labelled` the last row is its label. */
export interface BotSupport extends SupportRows {
  /** `[C]` */
  readonly labelled: readonly boolean[];
}

/**
 * The support set of a bot, ragged: class by class, at most MAX_SHOTS newest examples each, and behind them the label as
 * one more support row, if it is telling or all there is. So an intent without examples has a class vector (zero-shot),
 * and what its name says counts beside few examples and hardly beside many. Measured on validation, all intents of three
 * sets at once: +10 points at 1 shot, +4 at 2, +1 at 5, nothing lost at 20.
 */
export function supportRows(
  classes: readonly SupportClass[],
  dimension: number,
  maxShots: number = MAX_SHOTS,
): BotSupport {
  const labelled = classes.map(isLabelled);
  const rowsOf = classes.map(({ examples, label }, c) => {
    const newest = examples.slice(-maxShots);
    return labelled[c]! ? [...newest, label] : newest;
  });
  const counts = rowsOf.map((rows) => rows.length);
  const rows = new Float32Array(counts.reduce((sum, n) => sum + n, 0) * dimension);
  rowsOf.flat().forEach((vector, row) => rows.set(vector, row * dimension));
  const names = new Float32Array(classes.length * dimension);
  classes.forEach(({ label }, c) => names.set(label, c * dimension));
  return { counts, rows, names, labelled };
}

/** `[C]`: the rows that are examples. */
export function exampleCounts({ counts, labelled }: BotSupport): number[] {
  return counts.map((count, c) => count - (labelled[c]! ? 1 : 0));
}

/** How many rows `supportRows` makes of a class. */
export function rowCount(
  intent: Pick<SupportClass, 'isTelling'> & { readonly examples: readonly unknown[] },
): number {
  return Math.min(intent.examples.length, MAX_SHOTS) + (isLabelled(intent) ? 1 : 0);
}

function isLabelled({
  examples,
  isTelling,
}: Pick<SupportClass, 'isTelling'> & { readonly examples: readonly unknown[] }) {
  return isTelling || examples.length === 0;
}

/**
 * Rows x classes that a head adapts to at the most, which bounds its time and memory: some ten seconds on one core. A
 * bot of up to 150 intents may give all its rows; of a larger one each intent gives its newest.
 */
const MAX_ADAPTATION = 1_500_000;

/** The examples of an intent that a bot of so many intents adapts to. */
export function adaptationShots(intents: number): number {
  return Math.min(MAX_SHOTS, Math.max(3, Math.floor(MAX_ADAPTATION / intents ** 2) - 1));
}
