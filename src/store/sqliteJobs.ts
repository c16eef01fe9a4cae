import type Database from 'better-sqlite3';
import {
  JOB_STATUSES,
  type JobEnd,
  type JobFilter,
  type JobInput,
  type JobProgress,
  type JobRecord,
  MAX_JOBS,
} from './jobStore.js';
import { checkOpenJobs, unknownJob } from './refusals.js';
import { some } from './sqliteEdit.js';
import type { Json } from './store.js';

interface JobRow {
  readonly id: number;
  readonly kind: string;
  readonly bot: string | null;
  /** JSON. */
  readonly input: string;
  readonly status: JobRecord['status'];
  readonly done: number;
  readonly total: number | null;
  readonly attempts: number;
  /** JSON. */
  readonly result: string | null;
  readonly error: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly heartbeat_at: string | null;
}

const JOB =
  'id, kind, bot, input, status, done, total, attempts, result, error, created_at, started_at, finished_at, heartbeat_at';

/** The jobs' part of the SQLite store. Transactions are the caller's. */
export class SqliteJobs {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(db: Database.Database) {
    this.#sql = prepareStatements(db);
  }

  add({ kind, bot, input, mostOpen }: JobInput): JobRecord {
    checkOpenJobs(kind, some(this.#sql.countOpen.get(kind)), mostOpen);
    this.#sql.deleteOldest.run(MAX_JOBS);
    return toRecord(some(this.#sql.insert.get(kind, bot, JSON.stringify(input), now())));
  }

  list({ kind, statuses = JOB_STATUSES }: JobFilter): JobRecord[] {
    return this.#sql.list.all(kind ?? null, JSON.stringify(statuses)).map(toRecord);
  }

  read(id: number): JobRecord {
    const row = this.#sql.find.get(id);
    if (row === undefined) throw unknownJob(id);
    return toRecord(row);
  }

  take(id: number, lease: string): JobRecord | undefined {
    const at = now();
    const row = this.#sql.take.get(lease, at, at, id);
    return row && toRecord(row);
  }

  renew(id: number, lease: string, { done, total }: JobProgress): boolean {
    return this.#sql.renew.run(done, total, now(), id, lease).changes > 0;
  }

  end(id: number, lease: string, end: JobEnd): boolean {
    const result = end.status === 'done' ? JSON.stringify(end.result) : null;
    const error = end.status === 'failed' ? end.error : null;
    const { status, done, total } = end;
    return this.#sql.end.run(status, done, total, result, error, now(), id, lease).changes > 0;
  }

  giveBack(id: number, lease: string): boolean {
    return this.#sql.giveBack.run(id, lease).changes > 0;
  }

  cancel(id: number): boolean {
    if (this.#sql.cancel.run(now(), id).changes > 0) return true;
    this.read(id);
    return false;
  }

  /** @returns the ids of the jobs of the bot that were cancelled. */
  cancelOf(bot: string): number[] {
    return this.#sql.cancelOf.all(now(), bot);
  }

  remove(id: number): boolean {
    if (this.#sql.remove.run(id).changes > 0) return true;
    this.read(id);
    return false;
  }

  takeBack(staleMs: number, maxAttempts: number, error: string): number {
    const staleSince = new Date(Date.now() - staleMs).toISOString();
    const failed = this.#sql.failStale.run(error, now(), staleSince, maxAttempts).changes;
    return failed + this.#sql.requeueStale.run(staleSince).changes;
  }
}

function now(): string {
  return new Date().toISOString();
}

/** Parameters are in the order of the question marks. */
function prepareStatements(db: Database.Database) {
  return {
    countOpen: db
      .prepare<[kind: string], number>(
        "SELECT count(*) FROM jobs WHERE kind = ? AND status IN ('queued', 'running')",
      )
      .pluck(),
    deleteOldest: db.prepare<[kept: number]>(
      `DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE status NOT IN ('queued', 'running')
         ORDER BY id DESC LIMIT -1 OFFSET ?)`,
    ),
    insert: db.prepare<[kind: string, bot: string | null, input: string, createdAt: string], JobRow>(
      `INSERT INTO jobs (kind, bot, input, status, done, attempts, created_at) VALUES (?, ?, ?, 'queued', 0, 0, ?)
       RETURNING ${JOB}`,
    ),
    list: db.prepare<[kind: string | null, statuses: string], JobRow>(
      `SELECT ${JOB} FROM jobs WHERE kind = coalesce(?, kind)
         AND status IN (SELECT value FROM json_each(?)) ORDER BY id DESC`,
    ),
    find: db.prepare<[id: number], JobRow>(`SELECT ${JOB} FROM jobs WHERE id = ?`),
    take: db.prepare<[lease: string, startedAt: string, heartbeatAt: string, id: number], JobRow>(
      `UPDATE jobs SET status = 'running', attempts = attempts + 1, done = 0, lease = ?, started_at = ?,
         heartbeat_at = ? WHERE id = ? AND status = 'queued' RETURNING ${JOB}`,
    ),
    renew: db.prepare<[done: number, total: number | null, at: string, id: number, lease: string]>(
      'UPDATE jobs SET done = ?, total = ?, heartbeat_at = ? WHERE id = ? AND lease = ?',
    ),
    end: db.prepare<
      [
        status: string,
        done: number,
        total: number | null,
        result: string | null,
        error: string | null,
        at: string,
        id: number,
        lease: string,
      ]
    >(
      `UPDATE jobs SET status = ?, done = ?, total = ?, result = ?, error = ?, finished_at = ?, lease = NULL
       WHERE id = ? AND lease = ?`,
    ),
    giveBack: db.prepare<[id: number, lease: string]>(
      `UPDATE jobs SET status = 'queued', attempts = attempts - 1, done = 0, lease = NULL WHERE id = ? AND lease = ?`,
    ),
    cancel: db.prepare<[at: string, id: number]>(
      `UPDATE jobs SET status = 'cancelled', finished_at = ?, lease = NULL
       WHERE id = ? AND status IN ('queued', 'running')`,
    ),
    cancelOf: db
      .prepare<[at: string, bot: string], number>(
        `UPDATE jobs SET status = 'cancelled', finished_at = ?, lease = NULL
         WHERE bot = ? AND status IN ('queued', 'running') RETURNING id`,
      )
      .pluck(),
    remove: db.prepare<[id: number]>("DELETE FROM jobs WHERE id = ? AND status NOT IN ('queued', 'running')"),
    failStale: db.prepare<[error: string, at: string, staleSince: string, maxAttempts: number]>(
      `UPDATE jobs SET status = 'failed', error = ?, finished_at = ?, lease = NULL
       WHERE status = 'running' AND heartbeat_at <= ? AND attempts >= ?`,
    ),
    requeueStale: db.prepare<[staleSince: string]>(
      "UPDATE jobs SET status = 'queued', done = 0, lease = NULL WHERE status = 'running' AND heartbeat_at <= ?",
    ),
  };
}

function toRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    kind: row.kind,
    bot: row.bot,
    input: JSON.parse(row.input) as Json,
    status: row.status,
    done: row.done,
    total: row.total,
    attempts: row.attempts,
    result: row.result === null ? null : (JSON.parse(row.result) as Json),
    error: row.error,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    heartbeatAt: row.heartbeat_at,
  };
}
