import PgBoss from 'pg-boss';
import type { SharedJobs } from '../store/sharedJobs.js';
import type { Delivery } from './delivery.js';

/** How long pg-boss keeps what has been delivered. */
const ARCHIVE_AFTER_S = 3600;
const DELETE_AFTER_DAYS = 1;

/**
 * Among processes that share a PostgreSQL database: by pg-boss, on the connections of the store, in a schema of its own. A message
 * names a job, and is done with when it has been fetched; what becomes of the job, however long it takes, its record says.
 *
 * Messages are fetched by us and not by pg-boss's own workers: those of version 10 leave the promise of `complete` alone, so that a
 * database which is away would end the process.
 */
export class PgBossDelivery implements Delivery {
  private constructor(
    private readonly boss: PgBoss,
    private readonly store: SharedJobs,
  ) {}

  /**
   * Makes the queues where there are none.
   *
   * @param kinds of jobs.
   * @throws KshotError `store_unavailable`.
   */
  static async open(
    store: SharedJobs,
    kinds: readonly string[],
    warn: (message: string, error: unknown) => void,
  ): Promise<PgBossDelivery> {
    const boss = new PgBoss({
      db: { executeSql: (sql, values) => store.execute(sql, values) },
      schema: store.queueSchema,
      schedule: false,
      archiveCompletedAfterSeconds: ARCHIVE_AFTER_S,
      deleteAfterDays: DELETE_AFTER_DAYS,
    });
    boss.on('error', (error) => warn('the queue of jobs could not be looked after', error));
    await store.makeQueue(async () => {
      await boss.start();
      // short: of messages that were not fetched, one a key.
      for (const kind of kinds) await boss.createQueue(kind, { name: kind, policy: 'short', retryLimit: 0 });
    });
    return new PgBossDelivery(boss, store);
  }

  async send(kind: string, id: number): Promise<void> {
    const sent = await this.boss.send(kind, { job: id }, { singletonKey: String(id) });
    if (sent !== null) await this.store.announceJob(id);
  }

  async next(kind: string): Promise<number | undefined> {
    const [message] = await this.boss.fetch<{ job: number }>(kind);
    if (message === undefined) return undefined;
    await this.boss.complete(kind, message.id);
    return message.data.job;
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false });
  }
}
