import { lockKey } from './postgresMigrations.js';
import type { Session } from './postgresConnection.js';
import type { BotRow } from './postgresRows.js';
import { unknownEvaluation } from './refusals.js';
import { type EvaluationEnd, type EvaluationRecord, type Json, MAX_EVALUATIONS } from './store.js';

// The evaluations of bots.

interface EvaluationRow {
  readonly id: number;
  readonly status: EvaluationRecord['status'];
  readonly about: Json;
  readonly done: number;
  readonly error: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly headline: Json | null;
}

const EVALUATION = 'id, status, about, done, error, created_at, finished_at, headline';

/** @param owner the process that carries it out. */
export async function addEvaluation(
  session: Session,
  bot: BotRow,
  about: Json,
  owner: string,
): Promise<EvaluationRecord> {
  const [row] = await session.rows<EvaluationRow>(
    `INSERT INTO kshot_evaluations (bot_id, status, about, done, owner, created_at)
     VALUES ($1, 'running', $2, 0, $3, $4) RETURNING ${EVALUATION}`,
    [bot.id, JSON.stringify(about), owner, new Date()],
  );
  await session.run(
    `DELETE FROM kshot_evaluations WHERE id IN (SELECT id FROM kshot_evaluations
       WHERE bot_id = $1 AND status <> 'running' ORDER BY id DESC OFFSET $2)`,
    [bot.id, MAX_EVALUATIONS],
  );
  return toRecord(row!);
}

/** @param bot its name: it may be gone. */
export async function endEvaluation(
  session: Session,
  bot: string,
  id: number,
  end: EvaluationEnd,
): Promise<boolean> {
  const ended = await session.run(
    `UPDATE kshot_evaluations SET status = $1, done = $2, error = $3, finished_at = $4, headline = $5, result = $6
     WHERE id = $7 AND status = 'running'
       AND bot_id = (SELECT id FROM kshot_bots WHERE name = $8 AND version_of IS NULL)`,
    [
      end.status,
      end.done,
      end.status === 'failed' ? end.error : null,
      new Date(),
      end.status === 'done' ? JSON.stringify(end.headline) : null,
      end.status === 'done' ? JSON.stringify(end.result) : null,
      id,
      bot,
    ],
  );
  return ended > 0;
}

export async function listEvaluations(session: Session, bot: BotRow): Promise<EvaluationRecord[]> {
  const rows = await session.rows<EvaluationRow>(
    `SELECT ${EVALUATION} FROM kshot_evaluations WHERE bot_id = $1 ORDER BY id DESC`,
    [bot.id],
  );
  return rows.map(toRecord);
}

export async function readEvaluation(
  session: Session,
  bot: BotRow,
  id: number,
): Promise<{ record: EvaluationRecord; result: Json | null }> {
  const [row] = await session.rows<EvaluationRow & { readonly result: Json | null }>(
    `SELECT ${EVALUATION}, result FROM kshot_evaluations WHERE bot_id = $1 AND id = $2`,
    [bot.id, id],
  );
  if (row === undefined) throw unknownEvaluation(bot.name, id);
  return { record: toRecord(row), result: row.result };
}

export async function removeEvaluation(session: Session, bot: BotRow, id: number): Promise<void> {
  const removed = await session.run('DELETE FROM kshot_evaluations WHERE bot_id = $1 AND id = $2', [
    bot.id,
    id,
  ]);
  if (removed === 0) throw unknownEvaluation(bot.name, id);
}

/** Those of processes that are gone, and those of this one, which begins. */
export async function failRunningEvaluations(
  session: Session,
  error: string,
  owner: string,
): Promise<number> {
  const owners = await session.rows<{ owner: string; isGone: boolean }>(
    `SELECT owner, owner = $1 OR pg_try_advisory_xact_lock(${ownerLockKey('owner')}) AS "isGone"
     FROM (SELECT DISTINCT owner FROM kshot_evaluations WHERE status = 'running') AS running`,
    [owner],
  );
  return session.run(
    `UPDATE kshot_evaluations SET status = 'failed', error = $1, finished_at = $2
     WHERE status = 'running' AND owner = ANY ($3::text[])`,
    [error, new Date(), owners.flatMap((process) => (process.isGone ? process.owner : []))],
  );
}

/** The key of the lock that a process holds as long as it lives. @param owner an SQL expression. */
export function ownerLockKey(owner: string): string {
  return lockKey(`('process ' || ${owner})`);
}

function toRecord(row: EvaluationRow): EvaluationRecord {
  return {
    id: row.id,
    status: row.status,
    about: row.about,
    done: row.done,
    headline: row.headline,
    error: row.error,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
