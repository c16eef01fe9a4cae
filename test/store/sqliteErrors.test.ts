import { describe, expect, test } from '@jest/globals';
import { asStoreFailure, isBusy } from '../../src/store/sqliteErrors.js';

const failure = (code: string, message = 'words of the driver') =>
  Object.assign(new Error(message), { code });

describe('errors of SQLite and the file system', () => {
  test.each([
    ['SQLITE_FULL', /disk is full.*free some space/],
    ['ENOSPC', /disk is full/],
    ['SQLITE_CORRUPT', /damaged.*backup/],
    ['SQLITE_CORRUPT_INDEX', /damaged/],
    ['SQLITE_NOTADB', /damaged/],
    ['SQLITE_READONLY', /write access/],
    ['SQLITE_READONLY_DIRECTORY', /write access/],
    ['EROFS', /write access/],
    ['EACCES', /write access/],
    ['SQLITE_CANTOPEN_ISDIR', /cannot be opened/],
    ['SQLITE_BUSY_SNAPSHOT', /another program/],
    ['SQLITE_IOERR_FSYNC', /the disk failed/],
    ['SQLITE_NOMEM', /memory ran out/],
  ])('%s says what to do', (code, remedy) => {
    const cause = failure(code);
    expect(asStoreFailure(cause, '/data/kshot.db')).toMatchObject({
      name: 'KshotError',
      code: 'store_unavailable',
      message: expect.stringMatching(remedy),
      cause,
    });
    const { message } = asStoreFailure(cause, '/data/kshot.db') as Error;
    expect(message).toContain('/data/kshot.db');
    expect(message).toContain(`${code}: words of the driver`);
  });

  test('what is no fault of the disk stays as it is', () => {
    for (const error of [
      failure('SQLITE_CONSTRAINT_UNIQUE'),
      failure('SQLITE_FULLER'),
      new TypeError('a fault of ours'),
      undefined,
      'thrown text',
    ]) {
      expect(asStoreFailure(error, '/data/kshot.db')).toBe(error);
    }
  });

  test('busy is told from the rest', () => {
    expect(isBusy(failure('SQLITE_BUSY'))).toBe(true);
    expect(isBusy(failure('SQLITE_BUSY_RECOVERY'))).toBe(true);
    expect(isBusy(failure('SQLITE_FULL'))).toBe(false);
    expect(isBusy(null)).toBe(false);
  });
});
