export interface PoolOptions<T> {
  /** Brings one to life. */
  readonly open: (name: string) => Promise<T>;
  /** Frees what it held. */
  readonly release: (live: T) => void;
  /** What one takes of the limit. One that takes nothing is not let go. */
  readonly weigh: (name: string, live: T) => number;
  /** What all may take together. */
  readonly limit: number;
}

interface Entry<T> {
  readonly name: string;
  opened: Promise<T>;
  /** Once it is open. */
  live: T | undefined;
  /** What it took of the limit when it was last weighed. */
  weight: number;
  /** Requests that it answers at this moment. */
  uses: number;
  isDropped: boolean;
}

/**
 * What is in memory by name, of bots or of versions: brought to life by who uses it first, and let go beyond a limit, the least
 * recently used first, as long as nobody uses it. The one that was used last stays however large it is. What goes is freed when
 * the last request that it answers is over.
 */
export class LivePool<T> {
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry<T>>();
  /** Dropped, and still in use. */
  readonly #leaving = new Set<Entry<T>>();
  #weight = 0;
  #letGos = 0;

  constructor(private readonly options: PoolOptions<T>) {}

  /** All that may answer, or still do. */
  get live(): T[] {
    return this.#all.flatMap(({ live }) => (live === undefined ? [] : [live]));
  }

  /** What all take of the limit. */
  get weight(): number {
    return this.#weight;
  }

  /** How many were let go so far because of the limit. */
  get letGos(): number {
    return this.#letGos;
  }

  /** What is in memory under that name, and open. To ask is no use of it. */
  get(name: string): T | undefined {
    return this.#entries.get(name)?.live;
  }

  /** Brings something to life, unless it is alive. @throws what `open` throws. */
  async load(name: string): Promise<void> {
    await this.use(name, () => Promise.resolve());
  }

  /** Does something with what is brought to life where it is not. @throws what `open` and the work throw. */
  async use<R>(name: string, work: (live: T) => Promise<R>): Promise<R> {
    const entry = this.#take(name);
    entry.uses++;
    try {
      return await work(await entry.opened);
    } finally {
      entry.uses--;
      if (entry.isDropped) this.#release(entry);
      else this.#weigh(entry);
      this.#letGo();
    }
  }

  /** Takes something up that was brought to life elsewhere; what was there under its name is the caller's to free. */
  put(name: string, live: T): void {
    const opened = Promise.resolve(live);
    const entry = this.#entries.get(name);
    if (entry === undefined) this.#enter(name, opened, live);
    else Object.assign(entry, { opened, live });
    this.#weigh(this.#entries.get(name)!);
  }

  /** Weighs all anew, and lets go what is too much: to be called when some weigh more without having been used. */
  trim(): void {
    for (const entry of this.#entries.values()) this.#weigh(entry);
    this.#letGo();
  }

  drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#drop(entry);
  }

  /** Resolves when what is being opened by now is open, or has failed. */
  async opened(): Promise<void> {
    await Promise.allSettled(this.#all.map(({ opened }) => opened));
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

  /** The entry of that name, as the one that was used last. */
  #take(name: string): Entry<T> {
    const entry = this.#entries.get(name) ?? this.#open(name);
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  #open(name: string): Entry<T> {
    const opened = this.options.open(name);
    const entry = this.#enter(name, opened, undefined);
    opened.then(
      (live) => (entry.live ??= live),
      () => this.#drop(entry), // So that the next one tries again.
    );
    return entry;
  }

  #enter(name: string, opened: Promise<T>, live: T | undefined): Entry<T> {
    const entry = { name, opened, live, weight: 0, uses: 0, isDropped: false };
    this.#entries.set(name, entry);
    return entry;
  }

  #weigh(entry: Entry<T>): void {
    const weight = entry.live === undefined ? 0 : this.options.weigh(entry.name, entry.live);
    this.#weight += weight - entry.weight;
    entry.weight = weight;
  }

  #letGo(): void {
    let left = this.#entries.size;
    for (const entry of this.#entries.values()) {
      if (this.#weight <= this.options.limit || --left === 0) return;
      if (entry.uses > 0 || entry.weight === 0) continue;
      this.#letGos++;
      this.#drop(entry);
    }
  }

  #drop(entry: Entry<T>): void {
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
    if (!entry.isDropped) this.#weight -= entry.weight;
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
