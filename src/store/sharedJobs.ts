/** What a store that several processes share offers those that hand jobs to each other. */
export interface SharedJobs {
  /** The store's own name for a schema of the database in which a queue may make its tables. */
  readonly queueSchema: string;

  /**
   * Runs a statement of a queue on one of the store's connections; several of them where there are no parameters, whose
   * transaction, if they begin one, is undone where they fail.
   *
   * @throws KshotError `store_unavailable`, and PostgreSQL's errors as they are.
   */
  execute(sql: string, parameters?: readonly unknown[]): Promise<{ rows: unknown[] }>;

  /** Has a queue's tables made by one process at a time: those that begin at once would get into each other's way. */
  makeQueue<T>(make: () => Promise<T>): Promise<T>;

  /** Tells every process that shares the store of a job that waits, as a JobWatcher is told. */
  announceJob(id: number): Promise<void>;
}
