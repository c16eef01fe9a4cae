import { randomUUID } from 'node:crypto';
import { afterAll, describe } from '@jest/globals';
import pg from 'pg';
import { queueSchemaOf } from '../../src/store/postgres.js';

/** Names a PostgreSQL server, and a database in which schemas may be made. */
const SERVER = process.env['KSHOT_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

const problem = await whyUnreachable();

// Of files that are skipped whole, the test runner shows no names.
if (problem !== undefined) process.stderr.write(`Tests that need PostgreSQL are skipped: ${problem}\n`);

/** `describe` where there is a server, and skipped, saying so, where there is none. */
export function describeOnPostgres(name: string, tests: () => void): void {
  if (problem === undefined) describe(name, tests);
  else
    describe.skip(
      `${name} (skipped: no PostgreSQL at KSHOT_TEST_POSTGRES or 127.0.0.1:5432: ${problem})`,
      tests,
    );
}

/** Where a file's tests put their stores: schemas of their own, which are gone when the tests are over. */
export function postgresPlace() {
  const schemas: string[] = [];
  afterAll(async () => {
    if (schemas.length === 0) return;
    const all = [...schemas, ...schemas.map(queueSchemaOf)];
    await asAdmin(`DROP SCHEMA IF EXISTS ${all.join(', ')} CASCADE`);
  });
  return {
    /** The URL of a new and empty schema. @param server instead of the real one: `host:port` of a proxy. */
    async schema(): Promise<PostgresSchema> {
      const name = `kshot_test_${randomUUID().replaceAll('-', '')}`;
      await asAdmin(`CREATE SCHEMA ${name}`);
      schemas.push(name);
      return new PostgresSchema(name);
    },
  };
}

/** A schema in which a store is, or will be. */
export class PostgresSchema {
  readonly url: string;

  constructor(readonly name: string) {
    const url = new URL(SERVER);
    url.searchParams.set('options', `-c search_path=${name}`);
    this.url = url.href;
  }

  /** The same, reached by way of another port of this machine. */
  through(port: number): string {
    const url = new URL(this.url);
    url.hostname = '127.0.0.1';
    url.port = String(port);
    return url.href;
  }

  /** Runs a statement in it, past kshot. */
  async query<Row extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  async drop(): Promise<void> {
    await asAdmin(`DROP SCHEMA IF EXISTS ${this.name} CASCADE`);
  }
}

/** Where the server listens. */
export const SERVER_ADDRESS = {
  host: new URL(SERVER).hostname,
  port: Number(new URL(SERVER).port || 5432),
};

async function asAdmin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function whyUnreachable(): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 3000 });
  try {
    await client.connect();
    await client.end();
    return undefined;
  } catch (error) {
    return error instanceof Error && error.message ? error.message : String(error);
  }
}
