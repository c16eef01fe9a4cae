import { randomUUID } from 'node:crypto';
import { KshotError } from '../errors.js';
import { type JobFilter, type JobRecord, type JobStore, OPEN_JOBS } from '../store/jobStore.js';
import type { Delivery } from './delivery.js';
import { HeldJob } from './heldJob.js';
import type { JobRunner } from './jobRun.js';
import type { JobSummary } from './jobTypes.js';
import type { JobKind, JobKinds } from './kinds.js';
import { LaneLoop } from './laneLoop.js';

/** Defaults, in ms: how often a running job says so, after what silence it is taken back, and how often all are looked at. */
export const JOB_TIMES = { heartbeatMs: 1000, staleMs: 20_000, lookMs: 5000 };

/** A job whose process has died is begun so often, all in all. */
const MAX_ATTEMPTS = 3;
const DIED = `the process that ran it ended, or could not reach the store, ${MAX_ATTEMPTS} times`;

export interface JobObserver {
  /** A job ended here. `given_up`: it was cancelled, or given to another process. */
  jobEnded(kind: string, outcome: 'done' | 'failed' | 'given_up', milliseconds: number): void;
}

/** Of one kind, as it was when all jobs were last looked at. */
export interface JobStats {
  readonly kind: string;
  readonly queued: number;
  readonly running: number;
  /** How long the oldest that waits has waited, in ms; 0: none waits. */
  readonly waitedMs: number;
}

export interface JobsOptions {
  readonly store: JobStore;
  readonly kinds: JobKinds;
  readonly delivery: Delivery;
  /** Whether other processes may run jobs of the store, so that one which is silent is taken back; else all that runs is ours. */
  readonly isShared: boolean;
  readonly observer?: JobObserver | undefined;
  readonly warn: (message: string, error: unknown) => void;
  readonly times?: Partial<typeof JOB_TIMES> | undefined;
}

/** A runner for each kind that this process runs. Inputs are what the kind's schema made of them. */
export type JobRunners = Readonly<Record<string, JobRunner<never>>>;

/**
 * The jobs of a store: takes them up, shows them, cancels them, and runs them, where it is to. The record in the store is the truth.
 * A process that dies leaves its jobs to those that live: they find them by the silence, and have them wait again.
 */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #times: typeof JOB_TIMES;
  readonly #held = new Map<number, HeldJob>();
  #runners: JobRunners = {};
  #lanes: readonly LaneLoop[] = [];
  #open: readonly JobRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<void> = Promise.resolve();
  #isUnreachable = false;
  #isClosing = false;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#times = { ...JOB_TIMES, ...options.times };
    options.store.watchJobs({
      added: (job) => void this.#send(job),
      changed: (id) => {
        void this.#held.get(id)?.renew();
        this.#wake();
      },
    });
  }

  get kinds(): JobKinds {
    return this.#options.kinds;
  }

  /**
   * Takes up a job of a kind that has an input of its own.
   *
   * @param input what the kind's schema has made of it.
   * @throws KshotError `overloaded`.
   */
  async start(kind: string, input: Record<string, unknown>): Promise<JobSummary> {
    const { mostOpen } = this.#kind(kind);
    if (mostOpen === undefined) throw new TypeError(`Jobs of the kind ${kind} are begun elsewhere`);
    return summarise(await this.#options.store.addJob({ kind, bot: null, input, mostOpen }));
  }

  /** Newest first. */
  async list(filter?: JobFilter): Promise<JobSummary[]> {
    return (await this.#options.store.listJobs(filter)).map(summarise);
  }

  /** @throws KshotError `unknown_job`. */
  async get(id: number): Promise<JobSummary> {
    return summarise(await this.#options.store.readJob(id));
  }

  /** Cancels a job that waits or runs; removes one that is over. @throws KshotError `unknown_job`. */
  async delete(id: number): Promise<'cancelled' | 'removed'> {
    const { store } = this.#options;
    for (;;) {
      if (await store.cancelJob(id)) return 'cancelled';
      if (await store.removeJob(id)) return 'removed';
    }
  }

  /**
   * Begins to look after the jobs, and to run those that there are runners for.
   *
   * @throws KshotError `store_unavailable`.
   */
  async begin(runners: JobRunners): Promise<void> {
    const { store, isShared } = this.#options;
    // What ran when the process last ended.
    if (!isShared) await store.takeJobsBack(0, MAX_ATTEMPTS, DIED);
    this.#runners = runners;
    const lanes = new Set(Object.keys(runners).map((kind) => this.#kind(kind).lane));
    this.#lanes = [...lanes].map((lane) => {
      const kinds = Object.keys(runners).filter((kind) => this.#kind(kind).lane === lane);
      return new LaneLoop(() => this.#runNext(kinds));
    });
    this.#look = this.#lookNow();
    await this.#look;
  }

  /** Of every kind. */
  stats(): JobStats[] {
    return Object.keys(this.#options.kinds).map((kind) => {
      const open = this.#open.filter((job) => job.kind === kind);
      const queued = open.filter(({ status }) => status === 'queued');
      const oldest = queued.at(-1);
      return {
        kind,
        queued: queued.length,
        running: open.length - queued.length,
        waitedMs: oldest === undefined ? 0 : Math.max(0, Date.now() - Date.parse(oldest.createdAt)),
      };
    });
  }

  /** Gives back what runs, and takes no more. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#timer);
    await this.#look;
    for (const held of this.#held.values()) held.giveBack();
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    await this.#options.delivery.close();
  }

  #kind(name: string): JobKind {
    const kind = this.#options.kinds[name];
    if (kind === undefined)
      throw new KshotError('invalid_request', `there is no kind of jobs called ${name}`);
    return kind;
  }

  #wake(): void {
    for (const lane of this.#lanes) lane.wake();
  }

  /** Throws nothing: what could not be sent is sent again at the next look. */
  async #send({ kind, id }: JobRecord): Promise<void> {
    try {
      await this.#options.delivery.send(kind, id);
    } catch (error) {
      this.#unreachable(error);
    }
    this.#wake();
  }

  /** Takes back what is silent, and sends what waits: a message may be lost, or have come to a process that died. */
  async #lookNow(): Promise<void> {
    const { store, delivery, isShared, kinds } = this.#options;
    try {
      if (isShared) await store.takeJobsBack(this.#times.staleMs, MAX_ATTEMPTS, DIED);
      const open = await store.listJobs({ statuses: OPEN_JOBS });
      this.#open = open.filter(({ kind }) => Object.hasOwn(kinds, kind));
      // Oldest first.
      for (const { kind, id, status } of this.#open.toReversed()) {
        if (status === 'queued') await delivery.send(kind, id);
      }
      this.#isUnreachable = false;
    } catch (error) {
      this.#unreachable(error);
    }
    if (this.#isClosing) return;
    this.#wake();
    this.#timer = setTimeout(() => {
      this.#look = this.#lookNow();
    }, this.#times.lookMs).unref();
  }

  /** Says so once. */
  #unreachable(error: unknown): void {
    if (!this.#isUnreachable && !this.#isClosing) this.#options.warn('jobs cannot be looked after', error);
    this.#isUnreachable = true;
  }

  /** Runs a job of one of the kinds. Throws nothing. @returns whether one had come. */
  async #runNext(kinds: readonly string[]): Promise<boolean> {
    const { delivery, store } = this.#options;
    try {
      for (const kind of kinds) {
        const id = await delivery.next(kind);
        if (id === undefined) continue;
        const lease = randomUUID();
        const record = await store.takeJob(id, lease);
        if (record !== undefined) await this.#run(record, lease);
        return true;
      }
    } catch (error) {
      this.#unreachable(error);
    }
    return false;
  }

  async #run(record: JobRecord, lease: string): Promise<void> {
    const { store, observer, warn } = this.#options;
    const { kind, id } = record;
    const runner = this.#runners[kind] as JobRunner<JobRecord['input']>;
    const held = new HeldJob({ store, record, lease, runner, heartbeatMs: this.#times.heartbeatMs, warn });
    this.#held.set(id, held);
    if (this.#isClosing) held.giveBack();
    const started = performance.now();
    const outcome = await held.carryOut();
    this.#held.delete(id);
    const ended = outcome === 'done' || outcome === 'failed' ? outcome : 'given_up';
    observer?.jobEnded(kind, ended, performance.now() - started);
    if (outcome === 'given back') await this.#send(record);
  }
}

function summarise(record: JobRecord): JobSummary {
  return {
    id: record.id,
    kind: record.kind,
    bot: record.bot,
    status: record.status,
    input: record.input,
    progress: { done: record.done, total: record.total },
    attempts: record.attempts,
    result: record.result,
    error: record.error,
    created_at: record.createdAt,
    started_at: record.startedAt,
    finished_at: record.finishedAt,
    heartbeat_at: record.heartbeatAt,
  };
}
