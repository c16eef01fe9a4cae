import type { JobStatus, JobSummary } from '../jobs/jobTypes.js';
import { finished, type FinishedOptions } from './finished.js';
import type { CallOptions, Transport } from './transport.js';

const JOBS = ['v1', 'jobs'] as const;

/** What begins a job: its kind, and what that takes. */
export interface JobRequest {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface JobListOptions extends CallOptions {
  readonly kind?: string | undefined;
  readonly status?: JobStatus | undefined;
}

/** What is done in the background, by whichever process takes it. */
export class Jobs {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list({ kind, status, ...options }: JobListOptions = {}): Promise<JobSummary[]> {
    return this.#transport.member('jobs', { method: 'GET', path: JOBS, query: { kind, status }, options });
  }

  get(id: number, options?: CallOptions): Promise<JobSummary> {
    return this.#transport.json({ method: 'GET', path: [...JOBS, String(id)], options });
  }

  start(job: JobRequest, options?: CallOptions): Promise<JobSummary> {
    return this.#transport.json({ method: 'POST', path: JOBS, json: job, options });
  }

  /** Waits until one has ended, however it did: its `status` says. */
  finished(id: number, options?: FinishedOptions<JobSummary>): Promise<JobSummary> {
    return finished((how) => this.get(id, how), this.#transport, options);
  }

  /** Cancels one that waits or runs; removes one that has ended. */
  async delete(id: number, options?: CallOptions): Promise<'cancelled' | 'removed'> {
    const path = [...JOBS, String(id)];
    return this.#transport.member('outcome', { method: 'DELETE', path, options });
  }
}
