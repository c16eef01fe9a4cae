import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Runs work on a schema of its own in that database. */
export async function inSchema<T>(postgres: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `kshot_bench_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client({ connectionString: postgres });
  await client.connect();
  try {
    await client.query(`CREATE SCHEMA ${name}`);
    const url = new URL(postgres);
    url.searchParams.set('options', `-c search_path=${name}`);
    return await work(url.href);
  } finally {
    await client.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
    await client.end();
  }
}
