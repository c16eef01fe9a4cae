import type { Session } from './postgresConnection.js';
import type { BotRow } from './postgresRows.js';
import { unknownEvaluation } from './refusals.js';
import {
  type EvaluationOutcome,
  type EvaluationRecord,
  type EvaluationTask,
  type Json,
  MAX_EVALUATIONS,
} from './store.js';

// The evaluations of bots.

interface EvaluationRow {
  readonly id: number;
  readonly status: EvaluationRecord['status'];
  readonly job_id: number | null;
  readonly about: Json;
  readonly done: number;
  readonly error: string | null;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly headline: Json | null;
}

const EVALUATION = 'id, status, job_id, about, done, error, created_at, finished_at, headline';

/** @param job that carries it out. */
export async function addEvaluation(
  session: Session,
  bot: BotRow,
  job: number,
  about: Json,
  subject: Json,
): Promise<EvaluationRecord> {
  const [row] = await session.rows<EvaluationRow>(
    `INSERT INTO kshot_evaluations (bot_id, job_id, status, about, subject, done, created_at)
     VALUES ($1, $2, 'queued', $3, $4, 0, $5) RETURNING ${EVALUATION}`,
    [bot.id, job, JSON.stringify(about), JSON.stringify(subject), new Date()],
  );
  await session.run(
    `DELETE FROM kshot_evaluations WHERE id IN (SELECT id FROM kshot_evaluations
       WHERE bot_id = $1 AND finished_at IS NOT NULL ORDER BY id DESC OFFSET $2)`,
    [bot.id, MAX_EVALUATIONS],
  );
  return toRecord(row!);
}

export async function findEvaluation(session: Session, job: number): Promise<EvaluationTask | undefined> {
  const [row] = await session.rows<EvaluationRow & { readonly bot: string; readonly subject: Json | null }>(
    `SELECT ${EVALUATION}, subject, (SELECT name FROM kshot_bots b WHERE b.id = bot_id) AS bot
     FROM kshot_evaluations WHERE job_id = $1`,
    [job],
  );
  return row && { bot: row.bot, record: toRecord(row), subject: row.subject };
}

/** @param bot its name: it may be gone. */
export async function finishEvaluation(
  session: Session,
  bot: string,
  id: number,
  { done, headline, result }: EvaluationOutcome,
): Promise<boolean> {
  const finished = await session.run(
    `UPDATE kshot_evaluations SET status = 'done', done = $1, finished_at = $2, headline = $3, result = $4, subject = NULL
     WHERE id = $5 AND finished_at IS NULL
       AND bot_id = (SELECT id FROM kshot_bots WHERE name = $6 AND version_of IS NULL)`,
    [done, new Date(), JSON.stringify(headline), JSON.stringify(result), id, bot],
  );
  return finished > 0;
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

function toRecord(row: EvaluationRow): EvaluationRecord {
  return {
    id: row.id,
    status: row.status,
    job: row.job_id,
    about: row.about,
    done: row.done,
    headline: row.headline,
    error: row.error,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
