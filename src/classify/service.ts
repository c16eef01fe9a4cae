import type { KshotError } from '../errors.js';
import type { TextSource } from '../store/store.js';
import type { BotSettings } from './botSettings.js';
import type { Checks } from './checks/finding.js';
import type { Evaluation, EvaluationComparison, EvaluationSummary } from './evaluationTypes.js';
import type { BotMap } from './mapTypes.js';
import type { SuggestionStrategy } from './suggestionStrategies.js';
import type { VersionContents } from './versionContents.js';
import type { AliasSummary, VersionChanges, VersionSummary } from './versionTypes.js';

/**
 * What kshot does, for whoever serves it (src/http) or drives it (src/cli). Results have the field names of the
 * wire format. Texts are taken as they come; each method normalises and checks them.
 *
 * Every method throws KshotError: `unknown_bot`, `unknown_intent`, `unknown_example` and `unknown_text` for what is not there,
 * `invalid_request` (naming the field) for texts and names that cannot be, and what Encoder and Store throw.
 */
export interface ClassifyService {
  /** One result a text, in order. */
  classify(bot: string, texts: readonly string[], options?: ClassifyOptions): Promise<ClassifyResult[]>;
  /** `classify` for a bot of these intents that lives as long as the call; nothing is stored. Its revision is 0. */
  classifyAgainst(
    intents: readonly IntentDefinition[],
    texts: readonly string[],
    options?: ClassifyOptions,
  ): Promise<ClassifyResult[]>;

  /**
   * What a classification would be refused with that began now; cheap.
   *
   * @returns KshotError `overloaded`; undefined where it would be admitted, or might be.
   */
  refusal(): KshotError | undefined;

  /**
   * Resolves when the bot answers by that revision or a later one, which another process may have written.
   *
   * @throws KshotError `revision_unavailable` when it has not come in time.
   */
  reach(bot: string, revision: number, signal?: AbortSignal): Promise<void>;

  listBots(): Promise<BotSummary[]>;
  getBot(bot: string): Promise<BotSummary>;
  /**
   * Creates a bot or replaces its settings.
   *
   * @throws KshotError `invalid_request` where there is no such head, `head_unavailable` where it cannot be served.
   */
  putBot(bot: string, settings: BotSettings): Promise<BotSummary>;
  deleteBot(bot: string): Promise<void>;

  /** In the order in which they were created. */
  listIntents(bot: string): Promise<Intent[]>;
  getIntent(bot: string, intent: string): Promise<Intent>;
  /** Creates or replaces intents, all or none; creates the bot where there is none. */
  putIntents(bot: string, intents: readonly IntentDefinition[]): Promise<WriteResult>;
  /**
   * Takes over a document, all or nothing: its intents replace those of the same names, its counter-examples, where it has any,
   * those of the bot; with `prune` what it does not name goes. Creates the bot where there is none.
   *
   * @returns what has changed; of a dry run, what would change now.
   */
  importBot(bot: string, document: ImportDocument, options?: ImportOptions): Promise<ImportResult>;
  deleteIntent(bot: string, intent: string): Promise<WriteResult>;
  /** Adds examples to an intent that exists. */
  addExamples(bot: string, intent: string, examples: readonly string[]): Promise<WriteResult>;
  removeExample(bot: string, intent: string, id: number): Promise<WriteResult>;
  /**
   * Changes the text of an example, or the intent that it belongs to, or both, in one step. `added` of the result is the example
   * as it is then, under another id; it is empty where the intent had that text already, or where nothing is different.
   */
  editExample(bot: string, intent: string, id: number, edit: ExampleEdit): Promise<WriteResult>;
  /**
   * Gives an intent another name; examples, ids and its place among the intents stay.
   *
   * @throws KshotError `intent_exists`.
   */
  renameIntent(bot: string, intent: string, to: string): Promise<WriteResult>;

  getCounterexamples(bot: string): Promise<Example[]>;
  putCounterexamples(bot: string, examples: readonly string[]): Promise<WriteResult>;
  /** Adds counter-examples; those that the bot has already stay as they are. */
  addCounterexamples(bot: string, examples: readonly string[]): Promise<WriteResult>;
  removeCounterexample(bot: string, id: number): Promise<WriteResult>;

  /** Adds texts whose intent is not known; those that the bot has already are passed over. */
  addUnlabelled(bot: string, texts: readonly string[]): Promise<UnlabelledWrite>;
  /** In the order in which they came. */
  listUnlabelled(bot: string, page?: UnlabelledPageOptions): Promise<UnlabelledPage>;
  removeUnlabelled(bot: string, id: number): Promise<UnlabelledRemoval>;
  /** Removes all, whether they were given or seen. */
  clearUnlabelled(bot: string): Promise<UnlabelledRemoval>;
  /**
   * Makes an unlabelled text an example of an intent that exists, or a counter-example where that is null. `added` of the
   * result is the example, under an id of its own.
   */
  labelUnlabelled(bot: string, id: number, intent: string | null): Promise<WriteResult>;
  /**
   * The unlabelled texts that are most worth a label, best first.
   *
   * @throws KshotError `overloaded` when too many ask at once.
   */
  suggest(bot: string, options?: SuggestOptions): Promise<Suggestions>;

  /**
   * What in a bot's examples makes its answers worse, from the embeddings that it has.
   *
   * @throws KshotError `overloaded` when too many ask at once.
   */
  check(bot: string): Promise<BotChecks>;

  /**
   * A bot's texts in two dimensions, from the embeddings that it has: the same for the same revision.
   *
   * @throws KshotError `overloaded` when too many ask at once.
   */
  map(bot: string): Promise<BotMap>;

  /**
   * Begins to judge a bot, or a version of it, on examples and counter-examples that it is not shown. It goes on in the background:
   * `getEvaluation` tells how far it is.
   *
   * @throws KshotError `nothing_to_evaluate` of a bot without two texts, `overloaded` when too many wait.
   */
  crossValidate(bot: string, options?: CrossValidationOptions): Promise<EvaluationSummary>;
  /** The same on a document's texts; its counter-examples are to be out of scope. */
  evaluateTestSet(
    bot: string,
    document: ImportDocument,
    options?: EvaluationOptions,
  ): Promise<EvaluationSummary>;
  /** Newest first. */
  listEvaluations(bot: string): Promise<EvaluationSummary[]>;
  /** @throws KshotError `unknown_evaluation`. */
  getEvaluation(bot: string, id: number): Promise<Evaluation>;
  /** Cancels one that runs, removes one that is over. @throws KshotError `unknown_evaluation`. */
  deleteEvaluation(bot: string, id: number): Promise<void>;
  /**
   * What has become of each text since another evaluation.
   *
   * @param other default: the latest of the same kind before it that is done.
   * @throws KshotError `unknown_evaluation`, `nothing_to_compare`.
   */
  compareEvaluations(bot: string, id: number, other?: number): Promise<EvaluationComparison>;

  /**
   * The bot's versions, newest first. Where a method takes the name of a version to read, that of an alias means the version
   * that it points at; one that means nothing is `unknown_version`.
   */
  listVersions(bot: string): Promise<VersionSummary[]>;
  getVersion(bot: string, version: string): Promise<VersionSummary>;
  /**
   * Saves the bot as it is now. Where it is saved under that name already, that is the answer.
   *
   * @throws KshotError `version_exists` where the version of that name holds another revision, `name_taken` by an alias.
   */
  saveVersion(bot: string, version: string, note: string | null): Promise<SavedVersion>;
  /** @throws KshotError `version_in_use` while an alias points at it. */
  deleteVersion(bot: string, version: string): Promise<void>;
  getVersionContents(bot: string, version: string): Promise<VersionContents>;
  /** What is different in another version, or where `to` is undefined in the bot as it is now. */
  versionChanges(bot: string, from: string, to?: string): Promise<VersionChanges>;
  /** Makes the bot what the version is, settings included: a write like others, with a revision of its own. */
  restoreVersion(bot: string, version: string): Promise<WriteResult>;

  /** By name. */
  listAliases(bot: string): Promise<AliasSummary[]>;
  /**
   * Has an alias, which is made where there is none, point at a version. Requests that name it are answered by the former
   * version until this one is ready, and by this one once the promise has resolved.
   *
   * @throws KshotError `name_taken` by a version.
   */
  putAlias(bot: string, alias: string, version: string): Promise<WrittenAlias>;
  /**
   * Takes the alias's last move back.
   *
   * @throws KshotError `unknown_alias`, `nothing_to_roll_back`.
   */
  rollBackAlias(bot: string, alias: string): Promise<AliasSummary>;
  /** @throws KshotError `unknown_alias`. */
  deleteAlias(bot: string, alias: string): Promise<void>;

  /** The heads that bots may choose from, and those that cannot be served. */
  listHeads(): Promise<HeadSummary[]>;
  /**
   * Reads the folder of trained heads anew. When this resolves, bots are answered by the weights that it has now; until
   * then by the former ones.
   *
   * @throws KshotError `invalid_configuration` where the folder cannot be read; everything is as it was then.
   */
  reloadHeads(): Promise<HeadReload>;

  /** Figures for metrics; cheap. */
  stats(): ServiceStats;

  /** @throws KshotError `store_unavailable` or `not_ready` while requests could not be answered. */
  checkReady(): Promise<void>;

  /** Finishes what was accepted, then frees encoder, workers and store. */
  close(): Promise<void>;
}

export interface ClassifyOptions {
  /** How many intents the ranking holds; default 5. */
  readonly top?: number;
  /** Whether results carry an explanation. */
  readonly explain?: boolean;
  /** The version that is to answer, or an alias of it; absent: the bot as it is now. Not for `classifyAgainst`. */
  readonly version?: string;
  readonly signal?: AbortSignal;
}

export interface ClassifyResult {
  readonly text: string;
  /** The best intent; null when the text is out of scope or the bot has no intents. */
  readonly intent: string | null;
  /** Probability that the best intent of the ranking is right, given that the text is in scope; 0 for an empty bot. */
  readonly confidence: number;
  readonly out_of_scope: boolean;
  /** Probability that the text belongs to any of the bot's intents; below the bot's threshold it is out of scope. */
  readonly in_scope: number;
  /** Best first, whether in scope or not. */
  readonly ranking: readonly RankedIntent[];
  /** The nearest examples, nearest first; similarity is the cosine. */
  readonly evidence: readonly Evidence[];
  /** The text was longer than the encoder reads; what lay beyond was ignored. Absent when not. */
  readonly truncated?: true;
  readonly explanation?: Explanation;
  readonly model: ModelVersion;
}

export interface RankedIntent {
  readonly intent: string;
  readonly confidence: number;
}

export interface Evidence {
  readonly example: string;
  readonly intent: string;
  readonly similarity: number;
}

export interface ModelVersion {
  readonly encoder: string;
  readonly head: string;
  /** The bot's revision that answered. */
  readonly revision: number;
  /** The version that answered, where one was asked for. */
  readonly version?: string;
}

/** Why a text was read so. */
export interface Explanation {
  /** The in-scope probability below which a text is out of scope. */
  readonly threshold: number;
  /** What the logits were divided by before the softmax. */
  readonly temperature: number;
  /** Where temperature and scope come from: the head's defaults, or a fit to the bot's own examples. */
  readonly calibration: 'default' | 'fitted';
  /** Whether the head had adapted to this revision, or still answered with the former state and new prototypes. */
  readonly adapted: boolean;
  /** The similarity of the best intent on which in_scope is judged (a cosine), and the one at which it is 0.5. */
  readonly similarity: number;
  readonly similarity_at_even_odds: number;
  /** The nearest counter-example, where the bot has any. */
  readonly nearest_counterexample: { readonly example: string; readonly similarity: number } | null;
  /** In words: what decided, and what would have to change for another answer. */
  readonly summary: string;
}

export interface BotSummary {
  readonly name: string;
  readonly settings: BotSettings;
  readonly head: BotHead;
  readonly revision: number;
  readonly intents: number;
  readonly examples: number;
  readonly counterexamples: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The head that a bot wants and the one that answers. */
export interface BotHead {
  /** As its settings say, or the default. */
  readonly wanted: string;
  readonly serving: string;
  /** Why another than the wanted one answers; null where it does not. */
  readonly reason: string | null;
}

export interface HeadSummary {
  readonly name: string;
  readonly kind: 'built-in' | 'trained';
  /** The one of bots that did not choose. */
  readonly default: boolean;
  readonly available: boolean;
  /** Why it cannot be served; of one that is, why its checkpoint could not be loaded since. Null where all is well. */
  readonly reason: string | null;
  /** Bots that it answers for. */
  readonly bots: number;
  /** Of a trained head; null where nothing can be read of it, or there is nothing to train. */
  readonly training: HeadTraining | null;
}

/** Where a trained head comes from. */
export interface HeadTraining {
  /** The kind of head that was trained. */
  readonly method: string;
  /** Fingerprint of the encoder that it goes with. */
  readonly encoder: string;
  /** SHA-256 of the weights that serve; null where none do. */
  readonly weights: string | null;
  /** Data sets and splits. */
  readonly data: readonly string[];
  readonly episodes: number;
  /** What was measured of it. */
  readonly results: Readonly<Record<string, unknown>>;
}

export interface HeadReload {
  /** What is different now; empty where nothing is. */
  readonly changes: readonly HeadChangeSummary[];
  /** Bots that are answered by another version, or another head, than before. */
  readonly bots_renewed: number;
  readonly heads: readonly HeadSummary[];
}

export interface HeadChangeSummary {
  readonly head: string;
  /** `kept`: the checkpoint cannot be loaded, the former weights serve on. `refused`: nor are there former ones. */
  readonly change: 'added' | 'changed' | 'removed' | 'kept' | 'refused';
  readonly reason: string | null;
}

export interface Example {
  readonly id: number;
  readonly text: string;
}

/** What is to be different of an example; what is left out stays as it is. */
export interface ExampleEdit {
  readonly text?: string;
  /** The intent that it is to belong to, which must exist. */
  readonly intent?: string;
}

export interface Intent {
  readonly name: string;
  readonly description: string | null;
  readonly examples: readonly Example[];
}

export interface IntentDefinition {
  readonly name: string;
  readonly examples: readonly string[];
  readonly description?: string | null;
}

/** All that a bot is to be taught; names are given once. */
export interface ImportDocument {
  readonly intents: readonly IntentDefinition[];
  readonly counterexamples: readonly string[];
}

export interface ImportOptions {
  /** Whether what the document does not name goes; default false. */
  readonly prune?: boolean;
  /** Whether only to say what would change; default false. */
  readonly dryRun?: boolean;
  /** Gives the import up until it begins to be written. */
  readonly signal?: AbortSignal;
}

export interface ImportResult {
  readonly bot: string;
  readonly dry_run: boolean;
  /** Of the bot after it; of a dry run its present one, 0 where there is no bot. */
  readonly revision: number;
  readonly totals: ImportTotals;
  /** The document's intents in its order, then the others of the bot. */
  readonly intents: readonly IntentChange[];
  readonly counterexamples: TextsChange;
}

export type ChangeKind = 'added' | 'changed' | 'removed' | 'unchanged';

/** What becomes of the texts of one place. */
export interface TextsChange {
  readonly change: ChangeKind;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** How many stay as they are. */
  readonly kept: number;
}

export interface IntentChange extends TextsChange {
  readonly name: string;
  readonly description: ChangeKind;
}

export interface ImportTotals {
  readonly intents: Readonly<Record<ChangeKind, number>>;
  readonly examples: TextCounts;
  readonly counterexamples: TextCounts;
}

export interface TextCounts {
  readonly added: number;
  readonly removed: number;
  readonly kept: number;
}

export interface WriteResult {
  readonly bot: string;
  /** Requests that start after the write was acknowledged are answered by this revision or a later one. */
  readonly revision: number;
  readonly added: readonly Example[];
  readonly removed: readonly Example[];
}

export interface SavedVersion {
  /** Whether there was none of that name. */
  readonly created: boolean;
  readonly version: VersionSummary;
}

export interface WrittenAlias {
  /** Whether there was none of that name. */
  readonly created: boolean;
  readonly alias: AliasSummary;
}

/** An unlabelled text; `seen`: it was classified, and its bot keeps what it classifies. */
export interface Unlabelled {
  readonly id: number;
  readonly text: string;
  readonly source: TextSource;
}

export interface UnlabelledWrite {
  readonly bot: string;
  readonly added: number;
  /** Texts that the bot had already: unlabelled, as an example or a counter-example, or twice in the request. */
  readonly known: number;
  /** Texts that went because a bot has only so many: the oldest that were seen, then the oldest that were given. */
  readonly dropped: number;
  /** Unlabelled texts of the bot. */
  readonly total: number;
}

export interface UnlabelledPageOptions {
  /** Default 100. */
  readonly limit?: number;
  /** The last id of the page before. */
  readonly after?: number;
}

export interface UnlabelledPage {
  readonly texts: readonly Unlabelled[];
  readonly total: number;
  /** What `after` is to be for the next page; null on the last one. */
  readonly next: number | null;
}

export interface UnlabelledRemoval {
  readonly bot: string;
  readonly removed: number;
}

export interface SuggestOptions {
  readonly strategy?: SuggestionStrategy;
  /** Default 10. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface Suggestions {
  /** That they were chosen by: `k-centre` for a bot without intents, which can say nothing of a text. */
  readonly strategy: SuggestionStrategy;
  /** Texts that were looked at: the newest. */
  readonly considered: number;
  readonly suggestions: readonly SuggestedText[];
}

/** An unlabelled text with the bot's present reading of it. */
export interface SuggestedText extends Unlabelled {
  /** By what the strategy ranks; comparable within one strategy only. */
  readonly score: number;
  readonly intent: string | null;
  readonly confidence: number;
  readonly out_of_scope: boolean;
  readonly in_scope: number;
  readonly ranking: readonly RankedIntent[];
}

/** What was found in a bot. */
export interface BotChecks extends Checks {
  readonly bot: string;
  /** That was looked at. */
  readonly revision: number;
}

export interface EvaluationOptions {
  /** What it is to be called. */
  readonly name?: string;
  /** A version or an alias of the bot; default: the bot as it is now. */
  readonly version?: string;
}

export interface CrossValidationOptions extends EvaluationOptions {
  /** Default 5. */
  readonly folds?: number;
  /** What texts are dealt to folds by; default 0. */
  readonly seed?: number;
}

export interface ServiceStats {
  readonly bots: number;
  /** Of them, those that another head answers for than the wanted one. */
  readonly fallbacks: number;
  readonly intents: number;
  readonly examples: number;
  /** Those that are in memory. */
  readonly loaded: {
    readonly bots: number;
    /** With their versions, and what bots that were let go had learned: an estimate. */
    readonly bytes: number;
    /** How many were let go so far because of the limit. */
    readonly letGo: number;
  };
  /** Head adaptations waiting or running in the worker. */
  readonly adaptations: number;
  /** False from when the connection to a shared store is lost until it is back. */
  readonly storeConnected: boolean;
  /** Since when, of `performance.now()`, every bot has begun an adaptation that is over; without bots Infinity. */
  readonly adaptedSince: number;
  readonly encoder: {
    readonly queuedTexts: number;
    readonly cacheEntries: number;
    readonly cacheBytes: number;
    readonly cacheHits: number;
    readonly cacheMisses: number;
  };
}

/** The stages of a classification, as metrics name them. */
export type Stage = 'encode' | 'retrieve' | 'score' | 'decide';

/** What the service tells whoever measures it; every method is called synchronously and must be cheap. */
export interface ServiceObserver {
  /** Who asks, in the observer's own terms: asked as a text comes to be scored, handed back with the stages that do so. */
  caller?(): unknown;
  /**
   * A stage ended.
   *
   * @param callers of a stage that was gone through for several requests in one go: whose; absent where it was for the
   *   request in whose context this is called.
   */
  stage(stage: Stage, milliseconds: number, callers?: readonly unknown[]): void;
  /** Classified texts by outcome. */
  classified(inScope: number, outOfScope: number): void;
  /** A head adapted to a bot's support set. */
  adapted(milliseconds: number): void;
  /** A bot was read from the store, and answers. */
  loaded(milliseconds: number): void;
}
