/** How a bot was judged: on examples of its own that it was not shown, or on labelled texts of somebody's. */
export type EvaluationKind = 'cross-validation' | 'test-set';

/** `queued`: it waits for its turn. */
export type EvaluationStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface EvaluationSummary {
  /** Unique in the bot, growing. */
  readonly id: number;
  /** The job that carries it out; null where that is gone. */
  readonly job: number | null;
  /** What it was called when it was begun. */
  readonly name: string | null;
  readonly kind: EvaluationKind;
  /** The version that was judged; null: the bot as it was then. */
  readonly version: string | null;
  readonly revision: number;
  readonly head: string;
  /** The bot's: below this in-scope probability a text is out of scope. */
  readonly threshold: number;
  /** Of a cross-validation. */
  readonly folds: number | null;
  readonly status: EvaluationStatus;
  /** Texts that have been judged, and all. */
  readonly progress: { readonly done: number; readonly total: number };
  /** Why it failed. */
  readonly error: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  /** Null until it is done. */
  readonly headline: EvaluationHeadline | null;
}

export interface EvaluationHeadline {
  readonly texts: number;
  /** Of all texts: the right intent, or rightly out of scope. */
  readonly accuracy: number;
  /** Of the texts that are out of scope, those found to be; null where there is none. */
  readonly out_of_scope_recall: number | null;
  /** Expected calibration error over the texts that are in scope. */
  readonly calibration_error: number | null;
}

export interface Evaluation extends EvaluationSummary {
  /** Null until it is done. */
  readonly measures: EvaluationMeasures | null;
  /** In the order of the test set; of a cross-validation, by intent. Empty until it is done. */
  readonly rows: readonly EvaluationRow[];
}

export interface EvaluationMeasures {
  readonly accuracy: Share;
  /** Of the texts in scope, those whose best intent is right, wherever the threshold is. */
  readonly intent_accuracy: Share;
  /** Every intent that was expected or answered. */
  readonly intents: readonly IntentMeasures[];
  readonly out_of_scope: {
    readonly texts: number;
    readonly recall: number | null;
    readonly precision: number | null;
  };
  readonly reliability: Reliability;
  /** What other thresholds would have given, from 0 to 1. */
  readonly thresholds: readonly ThresholdPoint[];
}

/** A share of texts with its 95 % interval (Wilson's). */
export interface Share {
  readonly correct: number;
  readonly total: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

export interface IntentMeasures {
  readonly intent: string;
  /** Texts of it. */
  readonly texts: number;
  readonly recall: number | null;
  readonly precision: number | null;
  readonly f1: number | null;
  /** What its texts were taken for instead, most often first; null is out of scope. */
  readonly confused_with: readonly { readonly intent: string | null; readonly texts: number }[];
}

/** Whether confidence means something. */
export interface Reliability {
  /** Expected calibration error; null where there is no text in scope. */
  readonly error: number | null;
  readonly bins: readonly ReliabilityBin[];
}

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly texts: number;
  /** Means over its texts; null where it has none. */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

export interface ThresholdPoint {
  readonly threshold: number;
  /** Of the texts in scope, those that would be answered with an intent. */
  readonly coverage: number | null;
  /** Of the texts that would be answered with an intent, those answered rightly; one out of scope never is. */
  readonly accuracy: number | null;
  readonly out_of_scope_recall: number | null;
}

export interface EvaluationRow {
  readonly text: string;
  /** Null: out of scope. */
  readonly expected: string | null;
  /** What was answered at the bot's threshold; null: out of scope. */
  readonly answered: string | null;
  /** The best intent, whether in scope or not; null of a bot without intents. */
  readonly best: string | null;
  readonly confidence: number;
  readonly in_scope: number;
  readonly correct: boolean;
}

/** Two evaluations, text by text; texts that only one of them has are counted. */
export interface EvaluationComparison {
  readonly bot: string;
  readonly evaluation: EvaluationSummary;
  /** The earlier one that it is compared with. */
  readonly with: EvaluationSummary;
  readonly texts: number;
  readonly only_in_this: number;
  readonly only_in_other: number;
  /** Wrong then, right now. */
  readonly fixed: readonly ComparedRow[];
  /** Right then, wrong now. */
  readonly broken: readonly ComparedRow[];
  /** Wrong both times, but answered otherwise. */
  readonly still_wrong: readonly ComparedRow[];
}

export interface ComparedRow {
  readonly text: string;
  readonly expected: string | null;
  readonly before: string | null;
  readonly now: string | null;
}
