import type { BotRecord, Change, IntentRecord } from './store.js';

/**
 * What a store has to offer besides that several processes write to: by it each stays in step with what the others do.
 * Everything rests on the revisions in the store; that a process is told of a write at once is only faster.
 */
export interface ChangeFeed {
  /**
   * Tells the watcher from now on. Keeps the embeddings under `fingerprint` from being deleted by others, as long as this
   * process lives.
   *
   * @throws KshotError `store_unavailable` where the store cannot be reached; later it is tried again and again.
   */
  watch(watcher: FeedWatcher, fingerprint: string): Promise<void>;

  /** All bots as they are. @throws KshotError `store_unavailable`. */
  readStates(): Promise<ReadonlyMap<string, BotState>>;

  /**
   * What has become of a bot, its versions and aliases apart.
   *
   * @param since what the caller has of it; undefined where it has nothing.
   * @throws MissingEmbeddingError where a text has no embedding under `fingerprint`; KshotError `store_unavailable`.
   */
  readNews(bot: string, since: BotRevision | undefined, fingerprint: string): Promise<BotNews>;

  /**
   * Runs work that one process is to do at a time, when it is this one's turn.
   *
   * @param waiting called where another one is at it.
   */
  exclusively<T>(work: () => Promise<T>, waiting: () => void): Promise<T>;
}

/** Which bot it is, for another may have had its name before, and how far it has come. */
export interface BotState extends BotRevision {
  /** Counts what happened to its versions and aliases. */
  readonly catalog: number;
}

export type BotRevision = Pick<BotRecord, 'id' | 'revision'>;

/** Called synchronously, and must be quick. */
export interface FeedWatcher {
  /** A bot was written to or deleted, by this process or another. */
  changed(bot: string, state: BotState | undefined): void;
  /** All bots as they are: now and then, and as soon as the connection is back. */
  checked(bots: ReadonlyMap<string, BotState>): void;
  /** The connection is lost. It is tried again and again; `checked` says that it is back. */
  lost(error: unknown): void;
}

export type BotNews =
  /** There is nothing new. */
  | { readonly kind: 'same' }
  /** There is no such bot. */
  | { readonly kind: 'gone' }
  /** It is another bot of that name, or too much has happened: it is to be read anew. */
  | { readonly kind: 'anew' }
  | {
      readonly kind: 'changed';
      /** All that was written since, as one change; the record is the bot's present one. */
      readonly change: Change;
      /** `[change.added.length, D]` */
      readonly embeddings: Float32Array;
      /** Intents whose descriptions were written. */
      readonly put: readonly IntentRecord[];
    };
