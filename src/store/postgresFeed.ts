import type pg from 'pg';
import type { BotState, FeedWatcher } from './changeFeed.js';
import type { PostgresConnection, Session } from './postgresConnection.js';
import { asStoreFailure } from './postgresErrors.js';
import { lockKey } from './postgresMigrations.js';

/** How long, in ms, until a lost connection is tried again: twice as long each time. */
const RETRY_AFTER_MS = { least: 100, most: 5_000 };

/** A check that takes longer, in ms, tells of a connection that is gone without a word. */
const CHECK_TIMEOUT_MS = 5_000;

const STATES = 'SELECT name, id, revision, catalog FROM kshot_bots WHERE version_of IS NULL';

type StateRow = BotState & { readonly name: string };

export interface FeedOptions {
  readonly channel: string;
  readonly checkEveryMs: number;
  readonly watcher: FeedWatcher;
  readonly fingerprint: string;
  /** Told of a job that has come to wait, or was cancelled. */
  readonly jobChanged: (id: number) => void;
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
    await feed.#connect();
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
    const { channel, fingerprint } = this.#options;
    const client = await this.#db.connectAlone(async (alone) => {
      alone.on('notification', ({ payload }) => tell(this.#options, payload));
      await alone.query(`LISTEN ${channel}`);
      await alone.query(`SELECT pg_advisory_lock_shared(${encoderLockKey('$1')})`, [fingerprint]);
      await this.#check(alone);
    });
    this.#client = client;
    client.once('end', () => {
      if (this.#client === client) this.#lose(new Error('Connection terminated'));
    });
  }

  async #check(client: pg.Client): Promise<void> {
    const query = { text: STATES, query_timeout: CHECK_TIMEOUT_MS };
    const { rows } = await client.query<StateRow>(query);
    if (!this.#closed) this.#options.watcher.checked(statesOf(rows));
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

/** All bots as they are. */
export async function readStates(session: Session): Promise<ReadonlyMap<string, BotState>> {
  return statesOf(await session.rows<StateRow>(STATES));
}

function statesOf(rows: readonly StateRow[]): ReadonlyMap<string, BotState> {
  return new Map(rows.map(({ name, ...state }) => [name, state]));
}

/** PostgreSQL's limit is 8,000 bytes. */
const LONGEST_NOTICE = 7_000;

/** What others are told of a write to a bot, or of its end; empty where its name is too long for that. */
export function noticeOf(bot: string, state: BotState | undefined): string {
  const notice = JSON.stringify({ bot, ...state } satisfies Notice);
  return Buffer.byteLength(notice) > LONGEST_NOTICE ? '' : notice;
}

/** What others are told of a job that has come to wait, or was cancelled. */
export function jobNoticeOf(job: number): string {
  return JSON.stringify({ job } satisfies Notice);
}

type Notice = ({ readonly bot: string } & Partial<BotState>) | { readonly job: number };

/** An empty notice says no more than that something was written; the next look finds it. */
function tell({ watcher, jobChanged }: FeedOptions, payload: string | undefined): void {
  if (!payload) return;
  const notice = JSON.parse(payload) as Notice;
  if ('job' in notice) return jobChanged(notice.job);
  const { bot, ...state } = notice;
  watcher.changed(bot, state.id === undefined ? undefined : (state as BotState));
}

/** The key of the lock that is held, shared, by those who use an encoder's embeddings. @param fingerprint an SQL expression. */
export function encoderLockKey(fingerprint: string): string {
  return lockKey(`('encoder ' || ${fingerprint})`);
}
