import type { ImportTotals, IntentChange, TextsChange } from './service.js';

/** An immutable snapshot of a bot: settings, intents, examples and counter-examples as one revision had them. */
export interface VersionSummary {
  /** Never an alias's name as well. */
  readonly name: string;
  /** What was said of it when it was saved. */
  readonly note: string | null;
  /** The bot's revision that it holds. */
  readonly revision: number;
  readonly created_at: string;
  /** The head that its settings want, or the default. */
  readonly head: string;
  readonly intents: number;
  readonly examples: number;
  readonly counterexamples: number;
  /** Aliases that point at it. */
  readonly aliases: readonly string[];
}

/** A name that points at a version and is moved in one step: `production`, say. */
export interface AliasSummary {
  readonly name: string;
  readonly version: string;
  readonly moved_at: string;
  /** Where it pointed before, newest first: what rolling back goes through. */
  readonly history: readonly AliasTarget[];
}

export interface AliasTarget {
  readonly version: string;
  readonly moved_at: string;
}

/** What is different between a version and another, or the bot as it is now. */
export interface VersionChanges {
  readonly bot: string;
  readonly from: string;
  /** Null: the bot as it is now. */
  readonly to: string | null;
  readonly totals: ImportTotals;
  readonly intents: readonly IntentChange[];
  readonly counterexamples: TextsChange;
}
