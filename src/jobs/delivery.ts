/**
 * How jobs that wait come to processes that run them. It need not be exact: the record in the store says whether a job waits still,
 * so that one which is delivered twice, or not at all and sent again, runs once.
 */
export interface Delivery {
  /** Has a job that waits come to a process which runs its kind. Harmless where it is under way already. */
  send(kind: string, id: number): Promise<void>;

  /** Takes a job of that kind which has come; undefined: there is none. */
  next(kind: string): Promise<number | undefined>;

  close(): Promise<void>;
}
