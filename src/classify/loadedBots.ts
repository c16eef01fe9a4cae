import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import { saveSnapshot } from '../index/snapshot.js';
import type { BotRecord, Change, IntentRecord, Store } from '../store/store.js';
import { LivePool } from './livePool.js';
import { Roster, type RosterEntry } from './roster.js';
import type { Served, ServedBots } from './servedBots.js';
import type { ServiceObserver } from './service.js';

/** Bots that are loaded before the first request, at the most, and the part of the memory that they may take. All of them adapt. */
const FIRST_LOADED = { bots: 20, part: 0.5 };

/** What is asked of whoever serves the bots. */
export interface LoadedBotsOptions {
  readonly encoder: Encoder;
  readonly store: Store;
  readonly bots: ServedBots;
  /** Bytes that bots and their versions may take in memory. */
  readonly memoryBytes: number;
  /** Where indexes of large bots are kept while they are not in memory; absent, they are built whenever a bot is loaded. */
  readonly snapshotDirectory?: string | undefined;
  /** Runs work on a bot when the writes to it that came before are over. */
  readonly inTurn: <T>(bot: string, work: () => Promise<T>) => Promise<T>;
  /** Runs what reads a bot's embeddings, again where some had to be made first. */
  readonly withEmbeddings: <T>(read: () => Promise<T>) => Promise<T>;
  /** What answers for a bot besides itself. */
  readonly versions: {
    readonly load: (bot: string) => Promise<void>;
    readonly warm: (bot: string) => Promise<void>;
    readonly forget: (bot: string) => void;
    readonly servedOf: (bot: string) => readonly Served[];
  };
  readonly observer?: ServiceObserver | undefined;
  readonly warn: (message: string, error: unknown) => void;
}

/**
 * The bots of the store, and those of them that are in memory: a bot is read when it is first used, and let go, with its
 * versions, when the memory is needed and nobody uses it. One that is held stays.
 */
export class LoadedBots {
  readonly roster: Roster;
  readonly #pool: LivePool<Served>;
  /** What goes, and has something to write before. */
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  constructor(private readonly options: LoadedBotsOptions) {
    this.roster = new Roster(options.store);
    this.#pool = new LivePool({
      open: (name) => options.inTurn(name, () => this.#open(name)),
      release: (served) => this.#release(served),
      weigh: (name, served) =>
        [served, ...options.versions.servedOf(name)].reduce(
          (bytes, { bot }) => bytes + BOT_BYTES + bot.bytes,
          0,
        ),
      limit: options.memoryBytes,
    });
  }

  /** Learns what bots there are, and loads the last that were written to, as long as there is plenty of room. */
  async start(): Promise<void> {
    await this.roster.load();
    const latest = [...this.roster.entries]
      .sort((a, b) => (a.bot.updatedAt < b.bot.updatedAt ? 1 : -1))
      .slice(0, FIRST_LOADED.bots);
    for (const { bot } of latest) {
      if (this.bytes > FIRST_LOADED.part * this.options.memoryBytes) return;
      await this.hold(bot.name, () => {
        // Of a bot that is loaded for a request, that compiles what it needs, if no other bot has.
        this.find(bot.name).bot.warmUp();
        return this.options.versions.warm(bot.name);
      });
    }
  }

  /** Those that are in memory. */
  get served(): Served[] {
    return this.#pool.live.filter(({ isGone }) => !isGone);
  }

  /** Memory that they take, with their versions: an estimate. */
  get bytes(): number {
    return this.#pool.weight + this.options.bots.learnedBytes;
  }

  /** How many were let go so far. */
  get letGos(): number {
    return this.#pool.letGos;
  }

  /** The bot as it answers; undefined where it is not in memory. */
  get(name: string): Served | undefined {
    return this.#pool.get(name);
  }

  /** A bot that is held. @throws KshotError `unknown_bot`. */
  find(name: string): Served {
    const served = this.get(name);
    if (served === undefined) throw unknownBot(name);
    return served;
  }

  /** What is known of a bot, in memory or not. @throws KshotError `unknown_bot`. */
  require(name: string): RosterEntry {
    const entry = this.roster.get(name);
    if (entry === undefined) throw unknownBot(name);
    return entry;
  }

  /** Runs work with the bot in memory until it is over, where there is such a bot. @throws what reading it throws, and the work. */
  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    let isHeld = false;
    try {
      if (this.roster.get(name) !== undefined) {
        return await this.#pool.use(name, () => {
          isHeld = true;
          return work();
        });
      }
    } catch (error) {
      // Another process has deleted it a moment ago.
      const isUnknown = error instanceof KshotError && error.code === 'unknown_bot';
      if (isHeld || !isUnknown || this.roster.get(name) !== undefined) throw error;
    }
    return work();
  }

  /** Reads a bot anew, in place of what is in memory; for whoever has the turn. */
  async load(name: string): Promise<void> {
    const served = await this.#read(name);
    if (served === undefined) return;
    const replaced = this.get(name);
    if (replaced !== undefined) this.options.bots.dispose(replaced);
    served.bot.warmUp();
    this.#pool.put(name, served);
  }

  /** Takes over what a write has done; for whoever has the turn. The arguments are those of `ServedBots.apply`. */
  apply(
    name: string,
    change: Change,
    embeddings: ReadonlyMap<string, Float32Array>,
    put?: readonly IntentRecord[],
  ): void {
    const served = this.find(name);
    this.options.bots.apply(served, change, embeddings, put);
    this.#note(served);
  }

  /** The same of a write of settings. */
  configure(name: string, record: BotRecord): void {
    const served = this.find(name);
    this.options.bots.configure(served, record);
    this.#note(served);
  }

  /** Learns what a bot is by now that is not in memory; for whoever has the turn. */
  async refresh(name: string): Promise<void> {
    const former = this.roster.get(name)?.bot.id;
    const entry = await this.roster.refresh(name);
    if (former === undefined || entry?.bot.id === former) return;
    await this.drop(name);
    if (entry !== undefined) this.roster.put(entry);
  }

  /** A bot is deleted; for whoever has the turn. */
  async drop(name: string): Promise<void> {
    const served = this.get(name);
    if (served !== undefined) this.options.bots.dispose(served);
    this.#pool.drop(name);
    this.roster.delete(name);
    this.options.versions.forget(name);
    const directory = this.#snapshotDirectory(name);
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }

  /** Resolves when what is being loaded by now answers. */
  opened(): Promise<void> {
    return this.#pool.opened();
  }

  /** No more is loaded. Resolves when all that bots have classified is kept. */
  async flush(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.served.map(({ seen }) => seen.flush()));
  }

  /** Writes snapshots and frees all bots; to be called when nothing is written any more. */
  async close(): Promise<void> {
    await this.#pool.opened();
    for (const served of this.served) {
      await this.#save(served);
      this.options.bots.dispose(served);
    }
    await this.#pool.close();
    await Promise.all(this.#leaving);
  }

  async #open(name: string): Promise<Served> {
    const present = this.get(name); // It came by a write meanwhile.
    if (present !== undefined) return present;
    const started = performance.now();
    const served = await this.#read(name);
    if (served === undefined) {
      await this.drop(name);
      throw unknownBot(name);
    }
    this.options.observer?.loaded(performance.now() - started);
    return served;
  }

  async #read(name: string): Promise<Served | undefined> {
    if (this.#closed) throw new KshotError('not_ready', 'the server is shutting down');
    const { store, encoder, bots, versions, withEmbeddings } = this.options;
    const contents = await withEmbeddings(() => store.readBot(name, encoder.fingerprint));
    if (contents === undefined) return undefined;
    const former = this.roster.get(name)?.bot.id;
    if (former !== undefined && former !== contents.bot.id) versions.forget(name);
    const snapshotDirectory = this.#snapshotDirectory(name);
    const served = await bots.serve(name, contents, { isVersion: false, snapshotDirectory });
    await versions.load(name);
    this.#note(served);
    if (served.settledAt === undefined) served.timer.soon();
    return served;
  }

  #note({ bot: { texts } }: Served): void {
    this.roster.put({
      bot: texts.record,
      intents: texts.intentCount,
      examples: texts.exampleCount,
      counterexamples: texts.counterexamples.length,
    });
  }

  #release(served: Served): void {
    if (served.isGone) return; // deleted, or replaced
    this.options.versions.forget(served.name);
    const left = this.#leave(served).finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /** In turn, so that whoever reads it anew finds what it leaves. */
  async #leave(served: Served): Promise<void> {
    const { name } = served;
    await served.seen.flush();
    await this.options.inTurn(name, async () => {
      if (!served.isGone && served.indexes.examples.graphSize > 0) await this.#save(served);
      this.options.bots.letGo(served);
    });
  }

  async #save({ name, indexes }: Served): Promise<void> {
    const directory = this.#snapshotDirectory(name);
    if (directory === undefined) return;
    try {
      await saveSnapshot(indexes.examples, directory, this.options.encoder.fingerprint);
    } catch (error) {
      this.options.warn(`bot ${name}: its index could not be kept, and will be built anew`, error);
    }
  }

  #snapshotDirectory(name: string): string | undefined {
    const root = this.options.snapshotDirectory;
    return root && join(root, encodeURIComponent(name));
  }
}

/** A bot without texts: objects, timers, queues. Measured. */
const BOT_BYTES = 20_000;

function unknownBot(name: string): KshotError {
  return new KshotError('unknown_bot', `there is no bot ${name}`);
}
