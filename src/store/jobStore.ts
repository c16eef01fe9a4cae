import type { Json } from './store.js';

/**
 * The part of a store that keeps jobs: what is to be done in the background, by whichever process takes it. The record is the
 * truth; how a process comes to know of a job that waits is no affair of the store's.
 *
 * A process that runs a job holds a lease of it, which is a name that nobody else has. It renews it now and then; whoever finds that
 * it has not been renewed for a while may have the job wait again, and then the former holder has lost it.
 */
export interface JobStore {
  /**
   * Takes up a job, which waits. Beyond MAX_JOBS the oldest go that are over.
   *
   * @throws KshotError `overloaded` where `mostOpen` of its kind wait or run.
   */
  addJob(job: JobInput): Promise<JobRecord>;

  /** Newest first. */
  listJobs(filter?: JobFilter): Promise<JobRecord[]>;

  /** @throws KshotError `unknown_job`. */
  readJob(id: number): Promise<JobRecord>;

  /** Has a job that waits run, under that lease; undefined where it does not wait, or there is none. */
  takeJob(id: number, lease: string): Promise<JobRecord | undefined>;

  /** Renews a lease, and writes how far the job is. @returns false where it is lost: the job is another's, or over. */
  renewJob(id: number, lease: string, progress: JobProgress): Promise<boolean>;

  /** Says how a job has ended. @returns false where the lease is lost. */
  endJob(id: number, lease: string, end: JobEnd): Promise<boolean>;

  /** Has a job wait again that was begun in vain, which counts as no attempt. @returns false where the lease is lost. */
  giveJobBack(id: number, lease: string): Promise<boolean>;

  /** Cancels a job that waits or runs. @returns false where it is over. @throws KshotError `unknown_job`. */
  cancelJob(id: number): Promise<boolean>;

  /** Removes a job that is over. @returns false where it is not. @throws KshotError `unknown_job`. */
  removeJob(id: number): Promise<boolean>;

  /**
   * Has jobs wait again whose leases were not renewed; those that have been attempted too often fail instead.
   *
   * @param staleMs how long not.
   * @param error what those have failed with.
   * @returns how many jobs it was.
   */
  takeJobsBack(staleMs: number, maxAttempts: number, error: string): Promise<number>;

  /** Tells the watcher from now on. There is one at the most. */
  watchJobs(watcher: JobWatcher): void;
}

/** Called synchronously, and must be quick. */
export interface JobWatcher {
  /** This process has added a job, which waits. */
  added(job: JobRecord): void;
  /**
   * A job waits, or was cancelled, whichever process did it. Of a store that several share this comes by the feed of changes, once
   * that is watched, and may be missed.
   */
  changed(id: number): void;
}

/** Jobs that are kept, at the most; those that wait or run come on top. */
export const MAX_JOBS = 500;

export interface JobInput {
  readonly kind: string;
  /** The name of the bot that it is about, with which it goes; null: it is about none in particular. */
  readonly bot: string | null;
  /** Any JSON object; the store does not look inside. */
  readonly input: Json;
  /** Jobs of the kind that may wait or run, this one included. */
  readonly mostOpen: number;
}

export const JOB_STATUSES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Those that are not over. */
export const OPEN_JOBS: readonly JobStatus[] = ['queued', 'running'];

export interface JobFilter {
  readonly kind?: string | undefined;
  readonly statuses?: readonly JobStatus[] | undefined;
}

/** How far a job is, in units of its own. */
export interface JobProgress {
  readonly done: number;
  /** Null until it is known. */
  readonly total: number | null;
}

export type JobEnd = JobProgress &
  (
    { readonly status: 'done'; readonly result: Json } | { readonly status: 'failed'; readonly error: string }
  );

export interface JobRecord extends JobProgress {
  /** Unique in the store, never used again; a later one is larger. */
  readonly id: number;
  readonly kind: string;
  readonly bot: string | null;
  readonly input: Json;
  readonly status: JobStatus;
  /** How often it was begun, but for those times when it was given back. */
  readonly attempts: number;
  /** Of one that is done. */
  readonly result: Json | null;
  /** Of one that has failed. */
  readonly error: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** When it was last begun. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** When the process that runs it last said so. */
  readonly heartbeatAt: string | null;
}
