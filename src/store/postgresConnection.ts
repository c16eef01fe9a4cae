import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { KshotError } from '../errors.js';
import { printableUrl } from './location.js';
import { asStoreFailure, isConflict } from './postgresErrors.js';

/** How long, in ms: until a server that does not answer is given up, and until one statement is. */
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** A write waits for another one to the same bot; the largest import takes some seconds. */
const LOCK_TIMEOUT_MS = 20_000;
/**
 * After this the server takes a transaction back whose client says nothing, and with it its locks: sooner than others give up
 * waiting for these.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;
const PING_TIMEOUT_MS = 2_000;
/** After this the operating system asks whether a silent connection is still there. */
const KEEP_ALIVE_MS = 10_000;

/** The type of bigint[]. */
const INT8_ARRAY = 1016;

/** How often a transaction is tried that others get in the way of, and how long they are left alone, in ms. */
const ATTEMPTS = 5;
const RETRY_AFTER_MS = 50;

/** A write is on disk when it is acknowledged, even where the server's default is another. */
const BEGIN_WRITE = `
  BEGIN;
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`;
const BEGIN_READ = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** What statements can be run on. Parameters are `$1`, `$2` … */
export interface Session {
  rows<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Runs a statement that returns nothing; several of them where there are no parameters. @returns the number of rows that were changed. */
  run(sql: string, parameters?: readonly unknown[]): Promise<number>;
}

export interface ConnectionOptions {
  /** `postgres://…` */
  readonly url: string;
  /** Connections at the most that requests share. */
  readonly connections: number;
}

/** Connections to one database. Whatever fails is thrown as `asStoreFailure` says. */
export class PostgresConnection implements Session {
  /** The database, as it may be printed. */
  readonly location: string;
  readonly #options: ConnectionOptions;
  readonly #pool: pg.Pool;
  #closed: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.location = printableUrl(options.url);
    this.#pool = new pg.Pool({
      ...this.#clientOptions(),
      max: options.connections,
      lock_timeout: LOCK_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      // The server ends a statement first, unless it is out of reach.
      query_timeout: STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
    });
    // An idle connection that breaks leaves the pool; whoever needs one next learns whether another can be had.
    this.#pool.on('error', () => undefined);
  }

  rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.#guard(async () => (await this.#pool.query(sql, [...parameters])).rows as Row[]);
  }

  run(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    return this.#guard(async () => (await this.#pool.query(sql, [...parameters])).rowCount ?? 0);
  }

  /** As `SharedJobs.execute`. */
  execute(sql: string, parameters: readonly unknown[] = []): Promise<{ rows: unknown[] }> {
    return this.#guard(() =>
      this.#useClient(async (client) => {
        const result: pg.QueryResult | pg.QueryResult[] = await client.query(sql, [...parameters]);
        return { rows: Array.isArray(result) ? [] : result.rows };
      }),
    );
  }

  /** Runs `work` in a transaction, which is on disk when the promise resolves and undone when it rejects. */
  write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#transaction(BEGIN_WRITE, work);
        } catch (error) {
          if (!isConflict(error) || attempt === ATTEMPTS) throw error;
          await sleep(RETRY_AFTER_MS * attempt); // The other one goes first.
        }
      }
    });
  }

  /** Runs `work` on one state of the database, whatever is written meanwhile. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#guard(() => this.#transaction(BEGIN_READ, work));
  }

  /** @throws KshotError `store_unavailable` unless the server answers, and takes writes. */
  async ping(): Promise<void> {
    const query = { text: 'SELECT pg_is_in_recovery() AS standby', query_timeout: PING_TIMEOUT_MS };
    const { rows } = await this.#guard(() => this.#pool.query<{ standby: boolean }>(query));
    if (rows[0]?.standby === true) {
      throw new KshotError(
        'store_unavailable',
        `Store ${this.location}: the server is a standby, which takes no writes: name the primary`,
      );
    }
  }

  /**
   * A connection that is not shared, and whose statements take as long as they take.
   *
   * @param prepare what is to be done on it first; it is closed where that fails.
   */
  connectAlone(prepare: (client: pg.Client) => Promise<void>): Promise<pg.Client> {
    return this.#guard(async () => {
      const client = new pg.Client(this.#clientOptions());
      client.on('error', () => undefined); // `end` follows, and pending statements fail
      try {
        await client.connect();
        await prepare(client);
        return client;
      } catch (error) {
        await client.end().catch(() => undefined);
        throw error;
      }
    });
  }

  /** Twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    return this.#closed;
  }

  #clientOptions(): pg.ClientConfig {
    return {
      connectionString: this.#options.url,
      application_name: 'kshot',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    };
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw new KshotError('store_unavailable', `Store ${this.location} has been closed`);
    }
    try {
      return await work();
    } catch (error) {
      throw asStoreFailure(error, this.location);
    }
  }

  #transaction<T>(begin: string, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#useClient(async (client) => {
      await client.query(begin);
      const done = await work(sessionOf(client));
      await client.query('COMMIT');
      return done;
    });
  }

  /** One of the connections, on which no transaction is left open. */
  async #useClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken = false;
    // A connection that breaks while it is used fails the statement that is under way as well.
    const onError = () => (broken = true);
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      // Where not even this can be done, the server does it when it sees the connection gone.
      await client.query('ROLLBACK').catch(() => (broken = true));
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

export function sessionOf(client: pg.ClientBase): Session {
  return {
    rows: async <Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await client.query(sql, [...parameters])).rows as Row[],
    run: async (sql, parameters) =>
      // Without parameters there may be several statements, of which each has a result.
      (await client.query(sql, parameters && [...parameters])).rowCount ?? 0,
  };
}

/** Ids and counts are numbers: none grows beyond 2^53. */
function parserOf(type: number, format?: 'text' | 'binary'): unknown {
  if (type === Number(pg.types.builtins.INT8)) return Number;
  const parse = pg.types.getTypeParser(type, format) as (value: string) => unknown;
  return type === INT8_ARRAY ? (value: string) => (parse(value) as string[]).map(Number) : parse;
}
