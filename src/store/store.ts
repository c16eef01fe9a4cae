import type { JobInput, JobStatus, JobStore } from './jobStore.js';

/**
 * The store: bots, intents and texts, durably. It is the truth; index and class vectors are derived from it.
 * Every write is on disk when its promise resolves, is applied whole or not at all, and raises the bot's
 * revision by one. A write leaves the revision as it is that changes nothing, or nothing but unlabelled texts: the
 * revision counts what a bot's answers rest on, and texts without an intent may come by the second.
 */
export interface Store extends JobStore {
  /** All bots, by name. */
  listBots(): Promise<BotRecord[]>;

  /** All bots with how much they hold, by name; with `only`, the one of that name, where there is one. */
  countBots(only?: string): Promise<CountedBot[]>;

  /**
   * A bot with its texts and their embeddings under `fingerprint`, all but the unlabelled; undefined where there is no
   * such bot.
   *
   * @throws KshotError `store_unavailable` if an embedding is missing: `embedMissing` has not been run to its end.
   */
  readBot(bot: string, fingerprint: string): Promise<BotContents | undefined>;

  /** Creates a bot or replaces its settings (any JSON object; the store does not look inside). */
  putBot(bot: string, settings: Settings): Promise<BotRecord>;

  /** Deletes a bot and all that belongs to it, and cancels its jobs; false where there was none. */
  deleteBot(bot: string): Promise<boolean>;

  /**
   * Creates or replaces intents, in one transaction; a bot that does not exist is created with empty settings.
   * A text that an intent had and still has keeps its id; one given twice is kept once.
   */
  putIntents(bot: string, intents: readonly IntentInput[], fingerprint: string): Promise<Change>;

  /**
   * Takes over a whole document, in one transaction: `putIntents`, `putCounterexamples` and, with `prune`, the removal of
   * every intent that it does not name. A bot that does not exist is created with empty settings.
   */
  importBot(bot: string, contents: ImportInput, fingerprint: string): Promise<Change>;

  /**
   * Adds examples to an intent; a text that it has already is left as it is.
   * @throws KshotError `unknown_bot`, `unknown_intent`.
   */
  addExamples(
    bot: string,
    intent: string,
    examples: readonly EmbeddedText[],
    fingerprint: string,
  ): Promise<Change>;

  /** @throws KshotError `unknown_bot`, `unknown_intent`, `unknown_example`. */
  removeExample(bot: string, intent: string, id: number): Promise<Change>;

  /**
   * Changes the text of an example, or the intent that it belongs to, or both. It is a new text then, under another id, and
   * the newest of its intent; where the intent has that text already, the example goes and the other one stays.
   * @throws KshotError `unknown_bot`, `unknown_intent`, `unknown_example`.
   */
  editExample(
    bot: string,
    intent: string,
    id: number,
    edit: ExampleEdit,
    fingerprint: string,
  ): Promise<Change>;

  /**
   * Gives an intent another name. It keeps its place among the intents, its examples and their ids.
   *
   * @param label stands for the intent from now on, where it has no description.
   * @throws KshotError `unknown_bot`, `unknown_intent`, `intent_exists`.
   */
  renameIntent(
    bot: string,
    intent: string,
    name: string,
    label: EmbeddedText,
    fingerprint: string,
  ): Promise<Change>;

  /** @throws KshotError `unknown_bot`, `unknown_intent`. */
  deleteIntent(bot: string, intent: string): Promise<Change>;

  /**
   * Replaces the bot's counter-examples; a text that stays keeps its id.
   * @throws KshotError `unknown_bot`.
   */
  putCounterexamples(bot: string, texts: readonly EmbeddedText[], fingerprint: string): Promise<Change>;

  /**
   * Adds counter-examples; one that the bot has already is left as it is.
   * @throws KshotError `unknown_bot`.
   */
  addCounterexamples(bot: string, texts: readonly EmbeddedText[], fingerprint: string): Promise<Change>;

  /** @throws KshotError `unknown_bot`, `unknown_example`. */
  removeCounterexample(bot: string, id: number): Promise<Change>;

  /**
   * Adds texts whose intent is not known. One that the bot has already, as an example, a counter-example or unlabelled, is
   * passed over. Beyond MAX_UNLABELLED the oldest go that were `seen`, then the oldest that were `given`.
   * @throws KshotError `unknown_bot`.
   */
  addUnlabelled(
    bot: string,
    source: TextSource,
    texts: readonly EmbeddedText[],
    fingerprint: string,
  ): Promise<UnlabelledOutcome>;

  /**
   * A page of the unlabelled texts, in the order of their ids.
   * @throws KshotError `unknown_bot`.
   */
  listUnlabelled(bot: string, page: PageQuery): Promise<UnlabelledPage>;

  /**
   * The newest unlabelled texts, at most `limit` of them, newest first.
   * @throws KshotError `unknown_bot`, `store_unavailable` as `readBot`.
   */
  readUnlabelled(bot: string, fingerprint: string, limit: number): Promise<EmbeddedUnlabelled>;

  /** One unlabelled text. @throws KshotError `unknown_bot`, `unknown_text`. */
  findUnlabelled(bot: string, id: number, fingerprint: string): Promise<EmbeddedText>;

  /** @throws KshotError `unknown_bot`, `unknown_text`. */
  removeUnlabelled(bot: string, id: number): Promise<void>;

  /** Removes all; returns how many there were. @throws KshotError `unknown_bot`. */
  clearUnlabelled(bot: string): Promise<number>;

  /**
   * Makes an unlabelled text an example of an intent, or a counter-example where `intent` is null. It is the newest of them:
   * it gets another id, and its embeddings go with it.
   * @throws KshotError `unknown_bot`, `unknown_text`, `unknown_intent`.
   */
  labelUnlabelled(bot: string, id: number, intent: string | null): Promise<Change>;

  /**
   * Takes up an evaluation, and the job that carries it out, whose status and progress are its own from then on. Beyond
   * MAX_EVALUATIONS of a bot the oldest go that are over.
   *
   * @param about any JSON object; the store does not look inside.
   * @param subject likewise: what is to be judged, which is kept until it is over.
   * @throws KshotError `unknown_bot`, `overloaded` as `addJob`.
   */
  addEvaluation(bot: string, about: Json, subject: Json, job: JobInput): Promise<EvaluationRecord>;

  /** The evaluation that a job carries out; undefined where it, or its bot, was removed. */
  findEvaluation(job: number): Promise<EvaluationTask | undefined>;

  /** Writes down what one has found that is not over. @returns false where none of that id is. */
  finishEvaluation(bot: string, id: number, outcome: EvaluationOutcome): Promise<boolean>;

  /** Newest first. @throws KshotError `unknown_bot`. */
  listEvaluations(bot: string): Promise<EvaluationRecord[]>;

  /** With its result, null until it is done. @throws KshotError `unknown_bot`, `unknown_evaluation`. */
  readEvaluation(bot: string, id: number): Promise<{ record: EvaluationRecord; result: Json | null }>;

  /** @throws KshotError `unknown_bot`, `unknown_evaluation`. */
  removeEvaluation(bot: string, id: number): Promise<void>;

  /** The bot's versions, newest first. @throws KshotError `unknown_bot`. */
  listVersions(bot: string): Promise<VersionRecord[]>;

  /**
   * Saves the bot as it is now, but for its unlabelled texts, under a name. The bot itself stays as it is, its revision too.
   * Where there is a version of that name that holds the bot's present revision, nothing is done, and `created` is false.
   * @throws KshotError `unknown_bot`, `version_exists`, `name_taken` by an alias.
   */
  saveVersion(
    bot: string,
    version: string,
    note: string | null,
  ): Promise<{ readonly created: boolean; readonly version: VersionRecord }>;

  /** As `readBot`, of a version; its texts have ids of their own. @throws KshotError `store_unavailable` as that. */
  readVersion(bot: string, version: string, fingerprint: string): Promise<BotContents | undefined>;

  /** Aliases forget that they ever pointed at it. @throws KshotError `unknown_bot`, `unknown_version`, `version_in_use`. */
  deleteVersion(bot: string, version: string): Promise<void>;

  /**
   * Makes the bot what the version is, settings included, in one transaction; a text that stays keeps its id.
   * @throws KshotError `unknown_bot`, `unknown_version`, `store_unavailable` as `readBot`.
   */
  restoreVersion(bot: string, version: string, fingerprint: string): Promise<Change>;

  /** The bot's aliases, by name. @throws KshotError `unknown_bot`. */
  listAliases(bot: string): Promise<AliasRecord[]>;

  /**
   * Has an alias point at a version; `created` says whether it is new. One that points there already stays as it is. Beyond
   * MAX_ALIAS_MOVES the oldest are forgotten.
   * @throws KshotError `unknown_bot`, `unknown_version`, `name_taken` by a version.
   */
  moveAlias(
    bot: string,
    alias: string,
    version: string,
  ): Promise<{ readonly created: boolean; readonly alias: AliasRecord }>;

  /**
   * Has an alias point where it pointed before it was last moved, and forgets that move.
   * @throws KshotError `unknown_bot`, `unknown_alias`, `nothing_to_roll_back`.
   */
  rollBackAlias(bot: string, alias: string): Promise<AliasRecord>;

  /** @throws KshotError `unknown_bot`, `unknown_alias`. */
  deleteAlias(bot: string, alias: string): Promise<void>;

  /** All API keys, the revoked ones too, in the order of their ids. */
  listKeys(): Promise<KeyRecord[]>;

  /**
   * Takes up an API key. Of revoked ones the oldest go beyond MAX_REVOKED_KEYS.
   *
   * @param onlyFirst whether nothing is done, and undefined returned, where another one is in force.
   * @throws KshotError `too_many_keys`.
   */
  addKey(key: KeyInput, onlyFirst: boolean): Promise<KeyRecord | undefined>;

  /**
   * Puts an API key out of force; one that is already stays as it is.
   *
   * @param mayBeLast whether the last one may go that writes to all bots, and so may manage keys.
   * @throws KshotError `unknown_key`, `no_managing_key`.
   */
  revokeKey(id: number, mayBeLast: boolean): Promise<KeyRecord>;

  /** Writes down when keys were used, unless a later use is known. @param uses ISO 8601, UTC, by id; an unknown id is passed over. */
  noteKeyUses(uses: ReadonlyMap<number, string>): Promise<void>;

  /** How many texts have no embedding under `fingerprint`; those of versions count, too. */
  countMissingEmbeddings(fingerprint: string): Promise<number>;

  /** Up to `limit` texts that have none, in the order of their ids. */
  readMissingEmbeddings(fingerprint: string, limit: number): Promise<StoredText[]>;

  /**
   * Writes embeddings, in one transaction, so that what is written survives an interruption.
   * @param embeddings `[ids.length, D]`. Ids that have been deleted meanwhile are passed over.
   */
  writeEmbeddings(fingerprint: string, ids: readonly number[], embeddings: Float32Array): Promise<void>;

  /** Deletes the embeddings of every encoder but these; returns how many. */
  deleteOtherEmbeddings(...fingerprints: readonly string[]): Promise<number>;

  /** @throws KshotError `store_unavailable` if the store cannot answer. */
  ping(): Promise<void>;

  close(): Promise<void>;
}

/** A JSON object. */
export type Json = Record<string, unknown>;

export type Settings = Json;

export interface BotRecord {
  /** Unique in the store, never used again: a bot that is made anew under a name that another had is another one. */
  readonly id: number;
  readonly name: string;
  readonly settings: Settings;
  /** Counts the writes to this bot, from 1. */
  readonly revision: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/**
 * `example`: an utterance of an intent. `counterexample`: a text that is out of scope for the bot. `label`: what
 * stands for the intent itself, its description or its readable name; every intent has exactly one. `unlabelled`: a
 * text whose intent is not known; it leaves them when a write makes it an example or a counter-example.
 */
export type TextKind = 'example' | 'counterexample' | 'label' | 'unlabelled';

/** Where an unlabelled text comes from: `given` by somebody, or `seen` when it was classified. */
export type TextSource = 'given' | 'seen';

/** Unlabelled texts that a bot has, at the most: 15 MB of embeddings of 384 numbers. */
export const MAX_UNLABELLED = 10_000;

export interface StoredText {
  /** Unique in the store, never used again. */
  readonly id: number;
  readonly kind: TextKind;
  /** Null for a counter-example and an unlabelled text. */
  readonly intent: string | null;
  readonly text: string;
}

export interface IntentRecord {
  readonly name: string;
  readonly description: string | null;
}

/** A text to be written, with its embedding `[D]` under the fingerprint that the write names. */
export interface EmbeddedText {
  readonly text: string;
  readonly embedding: Float32Array;
}

export interface IntentInput {
  readonly name: string;
  readonly description: string | null;
  readonly label: EmbeddedText;
  readonly examples: readonly EmbeddedText[];
}

/** What is to be different of an example; undefined stays as it is. */
export interface ExampleEdit {
  /** The intent that it is to belong to, which must exist. */
  readonly intent?: string | undefined;
  readonly text?: EmbeddedText | undefined;
}

/** What an import brings. */
export interface ImportInput {
  readonly intents: readonly IntentInput[];
  /** Undefined: those of the bot stay. */
  readonly counterexamples: readonly EmbeddedText[] | undefined;
  /** Whether intents go that are not among them. */
  readonly prune: boolean;
}

/** How much a bot, or a version of it, holds. */
export interface BotCounts {
  readonly intents: number;
  readonly examples: number;
  readonly counterexamples: number;
}

export interface CountedBot extends BotCounts {
  readonly bot: BotRecord;
}

export interface BotContents {
  readonly bot: BotRecord;
  /** In the order in which they were created. */
  readonly intents: readonly IntentRecord[];
  /** In the order of their ids. */
  readonly texts: readonly StoredText[];
  /** `[texts.length, D]`, row for row with `texts`. */
  readonly embeddings: Float32Array;
}

export interface UnlabelledText {
  readonly id: number;
  readonly text: string;
  readonly source: TextSource;
}

export interface PageQuery {
  /** Only texts with larger ids. */
  readonly after: number;
  readonly limit: number;
}

export interface UnlabelledPage {
  readonly texts: readonly UnlabelledText[];
  /** Of the bot, on all pages. */
  readonly total: number;
}

export interface EmbeddedUnlabelled {
  readonly texts: readonly UnlabelledText[];
  /** `[texts.length, D]`, row for row with `texts`. */
  readonly embeddings: Float32Array;
}

/** What adding unlabelled texts did. */
export interface UnlabelledOutcome {
  readonly added: number;
  /** Texts that the bot had already. */
  readonly known: number;
  /** Texts that went because there were too many. */
  readonly dropped: number;
  /** Unlabelled texts that the bot has now. */
  readonly total: number;
}

/** Evaluations that are kept of a bot, at the most; those that wait or run come on top. */
export const MAX_EVALUATIONS = 50;

export interface EvaluationRecord {
  /** Unique in the store, never used again; a later one is larger. */
  readonly id: number;
  /** The job's, until that is over. */
  readonly status: JobStatus;
  /** The job that carries it out; null where that is gone. */
  readonly job: number | null;
  /** As it was given when it was taken up. */
  readonly about: Json;
  /** Texts that have been judged. */
  readonly done: number;
  /** Of one that is done. */
  readonly headline: Json | null;
  /** Of one that has failed. */
  readonly error: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

/** An evaluation that is to be carried out. */
export interface EvaluationTask {
  readonly bot: string;
  readonly record: EvaluationRecord;
  /** Null where it is over. */
  readonly subject: Json | null;
}

/** What an evaluation has found. */
export interface EvaluationOutcome {
  /** Texts that have been judged. */
  readonly done: number;
  readonly headline: Json;
  readonly result: Json;
}

/** What a write did to the texts that a bot answers by; unlabelled texts come and go unmentioned. */
export interface Change {
  readonly bot: BotRecord;
  /** Texts that are new, in the order of their ids. */
  readonly added: readonly StoredText[];
  /** Texts that are gone. */
  readonly removed: readonly StoredText[];
  /** An intent that has another name now; the texts above are told by the new one. */
  readonly renamed?: { readonly from: string; readonly to: string };
}

/** A bot as one of its revisions was, under a name. It never changes. */
export interface VersionRecord extends BotCounts {
  readonly name: string;
  readonly note: string | null;
  /** The bot's revision that it holds. */
  readonly revision: number;
  readonly settings: Settings;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** Moves of an alias that are remembered, the present one included. */
export const MAX_ALIAS_MOVES = 100;

/** A name that points at a version. */
export interface AliasRecord extends AliasMove {
  readonly name: string;
  /** The moves before, newest first. */
  readonly history: readonly AliasMove[];
}

export interface AliasMove {
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly movedAt: string;
}

/** API keys that may be in force at a time. */
export const MAX_KEYS = 1000;

/** Revoked API keys that are remembered, for whoever reads old logs. */
export const MAX_REVOKED_KEYS = 1000;

/** An API key, without the secret. */
export interface KeyInput {
  readonly name: string;
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
  /** How the secret begins. */
  readonly hint: string;
  readonly access: 'read' | 'write';
  /** Names, whether there are such bots or not; null: all. */
  readonly bots: readonly string[] | null;
  /** Requests a second; null: no limit. */
  readonly rate: number | null;
}

export interface KeyRecord extends KeyInput {
  /** Unique in the store, never used again. */
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  /** Null while it is in force. */
  readonly revokedAt: string | null;
}
