/*
 * What a look at a bot's examples may find. Field names are those of the wire format.
 */

/** Gravest first. */
export const SEVERITIES = ['error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Stable: clients branch on them. Each is explained in docs/checks.md. */
export const CHECK_CODES = [
  'same_text',
  'empty_intent',
  'near_duplicate',
  'nearer_to_other_intent',
  'overlapping_intents',
  'few_examples',
  'imbalanced_intents',
  'cut_text',
  'unused_counterexamples',
] as const;
export type CheckCode = (typeof CHECK_CODES)[number];

export interface Finding {
  readonly code: CheckCode;
  readonly severity: Severity;
  /** What is the matter, with names and texts. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  /** The intents that are concerned. */
  readonly intents: readonly string[];
  /** The texts that are concerned; of very many the first. */
  readonly examples: readonly FoundText[];
  /** Where two texts are too near to one another: which, nearest first. */
  readonly pairs: readonly FoundPair[];
}

/** An example, or a counter-example where the intent is null. */
export interface FoundText {
  /** Absent where the text comes from a file. */
  readonly id?: number;
  readonly text: string;
  readonly intent: string | null;
}

/** Two texts, as positions in the finding's `examples`; similarity is the cosine. */
export interface FoundPair {
  readonly first: number;
  readonly second: number;
  readonly similarity: number;
}

export type SeverityCounts = Readonly<Record<Severity, number>>;

/** All that was found. */
export interface Checks {
  /** How many findings there are, listed or not. */
  readonly counts: SeverityCounts;
  /** Texts, counter-examples too. */
  readonly texts: number;
  /** Of them, those that were compared with one another: of a very large bot the newest of each intent. */
  readonly compared: number;
  /** Findings beyond those that are listed. */
  readonly left_out: number;
  /** Gravest first. */
  readonly checks: readonly Finding[];
}
