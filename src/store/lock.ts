import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { KshotError } from '../errors.js';
import { asStoreFailure, isBusy } from './sqliteErrors.js';

/*
 * One process owns a store, because what it serves from memory is in step with its own writes only.
 *
 * The lock is an exclusive transaction that stays open on the empty database `<file>.lock`: the operating system
 * drops it when the process dies, however it dies, so that a stale lock cannot be. The store's own file is left
 * unlocked, so that backups and the sqlite3 shell can read it while kshot runs. Who holds the lock is written in
 * `<file>.owner.json`; it means something only while the lock is held.
 *
 * Like SQLite itself it needs a file system with working locks, which some network file systems lack.
 */

/** Long enough to outlast a reader's probe or an owner that is about to leave, in ms. */
const ACQUIRE_WAIT_MS = 300;

/** How often, and how far apart in ms, a reader looks for an owner that has the lock but has not signed yet. */
const READ_ATTEMPTS = 20;
const READ_PAUSE_MS = 10;

export interface LockOwner {
  readonly pid: number;
  /** Where the owner serves; absent until it does. */
  readonly url?: string;
}

export interface Lock {
  /** Publishes where the owner serves. @throws KshotError `store_unavailable`. */
  describe(about: { readonly url: string }): void;
  /** Gives the lock back; doing so twice is harmless. */
  release(): void;
}

/**
 * Takes the lock of the store at `file`, whose directory must exist, for as long as the process lives or until
 * it is released.
 *
 * @throws KshotError `store_in_use`, naming the owner, if it is held (by this very process too);
 *   `store_unavailable` if the lock's files cannot be written.
 */
export function acquireLock(file: string): Lock {
  const { lockFile, ownerFile } = sideFiles(file);
  let held: Database.Database | undefined;
  try {
    held = new Database(lockFile, { timeout: ACQUIRE_WAIT_MS });
    held.exec('BEGIN EXCLUSIVE');
    writeOwner(ownerFile, { pid: process.pid });
  } catch (error) {
    held?.close();
    if (isBusy(error)) throw inUse(file, readOwner(ownerFile), error);
    throw asStoreFailure(error, lockFile);
  }
  return new HeldLock(held, ownerFile);
}

/**
 * Who holds the lock of the store at `file`; undefined if nobody does.
 *
 * @throws KshotError `store_in_use` if somebody does but does not say who; `store_unavailable` if the lock's
 *   files cannot be read.
 */
export function readLockOwner(file: string): LockOwner | undefined {
  const { lockFile, ownerFile } = sideFiles(file);
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    if (!isHeld(lockFile)) return undefined;
    const owner = readOwner(ownerFile);
    if (owner !== undefined) return owner;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READ_PAUSE_MS);
  }
  throw inUse(file, undefined, undefined);
}

class HeldLock implements Lock {
  readonly #held: Database.Database;
  readonly #ownerFile: string;

  constructor(held: Database.Database, ownerFile: string) {
    this.#held = held;
    this.#ownerFile = ownerFile;
  }

  describe(about: { readonly url: string }): void {
    try {
      writeOwner(this.#ownerFile, { pid: process.pid, url: about.url });
    } catch (error) {
      throw asStoreFailure(error, this.#ownerFile);
    }
  }

  release(): void {
    if (!this.#held.open) return;
    try {
      // Before the lock is dropped: afterwards the file may be the next owner's.
      rmSync(this.#ownerFile, { force: true });
    } finally {
      // The lock's own file stays: were it removed, two processes could lock two files of that name.
      this.#held.close();
    }
  }
}

/** The files beside a store, the same ones by whichever path or link the store is reached. */
function sideFiles(file: string): { lockFile: string; ownerFile: string } {
  const path = resolve(file);
  const directory = dirname(path);
  let real = path;
  if (existsSync(path)) real = realpathSync(path);
  else if (existsSync(directory)) real = join(realpathSync(directory), basename(path));
  return { lockFile: `${real}.lock`, ownerFile: `${real}.owner.json` };
}

/** Asks with a shared lock, which many may hold, so that two who ask do not take each other for the owner. */
function isHeld(lockFile: string): boolean {
  if (!existsSync(lockFile)) return false;
  let probe: Database.Database | undefined;
  try {
    probe = new Database(lockFile, { readonly: true, fileMustExist: true, timeout: 0 });
    probe.prepare('SELECT 1 FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw asStoreFailure(error, lockFile);
  } finally {
    probe?.close();
  }
}

/** Whole or not at all: a reader never sees half of it. */
function writeOwner(ownerFile: string, owner: LockOwner): void {
  const draft = `${ownerFile}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(owner)}\n`);
    renameSync(draft, ownerFile);
  } finally {
    rmSync(draft, { force: true }); // What a full disk left of it.
  }
}

function readOwner(ownerFile: string): LockOwner | undefined {
  let owner: unknown;
  try {
    owner = JSON.parse(readFileSync(ownerFile, 'utf8'));
  } catch {
    return undefined; // Not written yet, just removed, or somebody else's: the lock alone decides.
  }
  if (typeof owner !== 'object' || owner === null) return undefined;
  if (!('pid' in owner) || typeof owner.pid !== 'number') return undefined;
  if (!('url' in owner) || typeof owner.url !== 'string') return { pid: owner.pid };
  return { pid: owner.pid, url: owner.url };
}

function inUse(file: string, owner: LockOwner | undefined, cause: unknown): KshotError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  const where = owner?.url === undefined ? '' : `, which serves at ${owner.url}`;
  const remedy = owner?.url === undefined ? 'stop it' : 'send requests there, stop it';
  return new KshotError(
    'store_in_use',
    `Store ${file} is in use by ${who}${where}: ${remedy}, or name another file`,
    { cause },
  );
}
