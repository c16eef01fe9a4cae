import type pg from 'pg';
import type { BotState, FeedWatcher } from './changeFeed.js';
import type { PostgresConnection } from './postgresConnection.js';
import { asStoreFailure } from './postgresErrors.js';
import { lockKey } from './postgresMigrations.js';

/** How long, in ms, until a lost connection is tried again: twice as long each time. */
const RETRY_AFTER_MS = { least: 100, most: 5_000 };

/** A check that takes longer, in ms, tells of a connection that is gone without a word. */
const CHECK_TIMEOUT_MS = 5_000;

export interface FeedOptions {
  readonly channel: string;
  readonly checkEveryMs: number;
  readonly watcher: FeedWatcher;
  readonly fingerprint: string;
}

/**
 * Tells of writes by a connection of its own: at once by notifications, and by looking at all revisions now and then, and
 * whenever the connection is made anew, since notifications that nobody heard are gone. The looking also shows whether the
 * connection still works. As long as it lives, the server keeps a lock for it that says which encoder's embeddings are in use.
 */
export class PostgresFeed {
  readonly #db: PostgresConnection;
  readonly #options: FeedOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The look that is under way. */
  #look: Promise<void> = Promise.resolve();
  /** Since the connection last worked. */
  #failures = 0;
  #closed = false;

  private constructor(db: PostgresConnection, options: FeedOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** Begins; the watcher has been told how everything is when this resolves. @throws KshotError `store_unavailable`. */
  static async open(db: PostgresConnection, options: FeedOptions): Promise<PostgresFeed> {
    const feed = new PostgresFeed(db, options);
    try {
      await feed.#connect();
    } catch (error) {
      throw asStoreFailure(error, db.location);
    }
    feed.#lookIn(options.checkEveryMs);
    return feed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#look;
    await this.#drop();
  }

  #lookIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#look = this.#lookNow();
    }, milliseconds).unref();
  }

  async #lookNow(): Promise<void> {
    try {
      if (this.#client === undefined) await this.#connect();
      else await this.#check(this.#client);
      this.#failures = 0;
      this.#lookIn(this.#options.checkEveryMs);
    } catch (error) {
      this.#lose(error);
    }
  }

  async #connect(): Promise<void> {
    const { channel, fingerprint, watcher } = this.#options;
    const client = await this.#db.connectAlone();
    try {
      client.on('notification', ({ payload }) => tell(watcher, payload));
      await client.query(`LISTEN ${channel}`);
      await client.query(`SELECT pg_advisory_lock_shared(${encoderLockKey('$1')})`, [fingerprint]);
      await this.#check(client);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    client.once('end', () => {
      if (this.#client === client) this.#lose(new Error('Connection terminated'));
    });
  }

  async #check(client: pg.Client): Promise<void> {
    const query = { text: 'SELECT name, id, revision FROM kshot_bots', query_timeout: CHECK_TIMEOUT_MS };
    const { rows } = await client.query<BotState & { name: string }>(query);
    if (this.#closed) return;
    this.#options.watcher.checked(new Map(rows.map(({ name, id, revision }) => [name, { id, revision }])));
  }

  #lose(error: unknown): void {
    if (this.#closed) return;
    void this.#drop();
    if (this.#failures === 0) this.#options.watcher.lost(asStoreFailure(error, this.#db.location));
    this.#lookIn(Math.min(RETRY_AFTER_MS.most, RETRY_AFTER_MS.least * 2 ** this.#failures++));
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }
}

/** An empty notice says no more than that something was written; the next look finds it. */
function tell(watcher: FeedWatcher, notice: string | undefined): void {
  if (!notice) return;
  const { bot, id, revision } = JSON.parse(notice) as { bot: string } & Partial<BotState>;
  watcher.changed(bot, id === undefined || revision === undefined ? undefined : { id, revision });
}

/** The key of the lock that is held, shared, by those who use an encoder's embeddings. @param fingerprint an SQL expression. */
export function encoderLockKey(fingerprint: string): string {
  return lockKey(`('encoder ' || ${fingerprint})`);
}
