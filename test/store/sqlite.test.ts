import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { readLockOwner } from '../../src/store/lock.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { MIGRATIONS, migrate } from '../../src/store/sqliteMigrations.js';
import type { Backend } from './backend.js';
import { describeStoreContract } from './contract.js';
import { describeEvaluationsContract } from './evaluationsContract.js';
import { describeJobsContract } from './jobsContract.js';
import { describeKeysContract } from './keysContract.js';
import { temporaryDirectories } from './temporary.js';
import { embedded, intentInput, vectorOf, vectorsOf } from './texts.js';
import { describeVersionsContract } from './versionsContract.js';

const FP = 'encoder-a';
const temporaryDirectory = temporaryDirectories();

const inFile = (): Promise<Backend> => {
  const directory = temporaryDirectory();
  return Promise.resolve({
    open: () => openSqliteStore(join(directory, 'kshot.db')),
    destroy: () => Promise.resolve(rmSync(directory, { recursive: true })),
  });
};
const inMemory = (): Promise<Backend> =>
  Promise.resolve({ open: () => openSqliteStore(':memory:'), destroy: () => Promise.resolve() });

for (const describeContract of [
  describeStoreContract,
  describeEvaluationsContract,
  describeVersionsContract,
  describeKeysContract,
  describeJobsContract,
]) {
  describeContract('A SQLite file', inFile, { persistent: true });
  describeContract('SQLite in memory', inMemory, { persistent: false });
}

const unavailable = (message: RegExp) => ({
  name: 'KshotError',
  code: 'store_unavailable',
  message: expect.stringMatching(message),
});

describe('opening a SQLite store', () => {
  test('makes the directories above it', async () => {
    const file = join(temporaryDirectory(), 'not', 'yet', 'kshot.db');
    const store = await openSqliteStore(file);
    await store.putBot('bank', {});
    await store.close();
    expect(existsSync(file)).toBe(true);
  });

  test('writes ahead, with foreign keys and STRICT tables', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const store = await openSqliteStore(file);
    const db = new Database(file); // Other programs may look in.
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    const loose = db
      .prepare(
        `SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND NOT strict`,
      )
      .all();
    expect(loose).toEqual([]);
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    db.close();
    await store.close();
  });

  test('leaves one whole file behind when it is closed', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'kshot.db');
    const store = await openSqliteStore(file);
    await store.putIntents('bank', [intentInput('lost', ['one'], FP)], FP);
    await store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    const db = new Database(file, { readonly: true });
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(db.pragma('foreign_key_check')).toEqual([]);
    db.close();
  });

  test('begins with an empty file', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    writeFileSync(file, '');
    const store = await openSqliteStore(file);
    expect(await store.listBots()).toEqual([]);
    await store.close();
  });

  test('refuses a file that is no database, and leaves it alone', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    writeFileSync(file, 'These are notes, not a database. '.repeat(200));
    await expect(openSqliteStore(file)).rejects.toMatchObject(unavailable(/damaged.*backup.*SQLITE_NOTADB/));
    expect(readFileSync(file, 'utf8')).toMatch(/^These are notes/);
    expect(readLockOwner(file)).toBeUndefined();
  });

  test("refuses another program's database, and leaves it alone", async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const db = new Database(file);
    db.exec('CREATE TABLE invoices (id INTEGER)');
    db.close();
    const before = readFileSync(file);
    await expect(openSqliteStore(file)).rejects.toMatchObject(unavailable(/another program/));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("refuses a newer kshot's database, and leaves it alone", async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    await (await openSqliteStore(file)).close();
    const db = new Database(file);
    db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    const before = readFileSync(file);
    await expect(openSqliteStore(file)).rejects.toMatchObject(
      unavailable(new RegExp(`newer kshot \\(schema ${MIGRATIONS.length + 1}; .* ${MIGRATIONS.length}\\)`)),
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('reports what is damaged further in', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const store = await openSqliteStore(file);
    const examples = Array.from({ length: 400 }, (_, n) => `example ${n}`);
    await store.putIntents('bank', [intentInput('lost', examples, FP)], FP);
    await store.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.length / 2); // The header and the schema stay.
    writeFileSync(file, bytes);

    const damaged = await openSqliteStore(file);
    await expect(damaged.readBot('bank', FP)).rejects.toMatchObject(unavailable(/damaged.*SQLITE_CORRUPT/));
    await damaged.close();
  });

  test('reports embeddings of uneven length', async () => {
    const store = await openSqliteStore(':memory:');
    const { added } = await store.putIntents('bank', [intentInput('lost', ['one'], FP)], FP);
    await store.writeEmbeddings(FP, [added[1]?.id ?? -1], new Float32Array(2));
    await expect(store.readBot('bank', FP)).rejects.toMatchObject(unavailable(/another length/));
    await store.close();
  });

  test('reports a path that cannot be', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'kshot.db'));
    await expect(openSqliteStore(join(directory, 'kshot.db'))).rejects.toMatchObject(
      unavailable(/cannot be opened.*SQLITE_CANTOPEN/),
    );
    writeFileSync(join(directory, 'file'), '');
    await expect(openSqliteStore(join(directory, 'file', 'kshot.db'))).rejects.toMatchObject(
      unavailable(/cannot be opened.*(ENOTDIR|EEXIST)/),
    );
  });

  test('twice is refused, by whichever path, until the first is closed', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'kshot.db');
    const store = await openSqliteStore(file);
    symlinkSync(directory, join(directory, 'link'));
    for (const path of [file, join(directory, 'link', 'kshot.db')]) {
      await expect(openSqliteStore(path)).rejects.toMatchObject({
        code: 'store_in_use',
        message: expect.stringContaining(`process ${process.pid}`),
      });
    }
    await store.putBot('bank', {}); // The refused ones did no harm.
    await store.close();
    await (await openSqliteStore(file)).close();
  });
});

describe('a store of the first version', () => {
  test('is brought to the newest schema with all that is in it, and uses no id again', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const db = new Database(file);
    migrate(db, file, MIGRATIONS.slice(0, 1));
    db.exec(`
      INSERT INTO bots (name, settings, revision, created_at, updated_at) VALUES ('bank', '{}', 4, 'then', 'now');
      INSERT INTO intents (bot_id, name) VALUES (1, 'lost');
      INSERT INTO texts (bot_id, intent_id, kind, text)
        VALUES (1, 1, 'label', 'lost'), (1, 1, 'example', 'one'), (1, NULL, 'counterexample', 'sing'), (1, 1, 'example', 'two');
      INSERT INTO encoders (fingerprint) VALUES ('${FP}');
    `);
    const embed = db.prepare('INSERT INTO embeddings (text_id, encoder_id, vector) VALUES (?, 1, ?)');
    ['lost', 'one', 'sing'].forEach((text, i) => embed.run(i + 1, Buffer.from(vectorOf(text, FP).buffer)));
    db.exec('DELETE FROM texts WHERE id = 4');
    db.close();

    const store = await openSqliteStore(file);
    expect(await store.readBot('bank', FP)).toMatchObject({
      bot: { revision: 4 },
      texts: [
        { id: 1, kind: 'label', intent: 'lost', text: 'lost' },
        { id: 2, kind: 'example', intent: 'lost', text: 'one' },
        { id: 3, kind: 'counterexample', intent: null, text: 'sing' },
      ],
      embeddings: vectorsOf(['lost', 'one', 'sing'], FP),
    });
    const { added } = await store.addExamples('bank', 'lost', [embedded('three', FP)], FP);
    expect(added).toMatchObject([{ id: 5 }]);
    await store.saveVersion('bank', 'v1', null);
    expect(await store.listVersions('bank')).toMatchObject([{ examples: 2 }]);
    await store.deleteVersion('bank', 'v1');
    await store.deleteIntent('bank', 'lost'); // References still work:
    expect(await store.countMissingEmbeddings('another')).toBe(1);
    await store.close();
    const after = new Database(file, { readonly: true });
    expect(after.pragma('foreign_key_check')).toEqual([]);
    expect(after.prepare('SELECT count(*) FROM embeddings').pluck().get()).toBe(1);
    after.close();
  });

  test('that refers to what is not there is refused, and left alone', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const db = new Database(file);
    migrate(db, file, MIGRATIONS.slice(0, 1));
    db.pragma('foreign_keys = OFF');
    db.exec("INSERT INTO intents (bot_id, name) VALUES (7, 'lost')");
    db.close();
    await expect(openSqliteStore(file)).rejects.toMatchObject(unavailable(/does not have.*backup/));
    const after = new Database(file, { readonly: true });
    expect(after.pragma('user_version', { simple: true })).toBe(1);
    after.close();
  });
});

describe('migrations', () => {
  const steps = [
    'CREATE TABLE a (x INTEGER) STRICT',
    'ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO a VALUES (1, 2)',
  ];
  const columns = (db: Database.Database) =>
    db.prepare(`SELECT name FROM pragma_table_info('a')`).pluck().all();
  const version = (db: Database.Database) => db.pragma('user_version', { simple: true });

  test('take a database from any version to the newest', () => {
    const db = new Database(':memory:');
    migrate(db, 'test', steps.slice(0, 1));
    expect([version(db), columns(db)]).toEqual([1, ['x']]);
    migrate(db, 'test', steps);
    expect([version(db), columns(db)]).toEqual([2, ['x', 'y']]);
    migrate(db, 'test', steps);
    expect(db.prepare('SELECT * FROM a').all()).toEqual([{ x: 1, y: '2' }]);
    db.close();
  });

  test('are taken back, all of them, if one fails', () => {
    const db = new Database(':memory:');
    migrate(db, 'test', steps.slice(0, 1));
    expect(() => migrate(db, 'test', [...steps, 'CREATE TABLE b (z INTEGER); nonsense'])).toThrow(/nonsense/);
    expect([version(db), columns(db)]).toEqual([1, ['x']]);
    expect(db.prepare(`SELECT count(*) FROM sqlite_schema`).pluck().get()).toBe(1);
    db.close();
  });
});
