/** Versions of all bots together that stay in memory without an alias, for whoever asks again. */
export const MAX_SPARE_VERSIONS = 4;

export interface PoolOptions<T> {
  /** Brings a version to life. */
  readonly open: (bot: string, version: string) => Promise<T>;
  /** Frees what it held. */
  readonly release: (live: T) => void;
  /** Whether a version stays however many others are asked for. */
  readonly isPinned: (bot: string, version: string) => boolean;
}

interface Entry<T> {
  readonly bot: string;
  readonly version: string;
  readonly opened: Promise<T>;
  /** Once it is open. */
  live: T | undefined;
  /** Requests that it answers at this moment. */
  uses: number;
  isDropped: boolean;
}

/**
 * The versions that are in memory: those that are pinned, those in use, and beside them the ones that were used last. What is
 * let go is freed when the last request that it answers is over.
 */
export class VersionPool<T> {
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry<T>>();
  /** Let go, and still in use. */
  readonly #leaving = new Set<Entry<T>>();

  constructor(private readonly options: PoolOptions<T>) {}

  /** All that may answer, or still do. */
  get live(): T[] {
    return this.#all.flatMap(({ live }) => (live === undefined ? [] : [live]));
  }

  /** Brings a version to life, unless it is alive, that is pinned or soon will be. @throws what `open` throws. */
  async load(bot: string, version: string): Promise<void> {
    await this.#take(bot, version).opened;
  }

  /** Does something with a version, which is brought to life where it is not. @throws what `open` and the work throw. */
  async use<R>(bot: string, version: string, work: (live: T) => Promise<R>): Promise<R> {
    const entry = this.#take(bot, version);
    entry.uses++;
    try {
      return await work(await entry.opened);
    } finally {
      entry.uses--;
      if (entry.isDropped) this.#release(entry);
      this.trim();
    }
  }

  /** Lets versions go that are too many; to be called when some may be pinned no longer. */
  trim(): void {
    const spare = [...this.#entries.values()].filter(
      ({ bot, version }) => !this.options.isPinned(bot, version),
    );
    const idle = spare.filter(({ uses }) => uses === 0);
    for (const entry of idle.slice(0, Math.max(0, spare.length - MAX_SPARE_VERSIONS))) this.#drop(entry);
  }

  /** Lets a version go, or all of a bot's. */
  drop(bot: string, version?: string): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.bot === bot && (version === undefined || entry.version === version)) this.#drop(entry);
    }
  }

  /** Frees all, in use or not, once what is being opened is open. */
  async close(): Promise<void> {
    const entries = this.#all;
    this.#entries.clear();
    await Promise.allSettled(entries.map(({ opened }) => opened));
    for (const { live } of entries) if (live !== undefined) this.options.release(live);
  }

  get #all(): Entry<T>[] {
    return [...this.#entries.values(), ...this.#leaving];
  }

  /** The entry of a version, as the one that was used last. */
  #take(bot: string, version: string): Entry<T> {
    const key = versionId(bot, version);
    const entry = this.#entries.get(key) ?? this.#open(bot, version);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  #open(bot: string, version: string): Entry<T> {
    const opened = this.options.open(bot, version);
    const entry: Entry<T> = { bot, version, opened, live: undefined, uses: 0, isDropped: false };
    opened.then(
      (live) => (entry.live = live),
      () => this.#drop(entry), // So that the next one tries again.
    );
    return entry;
  }

  #drop(entry: Entry<T>): void {
    const key = versionId(entry.bot, entry.version);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.isDropped = true;
    this.#release(entry);
  }

  #release(entry: Entry<T>): void {
    if (entry.uses > 0) {
      this.#leaving.add(entry);
      return;
    }
    this.#leaving.delete(entry);
    entry.opened.then(this.options.release, () => undefined);
  }
}

/** A bot and a version of it in one word; no name of a bot has that sign. */
export function versionId(bot: string, version: string): string {
  return `${bot}@${version}`;
}
