import {
  type JobEnd,
  type JobFilter,
  type JobInput,
  type JobProgress,
  type JobRecord,
  MAX_JOBS,
} from './jobStore.js';
import type { Session } from './postgresConnection.js';
import { lockKey } from './postgresMigrations.js';
import { checkOpenJobs, unknownJob } from './refusals.js';
import type { Json } from './store.js';

// Jobs. The clock is the database's, for processes on several machines compare by it.

interface JobRow {
  readonly id: number;
  readonly kind: string;
  readonly bot: string | null;
  readonly input: Json;
  readonly status: JobRecord['status'];
  readonly done: number;
  readonly total: number | null;
  readonly attempts: number;
  readonly result: Json | null;
  readonly error: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly heartbeat_at: Date | null;
}

const JOB =
  'id, kind, bot, input, status, done, total, attempts, result, error, created_at, started_at, finished_at, heartbeat_at';

export async function addJob(session: Session, { kind, bot, input, mostOpen }: JobInput): Promise<JobRecord> {
  await session.rows(`SELECT pg_advisory_xact_lock(${lockKey("'jobs'")})`);
  const [open] = await session.rows<{ count: number }>(
    "SELECT count(*) AS count FROM kshot_jobs WHERE kind = $1 AND status IN ('queued', 'running')",
    [kind],
  );
  checkOpenJobs(kind, open!.count, mostOpen);
  await session.run(
    `DELETE FROM kshot_jobs WHERE id IN (SELECT id FROM kshot_jobs WHERE status NOT IN ('queued', 'running')
       ORDER BY id DESC OFFSET $1)`,
    [MAX_JOBS],
  );
  const [row] = await session.rows<JobRow>(
    `INSERT INTO kshot_jobs (kind, bot, input, status, done, attempts, created_at)
     VALUES ($1, $2, $3, 'queued', 0, 0, clock_timestamp()) RETURNING ${JOB}`,
    [kind, bot, JSON.stringify(input)],
  );
  return toRecord(row!);
}

export async function listJobs(session: Session, { kind, statuses }: JobFilter): Promise<JobRecord[]> {
  const rows = await session.rows<JobRow>(
    `SELECT ${JOB} FROM kshot_jobs WHERE kind = coalesce($1, kind) AND status = ANY (coalesce($2, ARRAY[status]))
     ORDER BY id DESC`,
    [kind, statuses],
  );
  return rows.map(toRecord);
}

export async function readJob(session: Session, id: number): Promise<JobRecord> {
  const [row] = await session.rows<JobRow>(`SELECT ${JOB} FROM kshot_jobs WHERE id = $1`, [id]);
  if (row === undefined) throw unknownJob(id);
  return toRecord(row);
}

export async function takeJob(session: Session, id: number, lease: string): Promise<JobRecord | undefined> {
  const [row] = await session.rows<JobRow>(
    `UPDATE kshot_jobs SET status = 'running', attempts = attempts + 1, done = 0, lease = $2,
       started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
     WHERE id = $1 AND status = 'queued' RETURNING ${JOB}`,
    [id, lease],
  );
  return row && toRecord(row);
}

export async function renewJob(
  session: Session,
  id: number,
  lease: string,
  { done, total }: JobProgress,
): Promise<boolean> {
  const renewed = await session.run(
    'UPDATE kshot_jobs SET done = $3, total = $4, heartbeat_at = clock_timestamp() WHERE id = $1 AND lease = $2',
    [id, lease, done, total],
  );
  return renewed > 0;
}

export async function endJob(session: Session, id: number, lease: string, end: JobEnd): Promise<boolean> {
  const ended = await session.run(
    `UPDATE kshot_jobs SET status = $3, done = $4, total = $5, result = $6, error = $7,
       finished_at = clock_timestamp(), lease = NULL
     WHERE id = $1 AND lease = $2`,
    [
      id,
      lease,
      end.status,
      end.done,
      end.total,
      end.status === 'done' ? JSON.stringify(end.result) : null,
      end.status === 'failed' ? end.error : null,
    ],
  );
  return ended > 0;
}

export async function giveJobBack(session: Session, id: number, lease: string): Promise<boolean> {
  const given = await session.run(
    `UPDATE kshot_jobs SET status = 'queued', attempts = attempts - 1, done = 0, lease = NULL
     WHERE id = $1 AND lease = $2`,
    [id, lease],
  );
  return given > 0;
}

export async function cancelJob(session: Session, id: number): Promise<boolean> {
  if ((await cancel(session, 'id = $1', id)).length > 0) return true;
  await readJob(session, id);
  return false;
}

/** @returns the ids of the jobs of the bot that were cancelled. */
export function cancelJobsOf(session: Session, bot: string): Promise<number[]> {
  return cancel(session, 'bot = $1', bot);
}

async function cancel(session: Session, which: string, parameter: number | string): Promise<number[]> {
  const rows = await session.rows<{ id: number }>(
    `UPDATE kshot_jobs SET status = 'cancelled', finished_at = clock_timestamp(), lease = NULL
     WHERE ${which} AND status IN ('queued', 'running') RETURNING id`,
    [parameter],
  );
  return rows.map(({ id }) => id);
}

export async function removeJob(session: Session, id: number): Promise<boolean> {
  const removed = await session.run(
    "DELETE FROM kshot_jobs WHERE id = $1 AND status NOT IN ('queued', 'running')",
    [id],
  );
  if (removed === 0) await readJob(session, id);
  return removed > 0;
}

export async function takeJobsBack(
  session: Session,
  staleMs: number,
  maxAttempts: number,
  error: string,
): Promise<number> {
  const stale = `status = 'running' AND heartbeat_at <= clock_timestamp() - $1 * interval '1 millisecond'`;
  const failed = await session.run(
    `UPDATE kshot_jobs SET status = 'failed', error = $3, finished_at = clock_timestamp(), lease = NULL
     WHERE ${stale} AND attempts >= $2`,
    [staleMs, maxAttempts, error],
  );
  const queued = await session.run(
    `UPDATE kshot_jobs SET status = 'queued', done = 0, lease = NULL WHERE ${stale}`,
    [staleMs],
  );
  return failed + queued;
}

function toRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    kind: row.kind,
    bot: row.bot,
    input: row.input,
    status: row.status,
    done: row.done,
    total: row.total,
    attempts: row.attempts,
    result: row.result,
    error: row.error,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    heartbeatAt: row.heartbeat_at?.toISOString() ?? null,
  };
}
