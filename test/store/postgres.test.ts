import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openPostgresStore } from '../../src/store/postgres.js';
import { PostgresConnection, type Session } from '../../src/store/postgresConnection.js';
import { migrate, MIGRATIONS } from '../../src/store/postgresMigrations.js';
import { describeStoreContract } from './contract.js';
import { describeEvaluationsContract } from './evaluationsContract.js';
import { describeJobsContract } from './jobsContract.js';
import { describeKeysContract } from './keysContract.js';
import { describeOnPostgres, postgresPlace, type PostgresSchema } from './postgresServer.js';
import { embedded, intentInput } from './texts.js';
import { describeVersionsContract } from './versionsContract.js';

const FP = 'encoder-a';
const place = postgresPlace();

/** No check falls into a test that does not wait for it. */
const NEVER_MS = 3_600_000;

const open = (url: string) => openPostgresStore({ url, connections: 4, checkEveryMs: NEVER_MS });

describeOnPostgres('PostgreSQL', () => {
  // One for all, emptied after each test: its tables take longer to make than most tests take.
  let schema: Promise<PostgresSchema> | undefined;
  const createBackend = async () => {
    const shared = await (schema ??= place.schema());
    return {
      open: () => open(shared.url),
      destroy: async () => {
        await shared.query('DELETE FROM kshot_bots');
        await shared.query('DELETE FROM kshot_encoders');
        await shared.query('DELETE FROM kshot_api_keys');
        await shared.query('DELETE FROM kshot_jobs');
      },
    };
  };
  for (const describeContract of [
    describeStoreContract,
    describeVersionsContract,
    describeEvaluationsContract,
    describeKeysContract,
    describeJobsContract,
  ]) {
    describeContract('A PostgreSQL schema', createBackend, { persistent: true });
  }

  const unavailable = (message: RegExp) => ({
    name: 'KshotError',
    code: 'store_unavailable',
    message: expect.stringMatching(message),
  });
  const columns = (schema: PostgresSchema) =>
    schema.query<{ column_name: string }>(
      `SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'a'`,
      [schema.name],
    );
  const connect = (schema: PostgresSchema) => new PostgresConnection({ url: schema.url, connections: 2 });

  test('several that open at once make the tables once', async () => {
    const { url } = await place.schema();
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(url)));
    expect(stores.filter(({ isNew }) => isNew)).toHaveLength(1);
    for (const store of stores) await store.close();
    const again = await open(url);
    expect(again.isNew).toBe(false);
    await again.markNew();
    await again.close();
    const given = await open(url);
    expect(given.isNew).toBe(true);
    await given.putBot('bank', {});
    await given.markNew(); // It is not, with a bot in it.
    await given.close();
    const last = await open(url);
    expect(last.isNew).toBe(false);
    await last.close();
  });

  test("a newer kshot's tables are refused, and left alone", async () => {
    const schema = await place.schema();
    await (await open(schema.url)).close();
    await schema.query('UPDATE kshot_schema SET version = version + 1');
    await expect(open(schema.url)).rejects.toMatchObject(unavailable(/newer kshot.*another database/));
    expect(await schema.query('SELECT version FROM kshot_schema')).toEqual([
      { version: MIGRATIONS.length + 1 },
    ]);
  });

  test('migrations take a database from any version to the newest, all of them or none', async () => {
    const steps = [
      'CREATE TABLE a (x integer)',
      'ALTER TABLE a ADD COLUMN y text; INSERT INTO a VALUES (1, 2)',
    ];
    const schema = await place.schema();
    const db = connect(schema);
    try {
      expect(await migrate(db, steps.slice(0, 1))).toEqual({ isNew: true });
      await expect(migrate(db, [...steps, 'CREATE TABLE b (z integer); nonsense'])).rejects.toThrow(
        /nonsense/,
      );
      expect(await columns(schema)).toHaveLength(1);
      expect(await migrate(db, steps)).toEqual({ isNew: false });
      expect(await migrate(db, steps)).toEqual({ isNew: false });
      expect(await schema.query('SELECT * FROM a')).toEqual([{ x: 1, y: '2' }]);
    } finally {
      await db.close();
    }
  });

  test('texts may be longer than an index takes', async () => {
    const store = await open((await place.schema()).url);
    const long = Array.from({ length: 3000 }, (_, i) =>
      createHash('sha256').update(String(i)).digest('hex'),
    ).join('');
    const { added } = await store.putIntents('bank', [intentInput('lost', [long], FP)], FP);
    expect((await store.addExamples('bank', 'lost', [embedded(long, FP)], FP)).added).toEqual([]);
    expect((await store.readBot('bank', FP))?.texts).toEqual(added);
    await store.close();
  });

  test('a commit waits for the disk even where the server would not', async () => {
    const url = new URL((await place.schema()).url);
    url.searchParams.set('options', `${url.searchParams.get('options')} -c synchronous_commit=off`);
    const db = new PostgresConnection({ url: url.href, connections: 1 });
    const setting = (session: Session) => session.rows('SHOW synchronous_commit');
    expect(await db.write(setting)).toEqual([{ synchronous_commit: 'on' }]);
    await db.close();
  });

  test('transactions that get into a deadlock are tried again', async () => {
    const schema = await place.schema();
    await schema.query('CREATE TABLE a (x integer)');
    await schema.query('INSERT INTO a VALUES (1), (2)');
    const db = connect(schema);
    let met = 0;
    let meet: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (meet = resolve));
    const inOrder = (first: number, second: number) =>
      db.write(async (session) => {
        await session.run('UPDATE a SET x = x WHERE x = $1', [first]);
        if (++met === 2) meet();
        await both;
        await session.run('UPDATE a SET x = x WHERE x = $1', [second]);
      });
    await Promise.all([inOrder(1, 2), inOrder(2, 1)]);
    expect(met).toBeGreaterThan(2);
    await db.close();
  });
});
