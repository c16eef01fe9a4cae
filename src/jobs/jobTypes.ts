/** `queued`: it waits for its turn. */
export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** What is done in the background, by whichever process takes it. */
export interface JobSummary {
  /** A later job has a larger one. */
  readonly id: number;
  /** What is done, such as `evaluation`. */
  readonly kind: string;
  /** The bot that it is about; null: none in particular. */
  readonly bot: string | null;
  readonly status: JobStatus;
  /** As it was asked for. */
  readonly input: Readonly<Record<string, unknown>>;
  /** In units of the kind's own; `total` is null until it is known. */
  readonly progress: { readonly done: number; readonly total: number | null };
  /** How often it was begun: again where the process that ran it was killed. */
  readonly attempts: number;
  /** Null until it is done. */
  readonly result: Readonly<Record<string, unknown>> | null;
  /** Why it failed. */
  readonly error: string | null;
  readonly created_at: string;
  /** When it was last begun. */
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** When the process that runs it last said so. */
  readonly heartbeat_at: string | null;
}
