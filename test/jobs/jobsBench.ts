import { once } from 'node:events';
import { z } from 'zod';
import type { Delivery } from '../../src/jobs/delivery.js';
import { InProcessDelivery } from '../../src/jobs/inProcessDelivery.js';
import type { JobRun } from '../../src/jobs/jobRun.js';
import { Jobs, type JobsOptions } from '../../src/jobs/jobs.js';
import type { JobKinds } from '../../src/jobs/kinds.js';
import { PgBossDelivery } from '../../src/jobs/pgBossDelivery.js';
import { openPostgresStore } from '../../src/store/postgres.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';

/** Kinds that tests give a meaning: `work` and `other` share a lane. */
export const KINDS = {
  work: { lane: 'light', mostOpen: 100, input: z.strictObject({ number: z.int() }) },
  other: { lane: 'light', mostOpen: 2, input: z.strictObject({}) },
  training: { lane: 'training', mostOpen: 2, input: z.strictObject({}) },
} as const satisfies JobKinds;

/** Shorter than a server's, so that a test need not wait for what is only looked at now and then. */
const TIMES = { heartbeatMs: 25, staleMs: 1500, lookMs: 50 };

export interface JobsBench {
  readonly jobs: Jobs;
  readonly store: Store;
  /** Gives back what runs, and closes the store. */
  close(): Promise<void>;
}

type Changes = Partial<Pick<JobsOptions, 'warn' | 'times' | 'observer'>>;

/** A process's jobs on a SQLite file, or on a PostgreSQL database that others may share. @param location a file or a URL. */
export async function openBench(location: string, changes: Changes = {}): Promise<JobsBench> {
  const warn = (message: string, error: unknown) => {
    throw new Error(message, { cause: error });
  };
  const options = { kinds: KINDS, times: TIMES, warn, ...changes };
  const finish = (store: Store, delivery: Delivery, isShared: boolean): JobsBench => {
    const jobs = new Jobs({ ...options, store, delivery, isShared });
    const close = async () => {
      await jobs.close();
      await store.close();
    };
    return { jobs, store, close };
  };
  if (!location.startsWith('postgres:')) {
    return finish(await openSqliteStore(location), new InProcessDelivery(), false);
  }
  const store = await openPostgresStore({ url: location, connections: 4, checkEveryMs: 1000 });
  const delivery = await PgBossDelivery.open(store, Object.keys(KINDS), options.warn);
  const bench = finish(store, delivery, true);
  const quiet = { changed: () => undefined, checked: () => undefined, lost: () => undefined };
  await store.watch(quiet, 'none');
  return bench;
}

/** Runs until it is aborted. @param began told with the run. */
export function endless(began: (run: JobRun) => void) {
  return async (_input: never, run: JobRun): Promise<never> => {
    began(run);
    run.progress(1, 3);
    if (!run.signal.aborted) await once(run.signal, 'abort');
    throw run.signal.reason;
  };
}
