import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import type { BotState, ChangeFeed, FeedWatcher } from '../store/changeFeed.js';
import { MissingEmbeddingError } from '../store/embeddedRows.js';
import type { BotRecord, Change, Store } from '../store/store.js';
import { embedMissing } from './embedTexts.js';
import type { LoadedBots } from './loadedBots.js';

/** While a revision is waited for: how long until the store is asked again, in ms; twice as long each time. */
const ASK_AGAIN_MS = { least: 10, most: 250 };

/** What is asked of whoever serves the bots. */
export interface ReplicaOptions {
  readonly encoder: Encoder;
  readonly store: Store;
  /** Undefined where the store is this process's alone: then nothing happens to a bot that this process does not do. */
  readonly feed: ChangeFeed | undefined;
  /** How long a revision is waited for. */
  readonly revisionTimeoutMs: number;
  /** The bots, in memory or not: to be kept in step with the store. */
  readonly loaded: LoadedBots;
  /** Takes over what was done to a bot's versions and aliases. */
  readonly catchUpVersions: (bot: string) => Promise<void>;
  /** Runs work on a bot when the writes to it that came before are over. */
  readonly inTurn: (bot: string, work: () => Promise<void>) => Promise<void>;
  readonly warn: (message: string, error: unknown) => void;
  /** Told while texts are embedded that the store holds under another encoder, or was interrupted over. */
  readonly embedding?: ((done: number, total: number) => void) | undefined;
}

/**
 * Keeps the bots in step with a store that other processes write to. Of one that is not in memory nothing is read but how far it
 * has come and how much it holds. What they wrote is read from the store, with its
 * embeddings, and applied as one's own writes are; in the order of the revisions, because it waits its turn among these.
 */
export class Replicas implements FeedWatcher {
  /** Catching up that has not begun: whoever comes meanwhile shares it. */
  readonly #queued = new Map<string, Promise<void>>();
  /** The last that was told of a bot, and has not been looked at. */
  readonly #news = new Map<string, BotState | undefined>();
  readonly #following = new Set<string>();
  /** How much of what happened to a bot's versions and aliases has been taken over. */
  readonly #catalogs = new Map<string, Pick<BotState, 'id' | 'catalog'>>();
  #begun = false;
  #closed = false;
  #isLost = false;

  constructor(private readonly options: ReplicaOptions) {}

  /** Whether what others write is heard of, as far as is known; of a store that is this process's alone it always is. */
  get isConnected(): boolean {
    return !this.#isLost;
  }

  /** Embeds what has no embedding and learns what bots there are; from then on they stay in step. */
  async start(): Promise<void> {
    const { feed, encoder, loaded } = this.options;
    // First, so that nothing is missed of what others write meanwhile.
    await feed?.watch(this, encoder.fingerprint);
    await this.#embedMissing();
    await loaded.start();
    this.#begun = true;
    if (feed !== undefined) this.checked(await feed.readStates());
  }

  /** No more is taken over; the store ends the telling. */
  close(): void {
    this.#closed = true;
  }

  changed(bot: string, state: BotState | undefined): void {
    // What fails is not worth a word: the next check thinks of it again.
    this.#follow(bot, state, () => undefined);
  }

  checked(bots: ReadonlyMap<string, BotState>): void {
    if (this.#isLost) this.options.warn('the connection to the store is back', undefined);
    this.#isLost = false;
    for (const [bot, state] of bots) if (!this.#isInStep(bot, state)) this.#followChecked(bot, state);
    for (const bot of this.options.loaded.roster.names) {
      if (!bots.has(bot)) this.#followChecked(bot, undefined);
    }
  }

  #followChecked(bot: string, state: BotState | undefined): void {
    this.#follow(bot, state, (error) => {
      if (this.#isLost) return;
      this.options.warn(`bot ${bot}: what others wrote could not be taken over, and is tried again`, error);
    });
  }

  lost(error: unknown): void {
    this.#isLost = true;
    this.options.warn(
      'the connection to the store is lost: bots answer as they are, writes are refused until it is back',
      error,
    );
  }

  /** Takes over what was written to a bot by the time that this is its turn. @throws KshotError `store_unavailable`. */
  catchUp(bot: string): Promise<void> {
    let done = this.#queued.get(bot);
    if (done === undefined) {
      done = this.options.inTurn(bot, async () => {
        this.#queued.delete(bot);
        if (!this.#closed) await this.catchUpInTurn(bot);
      });
      this.#queued.set(bot, done);
    }
    return done;
  }

  /** The same for whoever has the turn. */
  catchUpInTurn(bot: string): Promise<void> {
    return this.withEmbeddings(() => this.#takeOver(bot));
  }

  /** What is read with its embeddings, which are made where another process, with another encoder, has written the texts. */
  async withEmbeddings<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (this.options.feed === undefined || !(error instanceof MissingEmbeddingError)) throw error;
      await this.#embedMissing();
      return read();
    }
  }

  /**
   * Whether a write of this process can be applied as it is: it is the one that made the bot's next revision, or nothing was
   * different. Else others have written, too, and their writes come first.
   */
  isNext(bot: BotRecord, { bot: written, added, removed, renamed }: Change): boolean {
    if (this.options.feed === undefined) return true;
    if (written.id !== bot.id) return false;
    // One that found nothing to do leaves the revision as others have made it.
    const hasDone = added.length > 0 || removed.length > 0 || renamed !== undefined;
    return written.revision === bot.revision || (hasDone && written.revision === bot.revision + 1);
  }

  /** The same of a write of settings. */
  areNext(bot: BotRecord, written: BotRecord): boolean {
    if (this.options.feed === undefined) return true;
    if (written.id !== bot.id) return false;
    const hasDone = !isDeepStrictEqual(bot.settings, written.settings);
    return written.revision === bot.revision || (hasDone && written.revision === bot.revision + 1);
  }

  /**
   * Resolves when the bot answers by that revision or a later one.
   *
   * @throws KshotError `revision_unavailable` when it did not come in time, `unknown_bot` where the store knows of none; the
   *   signal's reason.
   */
  async reach(bot: string, revision: number, signal?: AbortSignal): Promise<void> {
    const { feed, revisionTimeoutMs } = this.options;
    const hasReached = () => (this.#record(bot)?.revision ?? -1) >= revision;
    const deadline = performance.now() + revisionTimeoutMs;
    const timeLeft = () => Math.max(0, deadline - performance.now());
    for (let pause = ASK_AGAIN_MS.least; !hasReached(); pause = Math.min(2 * pause, ASK_AGAIN_MS.most)) {
      const isAsked =
        feed === undefined ||
        (await Promise.race([succeeds(this.catchUp(bot)), sleep(timeLeft(), false, { signal, ref: false })]));
      if (hasReached()) return;
      const present = this.#record(bot);
      if (isAsked && present === undefined) throw new KshotError('unknown_bot', `there is no bot ${bot}`);
      if (feed === undefined || timeLeft() === 0) {
        throw new KshotError(
          'revision_unavailable',
          `bot ${bot} is at revision ${present?.revision ?? 0} here, and ${revision} was not to be had in time: ` +
            'try again, or leave out min_revision to be answered by what there is',
        );
      }
      await sleep(Math.min(pause, timeLeft()), undefined, { signal });
    }
  }

  /** Has a bot become what it is in the store. What comes while that is under way follows, the last of it alone. */
  #follow(bot: string, state: BotState | undefined, failed: (error: unknown) => void): void {
    if (!this.#begun || this.#closed) return;
    this.#news.set(bot, state);
    if (this.#following.has(bot)) return;
    this.#following.add(bot);
    this.#followAll(bot)
      .catch((error: unknown) => {
        if (!this.#closed && !isGone(error)) failed(error);
      })
      .finally(() => this.#following.delete(bot));
  }

  async #followAll(bot: string): Promise<void> {
    while (this.#news.has(bot) && !this.#closed) {
      const state = this.#news.get(bot);
      this.#news.delete(bot);
      await this.#followNow(bot, state);
    }
  }

  async #followNow(bot: string, state: BotState | undefined): Promise<void> {
    if (!isSame(this.#record(bot), state)) await this.catchUp(bot);
    if (state === undefined || this.#knowsCatalog(bot, state)) return;
    const { id, catalog } = state;
    await this.options.catchUpVersions(bot);
    this.#catalogs.set(bot, { id, catalog });
  }

  #isInStep(bot: string, state: BotState): boolean {
    return isSame(this.#record(bot), state) && this.#knowsCatalog(bot, state);
  }

  /** Versions and aliases are read with the bot; until then there is nothing to keep in step. */
  #knowsCatalog(bot: string, { id, catalog }: BotState): boolean {
    if (this.options.loaded.get(bot) === undefined) return true;
    const known = this.#catalogs.get(bot);
    return (known?.id === id ? known.catalog : 0) >= catalog;
  }

  #record(bot: string): BotRecord | undefined {
    return this.options.loaded.roster.get(bot)?.bot;
  }

  async #takeOver(bot: string): Promise<void> {
    const { feed, encoder, loaded } = this.options;
    const served = loaded.get(bot);
    if (served === undefined) return loaded.refresh(bot);
    await loaded.hold(bot, async () => {
      const news = await feed!.readNews(bot, served.bot.texts.record, encoder.fingerprint);
      switch (news.kind) {
        case 'same':
          return;
        case 'gone':
          return loaded.drop(bot);
        case 'anew':
          return loaded.load(bot);
        case 'changed': {
          const { change, embeddings, put } = news;
          const D = encoder.dimension;
          const byText = change.added.map(
            ({ text }, i) => [text, embeddings.subarray(i * D, (i + 1) * D)] as const,
          );
          loaded.apply(bot, change, new Map(byText), put);
        }
      }
    });
  }

  async #embedMissing(): Promise<void> {
    const { feed, encoder, store, embedding, warn } = this.options;
    const embed = async () => {
      const embedded = await embedMissing(encoder, store, { progress: embedding });
      if (embedded > 0) await store.deleteOtherEmbeddings(encoder.fingerprint);
    };
    if (feed === undefined) await embed();
    else
      await feed.exclusively(embed, () =>
        warn('another process embeds the store; waiting for it', undefined),
      );
  }
}

function isSame(present: BotRecord | undefined, state: BotState | undefined): boolean {
  if (present === undefined || state === undefined) return present === state;
  return present.id === state.id && present.revision >= state.revision;
}

/** It was deleted meanwhile, or the version that an alias pointed at. */
function isGone(error: unknown): boolean {
  return error instanceof KshotError && ['unknown_bot', 'unknown_version'].includes(error.code);
}

/** While the store cannot be reached there is nothing to tell of it: it may come back in time. */
function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
