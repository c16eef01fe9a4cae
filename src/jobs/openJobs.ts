import type { SharedJobs } from '../store/sharedJobs.js';
import type { Store } from '../store/store.js';
import { InProcessDelivery } from './inProcessDelivery.js';
import { Jobs, type JobsOptions } from './jobs.js';
import { JOB_KINDS } from './kinds.js';
import { PgBossDelivery } from './pgBossDelivery.js';

/**
 * The jobs of a store, of all kinds; nothing runs before they are begun.
 *
 * @param shared undefined where the store is this process's alone.
 * @throws KshotError `store_unavailable`.
 */
export async function openJobs(
  store: Store,
  shared: SharedJobs | undefined,
  { observer, warn }: Pick<JobsOptions, 'observer' | 'warn'>,
): Promise<Jobs> {
  const delivery =
    shared === undefined
      ? new InProcessDelivery()
      : await PgBossDelivery.open(shared, Object.keys(JOB_KINDS), warn);
  return new Jobs({ store, kinds: JOB_KINDS, delivery, isShared: shared !== undefined, observer, warn });
}
