import { timingSafeEqual } from 'node:crypto';
import { KshotError } from '../errors.js';
import type { KeyRecord, Store } from '../store/store.js';
import { Caller, EVERYONE } from './caller.js';
import type { KeyRequest, KeySummary, NewKey } from './keyTypes.js';
import { digestOf, hintOf, newSecret } from './secret.js';

/** Keys that the settings name: they are for all bots, without a limit, and cannot be revoked while the server runs. */
export interface SettingsKeys {
  readonly readWrite: readonly string[];
  readonly readOnly: readonly string[];
}

export type KeyStore = Pick<Store, 'listKeys' | 'addKey' | 'revokeKey' | 'noteKeyUses'>;

export interface KeyringOptions {
  readonly settings: SettingsKeys;
  /** Goes with this process, and so does what it may: whoever started it has it, to do anything with. */
  readonly ownKey?: string | undefined;
  /** Asked when keys are managed, never when one is used. */
  readonly store: KeyStore;
  readonly warn: (message: string, error: unknown) => void;
  /** Unix time in ms, which does not go back. For tests. */
  readonly now?: () => number;
}

/** How long it takes at the most until the store knows when a key was last used, in ms. */
const WRITE_USES_MS = 60_000;

/** A key in force, as it is compared. */
interface HeldKey {
  readonly digest: Buffer;
  readonly caller: Caller;
  /** Undefined for one of the settings. */
  readonly id?: number;
}

/**
 * The keys in force, in memory: by them requests are told apart. `reloadKeys` brings them in step with the store: at the start,
 * and now and then where other processes share the store.
 */
export class Keyring {
  readonly #options: KeyringOptions;
  readonly #now: () => number;
  /** And the process's own. */
  readonly #ofSettings: readonly HeldKey[];
  readonly #own: HeldKey | undefined;
  /** By digest: how long it takes to find one tells of digests at most, and nothing of a secret. */
  #held: ReadonlyMap<string, HeldKey>;
  /** When keys were last used, in ms, by id. */
  readonly #usedAt = new Map<number, number>();
  readonly #unwritten = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #following: NodeJS.Timeout | undefined;
  /** What is done to keys is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeyringOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now());
    const { readWrite, readOnly } = options.settings;
    const held = (mayWrite: boolean) => (secret: string, i: number) => {
      const id = `settings-${mayWrite ? 'write' : 'read'}-${i + 1}`;
      const caller = new Caller({ id, mayWrite, bots: null, rate: null }, this.#now());
      return { digest: digestOf(secret), caller };
    };
    this.#own = options.ownKey === undefined ? undefined : held(true)(options.ownKey, readWrite.length);
    const ofSettings = [...readWrite.map(held(true)), ...readOnly.map(held(false))];
    this.#ofSettings = this.#own === undefined ? ofSettings : [...ofSettings, this.#own];
    this.#held = byDigest(this.#ofSettings);
  }

  /** Whether a key is asked for. Without any, all is allowed. */
  get enabled(): boolean {
    return this.#held.size > 0;
  }

  /** Whether there is a key that may manage keys, besides the process's own. */
  get isManaged(): boolean {
    return [...this.#held.values()].some((held) => held !== this.#own && mayManage(held.caller));
  }

  /** Whose secret this is, noted as used; undefined for nobody's. */
  find(secret: string): Caller | undefined {
    const digest = digestOf(secret);
    const held = this.#held.get(digest.toString('hex'));
    if (held === undefined || !timingSafeEqual(held.digest, digest)) return undefined;
    if (held.id !== undefined) this.#noteUse(held.id);
    return held.caller;
  }

  /** Takes one request from a caller's rate. @returns 0, or in how many ms there is one again. */
  take(caller: Caller): number {
    return caller.take(this.#now());
  }

  /** Reads anew which keys are in force. Those that stay keep what is left of their rate. */
  reloadKeys(): Promise<void> {
    return this.#inTurn(() => this.#reload());
  }

  /** From now on reads anew every so often which are in force: other processes write to the store, too. */
  follow(everyMs: number): void {
    let isBehind = false;
    this.#following = setInterval(() => {
      this.reloadKeys().then(
        () => (isBehind = false),
        (error: unknown) => {
          // Once is enough: the store's own warning comes with it.
          if (!isBehind)
            this.#options.warn('API keys could not be read anew; those known stay in force', error);
          isBehind = true;
        },
      );
    }, everyMs).unref();
  }

  /** Those of the store, revoked ones too, in the order in which they were made. */
  async list(): Promise<KeySummary[]> {
    return (await this.#options.store.listKeys()).map((record) => this.#summary(record));
  }

  /**
   * Makes a key. The first closes a server that was open, and is made by anybody. Where none can make others, this one must.
   *
   * @param by who asks for it.
   * @throws KshotError `unauthorized` where keys have come into force, or the caller's has gone, since it was let in;
   *   `no_managing_key`, `too_many_keys`.
   */
  create(request: KeyRequest, by: Caller): Promise<NewKey> {
    return this.#inTurn(async () => {
      this.#checkInForce(by);
      const { name, access, bots = null, rate = null } = request;
      const isFirst = by === EVERYONE;
      if (!this.isManaged && !(access === 'write' && bots === null)) {
        throw new KshotError(
          'no_managing_key',
          'There is no key that could make others, so this one must: give it "access": "write" and no "bots". ' +
            'The first key closes the server to whoever has none',
        );
      }
      const secret = newSecret();
      const hash = digestOf(secret);
      const key = { name, hash, hint: hintOf(secret), access, bots, rate };
      const record = await this.#options.store.addKey(key, isFirst);
      if (record === undefined) {
        await this.#reload();
        throw closedMeanwhile();
      }
      this.#held = byDigest([...this.#held.values(), this.#holdOf(record)]);
      const notice = isFirst
        ? 'The server was open to everybody. From now on every request needs a key; keep this one, it makes the others.'
        : null;
      return { ...this.#summary(record), secret, notice };
    });
  }

  /**
   * Puts a key out of force, at once; one that is already stays as it is.
   *
   * @param by who asks for it.
   * @throws KshotError `unknown_key`, `no_managing_key` for the last that may manage keys, `unauthorized` as `create`.
   */
  revoke(id: number, by: Caller): Promise<KeySummary> {
    return this.#inTurn(async () => {
      this.#checkInForce(by);
      const mayBeLast = this.#ofSettings.some(({ caller }) => mayManage(caller));
      const record = await this.#options.store.revokeKey(id, mayBeLast);
      this.#held = byDigest([...this.#held.values()].filter((held) => held.id !== id));
      return this.#summary(record);
    });
  }

  /** Writes down when keys were last used. The store is to be closed later. */
  async close(): Promise<void> {
    clearInterval(this.#following);
    await this.#turn;
    clearTimeout(this.#timer);
    await this.#writeUses();
  }

  async #reload(): Promise<void> {
    const records = await this.#options.store.listKeys();
    const present = new Map([...this.#held.values()].map((held) => [held.id, held]));
    const stored = records
      .filter(({ revokedAt }) => revokedAt === null)
      .map((record) => present.get(record.id) ?? this.#holdOf(record));
    this.#held = byDigest([...stored, ...this.#ofSettings]);
  }

  #holdOf({ id, hash, access, bots, rate }: KeyRecord): HeldKey {
    const caller = new Caller({ id: String(id), mayWrite: access === 'write', bots, rate }, this.#now());
    return { id, digest: Buffer.from(hash), caller };
  }

  /** Between being let in and having the turn, keys come and go. */
  #checkInForce(by: Caller): void {
    const isInForce =
      by === EVERYONE ? !this.enabled : [...this.#held.values()].some(({ caller }) => caller === by);
    if (!isInForce) throw closedMeanwhile();
  }

  #noteUse(id: number): void {
    this.#usedAt.set(id, this.#now());
    this.#unwritten.add(id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#writeUses();
    }, WRITE_USES_MS).unref();
  }

  async #writeUses(): Promise<void> {
    const ids = [...this.#unwritten];
    if (ids.length === 0) return;
    this.#unwritten.clear();
    try {
      await this.#options.store.noteKeyUses(new Map(ids.map((id) => [id, timeOf(this.#usedAt.get(id)!)])));
    } catch (error) {
      // With the next use it is tried again.
      for (const id of ids) this.#unwritten.add(id);
      this.#options.warn('when API keys were last used could not be written down', error);
    }
  }

  #summary({ id, name, hint, access, bots, rate, createdAt, lastUsedAt, revokedAt }: KeyRecord): KeySummary {
    const usedAt = this.#usedAt.get(id);
    const used = usedAt === undefined ? null : timeOf(usedAt);
    return {
      id,
      name,
      hint,
      access,
      bots,
      rate,
      created_at: createdAt,
      last_used_at: (used ?? '') > (lastUsedAt ?? '') ? used : lastUsedAt,
      revoked_at: revokedAt,
    };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function mayManage(caller: Caller): boolean {
  return caller.mayWrite && caller.seesAll;
}

function byDigest(keys: readonly HeldKey[]): ReadonlyMap<string, HeldKey> {
  return new Map(keys.map((held) => [held.digest.toString('hex'), held]));
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function closedMeanwhile(): KshotError {
  return new KshotError(
    'unauthorized',
    'API keys have changed while this request was on its way; send a key that is in force',
  );
}
