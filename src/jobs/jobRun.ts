/** What a job is told while it runs, and tells. */
export interface JobRun {
  /** Unique in the store; the same when a job is run again after its process was killed. */
  readonly id: string;
  /** Aborted when the job is cancelled, or given back because the process stops. */
  readonly signal: AbortSignal;
  /** How far it is, in units of its own; may be called as often as is convenient. */
  readonly progress: (done: number, total: number) => void;
}
/** Does the work of one kind of job. @returns a JSON object, the job's result. @throws what the job has failed with; the signal's reason. */
export type JobRunner<Input> = (input: Input, run: JobRun) => Promise<Record<string, unknown>>;
