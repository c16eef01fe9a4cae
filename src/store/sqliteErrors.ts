import { KshotError } from '../errors.js';

/** What to do about a failure, by the beginning of its code: SQLite's, or the file system's. */
const REMEDIES: readonly (readonly [codes: readonly string[], remedy: string])[] = [
  [['SQLITE_FULL', 'ENOSPC', 'EDQUOT'], 'the disk is full: free some space; nothing of this write was kept'],
  [
    ['SQLITE_CORRUPT', 'SQLITE_NOTADB'],
    'the file is damaged or is no SQLite database: restore it from a backup, or move it away to start afresh',
  ],
  [
    ['SQLITE_READONLY', 'SQLITE_PERM', 'EROFS', 'EACCES', 'EPERM'],
    'the file or its directory may not be written: grant this user write access to both, or name another file',
  ],
  [
    ['SQLITE_CANTOPEN', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST'],
    'the file cannot be opened: check that its path is right, is no directory, and may be read and written',
  ],
  [
    ['SQLITE_BUSY', 'SQLITE_LOCKED'],
    'another program keeps the file locked: end that program, then try again',
  ],
  [['SQLITE_IOERR', 'EIO'], 'the disk failed to read or write: check the disk and the system log'],
  [['SQLITE_NOMEM', 'ENOMEM'], 'memory ran out: give the process more, or run fewer things beside it'],
];

/**
 * What an error that came up while using `file` is to be thrown as: KshotError `store_unavailable`, with the
 * cause and what to do, for what can go wrong with files and disks; anything else as it is, because a failed
 * constraint or a misuse of the driver is a fault of ours and must not look like the operator's.
 */
export function asStoreFailure(error: unknown, file: string): unknown {
  const code = errorCode(error);
  const remedy = REMEDIES.find(([codes]) => codes.some((known) => matches(code, known)))?.[1];
  if (remedy === undefined) return error;
  return new KshotError('store_unavailable', `Store ${file}: ${remedy} (${describe(error, code)})`, {
    cause: error,
  });
}

/** Whether `error` says that another connection holds a lock that is needed. */
export function isBusy(error: unknown): boolean {
  return matches(errorCode(error), 'SQLITE_BUSY');
}

/**
 * The `code` of an error, '' where it has none. Read by shape: the native driver keeps one error class a process,
 * so `instanceof` fails where its module has been loaded twice.
 */
function errorCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** SQLite's extended codes go on from the plain one: SQLITE_IOERR_FSYNC. */
function matches(code: string, known: string): boolean {
  return code === known || code.startsWith(`${known}_`);
}

function describe(error: unknown, code: string): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  return message.includes(code) ? message : `${code}: ${message}`;
}
