import { setTimeout as sleep } from 'node:timers/promises';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import type { AliasRecord, BotContents, Settings, Store, VersionRecord } from '../store/store.js';
import { importChanges, type PresentTexts } from './importChanges.js';
import { LivePool } from './livePool.js';
import type { SavedVersion, WrittenAlias } from './service.js';
import { normaliseText } from './text.js';
import { asDocument, asPresent, type VersionContents, versionContents } from './versionContents.js';
import type { AliasSummary, VersionChanges, VersionSummary } from './versionTypes.js';

/** Versions of all bots together that stay in memory without an alias, for whoever asks again. */
export const MAX_SPARE_VERSIONS = 4;

/** How long an alias, or the first request to a version, waits for its head to adapt, in ms. */
const MAX_ADAPTATION_WAIT_MS = 10_000;

/** A version that answers. */
export interface LiveVersion<S> {
  readonly served: S;
  /** Resolves when its head has adapted and its calibration is fitted, or could not be. */
  readonly adapted: Promise<void>;
}

/** What is asked of whoever serves the bots. @typeParam S what serves one. */
export interface VersionsOptions<S> {
  readonly encoder: Encoder;
  readonly store: Store;
  /** A bot's texts as they are now. @throws KshotError `unknown_bot`. */
  readonly present: (bot: string) => PresentTexts;
  /** Runs a write when those before it, to the same bot, are over. @throws KshotError `not_ready` when the end has begun. */
  readonly write: <T>(bot: string, write: () => Promise<T>) => Promise<T>;
  /** Brings a version to life, and has its head adapt. @param name the bot's and its own. */
  readonly open: (name: string, contents: BotContents) => Promise<LiveVersion<S>>;
  readonly release: (served: S) => void;
  /** The head that settings want, or the default. */
  readonly wantedHead: (settings: Settings) => string;
  readonly warn: (message: string, error: unknown) => void;
}

/** A bot's versions and aliases, as the store has them. */
interface Catalog {
  /** Newest first. */
  readonly versions: ReadonlyMap<string, VersionRecord>;
  readonly aliases: ReadonlyMap<string, AliasRecord>;
}

const EMPTY: Catalog = { versions: new Map(), aliases: new Map() };

/**
 * The versions of the bots that are in memory, and the aliases that point at them. A version is answered for by a live bot of
 * its own, which comes when it is asked for; one that an alias points at then stays as long as the bot does, so that moving
 * the alias is a matter of one assignment.
 */
export class Versions<S> {
  /** Kept in step with the store by every write. */
  readonly #catalogs = new Map<string, Catalog>();
  readonly #pool: LivePool<LiveVersion<S>>;
  /** Those that have been given the time to adapt. */
  readonly #awaited = new WeakSet<LiveVersion<S>>();

  constructor(private readonly options: VersionsOptions<S>) {
    this.#pool = new LivePool({
      open: async (id) => options.open(id, await this.#read(...parseVersionId(id))),
      release: ({ served }) => options.release(served),
      weigh: (id) => (this.#aliasesOf(...parseVersionId(id)).length > 0 ? 0 : 1),
      limit: MAX_SPARE_VERSIONS,
    });
  }

  /** What serves the versions that are in memory. */
  get served(): S[] {
    return this.#pool.live.map(({ served }) => served);
  }

  /** Learns what a bot of the store has. What its aliases point at comes to life by `warm`, or when it is asked for. */
  async load(bot: string): Promise<void> {
    this.#catalogs.set(bot, await this.#readCatalog(bot));
  }

  /** Brings to life what a bot's aliases point at. */
  async warm(bot: string): Promise<void> {
    for (const { version } of this.#catalog(bot).aliases.values())
      await this.#pool.load(versionId(bot, version));
  }

  /**
   * Takes over what another process has done to a bot's versions and aliases, as soon as what these point at answers as it
   * will: a version that an alias is moved to has adapted by then.
   */
  async catchUp(bot: string): Promise<void> {
    const ready = new Set<string>();
    for (let isDone = false; !isDone;) {
      for (const { version } of await this.options.store.listAliases(bot)) {
        if (!ready.has(version)) await this.#pool.use(versionId(bot, version), (live) => this.#adapted(live));
        ready.add(version);
      }
      isDone = await this.#write(bot, async () => {
        const catalog = await this.#readCatalog(bot);
        // Moved again meanwhile.
        if ([...catalog.aliases.values()].some(({ version }) => !ready.has(version))) return false;
        this.#takeOver(bot, catalog);
        return true;
      });
    }
  }

  /** Of a bot that was deleted, or let go: its versions go with it. */
  forget(bot: string): void {
    for (const version of this.#catalog(bot).versions.keys()) this.#pool.drop(versionId(bot, version));
    this.#catalogs.delete(bot);
  }

  /** What serves a bot's versions that are in memory. */
  servedOf(bot: string): S[] {
    return [...this.#catalog(bot).versions.keys()].flatMap(
      (version) => this.#pool.get(versionId(bot, version))?.served ?? [],
    );
  }

  /** Resolves when what is being brought to life by now answers. */
  async opened(): Promise<void> {
    await this.#pool.opened();
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /**
   * Has one version do all of a request's work, wherever aliases are moved meanwhile.
   *
   * @param name of the version, or of an alias at this moment.
   */
  use<R>(bot: string, name: string, work: (served: S, version: string) => Promise<R>): Promise<R> {
    const version = this.resolve(bot, name);
    return this.#pool.use(versionId(bot, version), async (live) => {
      // So that whoever asks twice is not answered in two ways.
      if (!this.#awaited.has(live)) await this.#adapted(live);
      return work(live.served, version);
    });
  }

  /** @returns the name of the version that a name means, its own or an alias's. @throws KshotError `unknown_version`. */
  resolve(bot: string, name: string): string {
    this.options.present(bot);
    const { versions, aliases } = this.#catalog(bot);
    const version = versions.has(name) ? name : aliases.get(name)?.version;
    if (version === undefined) {
      throw new KshotError('unknown_version', `bot ${bot} has neither a version nor an alias "${name}"`);
    }
    return version;
  }

  list(bot: string): VersionSummary[] {
    this.options.present(bot);
    return [...this.#catalog(bot).versions.values()].map((version) => this.#summarise(bot, version));
  }

  get(bot: string, name: string): VersionSummary {
    return this.#summarise(bot, this.#catalog(bot).versions.get(this.resolve(bot, name))!);
  }

  /** @param note normalised where it is text. */
  save(bot: string, version: string, note: string | null): Promise<SavedVersion> {
    return this.#write(bot, async () => {
      const saved = await this.options.store.saveVersion(bot, version, note && normaliseText(note));
      await this.#refresh(bot);
      return { created: saved.created, version: this.get(bot, version) };
    });
  }

  delete(bot: string, version: string): Promise<void> {
    return this.#write(bot, async () => {
      await this.options.store.deleteVersion(bot, version);
      await this.#refresh(bot);
      this.#pool.drop(versionId(bot, version));
    });
  }

  async contents(bot: string, name: string): Promise<VersionContents> {
    return versionContents(await this.#read(bot, this.resolve(bot, name)));
  }

  /** The version's contents with their embeddings, as a bot is to take them over. */
  async read(bot: string, name: string): Promise<BotContents> {
    return this.#read(bot, this.resolve(bot, name));
  }

  /** @param to undefined: the bot as it is now. */
  async changes(bot: string, from: string, to: string | undefined): Promise<VersionChanges> {
    const names = { from: this.resolve(bot, from), to: to === undefined ? null : this.resolve(bot, to) };
    const before = await this.contents(bot, names.from);
    const after = names.to === null ? this.options.present(bot) : await this.contents(bot, names.to);
    return { bot, ...names, ...importChanges(asPresent(before), asDocument(after), true) };
  }

  listAliases(bot: string): AliasSummary[] {
    this.options.present(bot);
    return [...this.#catalog(bot).aliases.values()].map(summariseAlias);
  }

  /** @param target a version's name, or that of another alias, which means the version that it points at. */
  async putAlias(bot: string, alias: string, target: string): Promise<WrittenAlias> {
    const version = this.resolve(bot, target);
    return this.#whenReady(bot, alias, version, async () => {
      const { created } = await this.options.store.moveAlias(bot, alias, version);
      return { created, alias: await this.#moved(bot, alias) };
    });
  }

  async rollBackAlias(bot: string, alias: string): Promise<AliasSummary> {
    this.options.present(bot);
    const target = this.#catalog(bot).aliases.get(alias)?.history[0]?.version;
    const rollBack = async () => {
      await this.options.store.rollBackAlias(bot, alias);
      return this.#moved(bot, alias);
    };
    // What is not there the store refuses.
    return target === undefined ? this.#write(bot, rollBack) : this.#whenReady(bot, alias, target, rollBack);
  }

  deleteAlias(bot: string, alias: string): Promise<void> {
    return this.#write(bot, async () => {
      await this.options.store.deleteAlias(bot, alias);
      await this.#refresh(bot);
    });
  }

  /** Moves an alias once the version answers as it will: nobody waits for it then, and its answers do not change. */
  #whenReady<R>(bot: string, alias: string, version: string, move: () => Promise<R>): Promise<R> {
    return this.#pool.use(versionId(bot, version), async (live) => {
      if (!(await this.#adapted(live))) {
        const message = `its head has not adapted within ${MAX_ADAPTATION_WAIT_MS / 1000} s, and will later`;
        this.options.warn(
          `alias ${versionId(bot, alias)} moves to version ${version}: ${message}`,
          undefined,
        );
      }
      return this.#write(bot, move);
    });
  }

  /** Waits until a version's head has adapted, but not for ever. @returns whether it has. */
  async #adapted(live: LiveVersion<S>): Promise<boolean> {
    const timer = new AbortController();
    const options = { ref: false, signal: timer.signal };
    try {
      return await Promise.race([
        live.adapted.then(() => true),
        sleep(MAX_ADAPTATION_WAIT_MS, false, options),
      ]);
    } finally {
      timer.abort();
      this.#awaited.add(live);
    }
  }

  async #moved(bot: string, alias: string): Promise<AliasSummary> {
    await this.#refresh(bot);
    return summariseAlias(this.#catalog(bot).aliases.get(alias)!);
  }

  async #write<T>(bot: string, write: () => Promise<T>): Promise<T> {
    this.options.present(bot);
    return this.options.write(bot, write);
  }

  async #refresh(bot: string): Promise<void> {
    await this.load(bot);
    this.#pool.trim(); // Aliases may point elsewhere now.
  }

  async #readCatalog(bot: string): Promise<Catalog> {
    const { store } = this.options;
    for (;;) {
      const versions = byName(await store.listVersions(bot));
      const aliases = byName(await store.listAliases(bot));
      // Another process may have written between the two.
      if ([...aliases.values()].every(({ version }) => versions.has(version))) return { versions, aliases };
    }
  }

  #takeOver(bot: string, catalog: Catalog): void {
    const former = this.#catalog(bot);
    this.#catalogs.set(bot, catalog);
    for (const { name, createdAt } of former.versions.values()) {
      // Gone, or saved anew under a name that another one had.
      if (catalog.versions.get(name)?.createdAt !== createdAt) this.#pool.drop(versionId(bot, name));
    }
    this.#pool.trim();
  }

  async #read(bot: string, version: string): Promise<BotContents> {
    const { store, encoder } = this.options;
    const contents = await store.readVersion(bot, version, encoder.fingerprint);
    if (contents === undefined) {
      throw new KshotError('unknown_version', `bot ${bot} has no version "${version}" any longer`);
    }
    return contents;
  }

  #catalog(bot: string): Catalog {
    return this.#catalogs.get(bot) ?? EMPTY;
  }

  #aliasesOf(bot: string, version: string): string[] {
    const aliases = [...this.#catalog(bot).aliases.values()];
    return aliases.filter((alias) => alias.version === version).map(({ name }) => name);
  }

  #summarise(bot: string, version: VersionRecord): VersionSummary {
    const { name, note, revision, createdAt, settings, intents, examples, counterexamples } = version;
    return {
      name,
      note,
      revision,
      created_at: createdAt,
      head: this.options.wantedHead(settings),
      intents,
      examples,
      counterexamples,
      aliases: this.#aliasesOf(bot, name),
    };
  }
}

/** A bot and a version of it in one word; no name of a bot has that sign. */
function versionId(bot: string, version: string): string {
  return `${bot}@${version}`;
}

function parseVersionId(id: string): [bot: string, version: string] {
  const at = id.indexOf('@');
  return [id.slice(0, at), id.slice(at + 1)];
}

function summariseAlias({ name, version, movedAt, history }: AliasRecord): AliasSummary {
  return {
    name,
    version,
    moved_at: movedAt,
    history: history.map((move) => ({ version: move.version, moved_at: move.movedAt })),
  };
}

function byName<R extends { readonly name: string }>(records: readonly R[]): ReadonlyMap<string, R> {
  return new Map(records.map((record) => [record.name, record]));
}
