import { setTimeout as sleep } from 'node:timers/promises';
import { KshotError } from '../errors.js';
import type { JobEnd, JobProgress, JobRecord, JobStore } from '../store/jobStore.js';
import type { JobRunner } from './jobRun.js';

export interface HeldJobOptions {
  readonly store: JobStore;
  /** As it was taken, under `lease`. */
  readonly record: JobRecord;
  readonly lease: string;
  readonly runner: JobRunner<JobRecord['input']>;
  /** How often the lease is renewed. */
  readonly heartbeatMs: number;
  readonly warn: (message: string, error: unknown) => void;
}

/** How a job has ended here. `lost`: it was cancelled, or another process has it. */
export type Outcome = 'done' | 'failed' | 'given back' | 'lost';

/** A job that this process has taken. */
export class HeldJob {
  readonly #abort = new AbortController();
  readonly #options: HeldJobOptions;
  #progress: JobProgress = { done: 0, total: null };
  #isStopping = false;
  #renewal: Promise<void> | undefined;
  #isUnreachable = false;

  constructor(options: HeldJobOptions) {
    this.#options = options;
  }

  /** Throws nothing: how it ends is written into the record. */
  async carryOut(): Promise<Outcome> {
    const { store, record, lease, heartbeatMs } = this.#options;
    const beat = setInterval(() => void this.renew(), heartbeatMs);
    try {
      const end = await this.#work();
      if (end !== undefined) {
        return (await this.#write(() => store.endJob(record.id, lease, end))) ? end.status : 'lost';
      }
      if (!this.#isStopping) return 'lost';
      return (await this.#write(() => store.giveJobBack(record.id, lease))) ? 'given back' : 'lost';
    } finally {
      clearInterval(beat);
      await this.#renewal;
    }
  }

  /** Says that the job is alive, and how far; where its lease is lost it ends. Throws nothing. */
  renew(): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  /** Stops it, to be run by another process or at the next start. */
  giveBack(): void {
    this.#isStopping = true;
    this.#abort.abort(new KshotError('not_ready', 'the process is shutting down'));
  }

  async #work(): Promise<JobEnd | undefined> {
    const { record, runner, warn } = this.#options;
    const { signal } = this.#abort;
    const progress = (done: number, total: number) => (this.#progress = { done, total });
    try {
      const result = await runner(record.input, { id: String(record.id), signal, progress });
      return { status: 'done', ...this.#progress, result };
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof KshotError)) warn(`job ${record.id}, ${record.kind}, has failed`, error);
      return { status: 'failed', ...this.#progress, error: describeFailure(error) };
    }
  }

  async #renew(): Promise<void> {
    const { store, record, lease } = this.#options;
    try {
      const isHeld = await store.renewJob(record.id, lease, this.#progress);
      this.#isUnreachable = false;
      if (!isHeld) this.#abort.abort(await this.#whyLost());
    } catch (error) {
      this.#unreachable(error);
    }
  }

  /** `cancelled` is final: what a runner keeps for the next attempt may go. */
  async #whyLost(): Promise<KshotError> {
    const { store, record } = this.#options;
    const isTaken = await store.readJob(record.id).then(
      ({ status }) => status !== 'cancelled',
      (error: unknown) => {
        if (error instanceof KshotError && error.code === 'unknown_job') return false;
        throw error;
      },
    );
    return isTaken
      ? new KshotError('not_ready', 'another process has taken the job over')
      : new KshotError('cancelled', 'the job was cancelled');
  }

  /** Tries until it is written: what was worked out shall not be lost because the store is away for a while. */
  async #write(write: () => Promise<boolean>): Promise<boolean> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        this.#unreachable(error);
        if (this.#abort.signal.aborted) return false;
        await sleep(this.#options.heartbeatMs);
      }
    }
  }

  /** Says so once. */
  #unreachable(error: unknown): void {
    const { record, warn } = this.#options;
    if (!this.#isUnreachable) warn(`job ${record.id}, ${record.kind}: the store cannot be told of it`, error);
    this.#isUnreachable = true;
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof KshotError) return error.message;
  return `it failed for a reason that the server's log has: ${error instanceof Error ? error.message : String(error)}`;
}
