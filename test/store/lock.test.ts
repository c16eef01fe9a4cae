import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { acquireLock, readLockOwner } from '../../src/store/lock.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { spawnScript } from './child.js';
import { temporaryDirectories } from './temporary.js';

const temporaryDirectory = temporaryDirectories();
const URL = 'http://127.0.0.1:8080';

describe('the lock of a store', () => {
  test('names its owner, and where it serves once it does, until it is released', () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    expect(readLockOwner(file)).toBeUndefined();
    const lock = acquireLock(file);
    expect(readLockOwner(file)).toEqual({ pid: process.pid });
    lock.describe({ url: URL });
    expect(readLockOwner(file)).toEqual({ pid: process.pid, url: URL });
    lock.release();
    expect(readLockOwner(file)).toBeUndefined();
    lock.release();
  });

  test('is refused while it is held', () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const lock = acquireLock(file);
    const refusal = (message: string) => expect.objectContaining({ code: 'store_in_use', message });
    expect(() => acquireLock(file)).toThrow(
      refusal(`Store ${file} is in use by process ${process.pid}: stop it, or name another file`),
    );
    lock.describe({ url: URL });
    expect(() => acquireLock(file)).toThrow(
      refusal(
        `Store ${file} is in use by process ${process.pid}, which serves at ${URL}: ` +
          'send requests there, stop it, or name another file',
      ),
    );
    lock.release();
    acquireLock(file).release();
  });

  test('of another file is another lock', () => {
    const directory = temporaryDirectory();
    const locks = ['a.db', 'b.db'].map((name) => acquireLock(join(directory, name)));
    for (const lock of locks) lock.release();
  });

  test('is not held because files lie about', () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    writeFileSync(`${file}.lock`, '');
    writeFileSync(`${file}.owner.json`, JSON.stringify({ pid: 1, url: URL }));
    expect(readLockOwner(file)).toBeUndefined();
    const lock = acquireLock(file);
    expect(readLockOwner(file)).toEqual({ pid: process.pid });
    lock.release();
    expect(existsSync(`${file}.owner.json`)).toBe(false);
  });

  test('of an owner that cannot be read is held all the same', () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const lock = acquireLock(file);
    for (const content of ['{"pid":', '[]', 'null', '{"pid":"1"}']) {
      writeFileSync(`${file}.owner.json`, content);
      expect(() => readLockOwner(file)).toThrow(/in use by another process/);
    }
    rmSync(`${file}.owner.json`);
    expect(() => acquireLock(file)).toThrow(/in use by another process/);
    lock.release();
  });

  test('in a directory that does not exist is held by nobody, and cannot be taken', () => {
    const file = join(temporaryDirectory(), 'none', 'kshot.db');
    expect(readLockOwner(file)).toBeUndefined();
    expect(() => acquireLock(file)).toThrow();
  });

  test('keeps a second process out, and is free the moment its owner is killed', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    const owner = spawnScript('lockHolder', [file, URL]);
    try {
      expect((await owner.lines.next()).value).toBe('opened');
      expect((await owner.lines.next()).value).toBe('announced');
      expect(readLockOwner(file)).toEqual({ pid: owner.pid, url: URL });
      await expect(openSqliteStore(file)).rejects.toMatchObject({
        name: 'KshotError',
        code: 'store_in_use',
        message: expect.stringMatching(new RegExp(`process ${owner.pid}, which serves at ${URL}`)),
      });
    } finally {
      await owner.kill();
    }
    expect(readLockOwner(file)).toBeUndefined();
    const store = await openSqliteStore(file);
    expect(readLockOwner(file)).toEqual({ pid: process.pid });
    await store.announce(URL);
    expect(readLockOwner(file)).toEqual({ pid: process.pid, url: URL });
    await store.close();
    expect(readLockOwner(file)).toBeUndefined();
  });
});
