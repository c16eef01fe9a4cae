import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { KshotError } from '../errors.js';
import type { ChangeFeed } from './changeFeed.js';
import { printableUrl } from './location.js';
import { acquireLock, type Lock } from './lock.js';
import { openPostgresStore, type PostgresOptions } from './postgres.js';
import type { SharedJobs } from './sharedJobs.js';
import { openSqliteStore } from './sqlite.js';
import type { Store } from './store.js';

export interface StoreOptions extends Omit<PostgresOptions, 'url' | 'claimsNew'> {
  /** Of a store in PostgreSQL; undefined for one in SQLite. */
  readonly url: string | undefined;
  /** The SQLite file, whose folder a process has for itself. */
  readonly file: string;
  /** Whether a process with a store in PostgreSQL leaves the folder to servers, and what is done with a new store. */
  readonly isWorker?: boolean;
}

/** Where the store is, as it may be printed. */
export function storeLocation({ url, file }: StoreOptions): string {
  return url === undefined ? file : printableUrl(url);
}

export interface OpenedStore {
  readonly store: Store;
  /** Undefined where the store is this process's alone. */
  readonly feed: (ChangeFeed & SharedJobs) | undefined;
  /** Whether it was made just now. */
  readonly isNew: boolean;
  /** Has whoever opens it next find it new, unless there is something in it. Undefined where the file can be removed. */
  readonly markNew: (() => Promise<void>) | undefined;
  /** Why the folder is not this process's; undefined where it is. */
  readonly folderProblem: string | undefined;
  /** Tells other processes that look into the folder where this one serves. */
  announce(url: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the store that the options name.
 *
 * A store in PostgreSQL needs no folder: where another process has it, the store is opened all the same.
 *
 * @throws KshotError what `openSqliteStore` and `openPostgresStore` throw.
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { url, file } = options;
  if (url === undefined) {
    const isNew = !existsSync(file);
    const store = await openSqliteStore(file);
    return {
      store,
      feed: undefined,
      isNew,
      markNew: undefined,
      folderProblem: undefined,
      announce: (at) => store.announce(at),
      close: () => store.close(),
    };
  }
  const folder = options.isWorker === true ? 'it is left to servers' : takeFolder(file);
  const lock = typeof folder === 'string' ? undefined : folder;
  try {
    const store = await openPostgresStore({ ...options, url, claimsNew: options.isWorker !== true });
    return {
      store,
      feed: store,
      isNew: store.isNew,
      markNew: () => store.markNew(),
      folderProblem: typeof folder === 'string' ? folder : undefined,
      announce: (at) => Promise.resolve(lock?.describe({ url: at })),
      close: async () => {
        await store.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** @returns why it cannot be had, where it cannot. */
function takeFolder(file: string): Lock | string {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return acquireLock(file);
  } catch (error) {
    if (error instanceof KshotError || (error instanceof Error && 'code' in error)) return error.message;
    throw error;
  }
}
