import type Database from 'better-sqlite3';
import { unknownEvaluation } from './refusals.js';
import { some } from './sqliteEdit.js';
import type { BotRow } from './sqliteStatements.js';
import {
  type EvaluationOutcome,
  type EvaluationRecord,
  type EvaluationTask,
  type Json,
  MAX_EVALUATIONS,
} from './store.js';

interface EvaluationRow {
  readonly id: number;
  readonly status: EvaluationRecord['status'];
  readonly job_id: number | null;
  /** JSON. */
  readonly about: string;
  readonly done: number;
  readonly error: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  /** JSON. */
  readonly headline: string | null;
}

const EVALUATION = 'id, status, job_id, about, done, error, created_at, finished_at, headline';

/** The evaluations' part of the SQLite store. Transactions are the caller's. */
export class SqliteEvaluations {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(db: Database.Database) {
    this.#sql = prepareStatements(db);
  }

  /** @param job that carries it out. */
  add(bot: BotRow, job: number, about: Json, subject: Json): EvaluationRecord {
    const now = new Date().toISOString();
    const [aboutText, subjectText] = [JSON.stringify(about), JSON.stringify(subject)];
    const row = some(this.#sql.insert.get(bot.id, job, aboutText, subjectText, now));
    this.#sql.deleteOldest.run(bot.id, MAX_EVALUATIONS);
    return toRecord(row);
  }

  findOf(job: number): EvaluationTask | undefined {
    const row = this.#sql.findOf.get(job);
    if (row === undefined) return undefined;
    const subject = row.subject === null ? null : (JSON.parse(row.subject) as Json);
    return { bot: row.bot, record: toRecord(row), subject };
  }

  /** @param bot its name: it may be gone. */
  finish(bot: string, id: number, { done, headline, result }: EvaluationOutcome): boolean {
    const now = new Date().toISOString();
    return (
      this.#sql.finish.run(done, now, JSON.stringify(headline), JSON.stringify(result), id, bot).changes > 0
    );
  }

  list(bot: BotRow): EvaluationRecord[] {
    return this.#sql.list.all(bot.id).map(toRecord);
  }

  read(bot: BotRow, id: number): { record: EvaluationRecord; result: Json | null } {
    const row = this.#sql.find.get(bot.id, id);
    if (row === undefined) throw unknownEvaluation(bot.name, id);
    return {
      record: toRecord(row),
      result: row.result === null ? null : (JSON.parse(row.result) as Json),
    };
  }

  remove(bot: BotRow, id: number): void {
    if (this.#sql.remove.run(bot.id, id).changes === 0) throw unknownEvaluation(bot.name, id);
  }
}

/** Parameters are in the order of the question marks. */
function prepareStatements(db: Database.Database) {
  return {
    insert: db.prepare<
      [botId: number, jobId: number, about: string, subject: string, createdAt: string],
      EvaluationRow
    >(
      `INSERT INTO evaluations (bot_id, job_id, status, about, subject, done, created_at)
       VALUES (?, ?, 'queued', ?, ?, 0, ?) RETURNING ${EVALUATION}`,
    ),
    deleteOldest: db.prepare<[botId: number, kept: number]>(
      `DELETE FROM evaluations WHERE id IN (SELECT id FROM evaluations
         WHERE bot_id = ? AND finished_at IS NOT NULL ORDER BY id DESC LIMIT -1 OFFSET ?)`,
    ),
    findOf: db.prepare<
      [jobId: number],
      EvaluationRow & { readonly bot: string; readonly subject: string | null }
    >(
      `SELECT ${EVALUATION}, subject, (SELECT name FROM bots WHERE bots.id = bot_id) AS bot
       FROM evaluations WHERE job_id = ?`,
    ),
    finish: db.prepare<
      [done: number, finishedAt: string, headline: string, result: string, id: number, bot: string]
    >(
      `UPDATE evaluations SET status = 'done', done = ?, finished_at = ?, headline = ?, result = ?, subject = NULL
       WHERE id = ? AND finished_at IS NULL
         AND bot_id = (SELECT id FROM bots WHERE name = ? AND version_of IS NULL)`,
    ),
    list: db.prepare<[botId: number], EvaluationRow>(
      `SELECT ${EVALUATION} FROM evaluations WHERE bot_id = ? ORDER BY id DESC`,
    ),
    find: db.prepare<[botId: number, id: number], EvaluationRow & { readonly result: string | null }>(
      `SELECT ${EVALUATION}, result FROM evaluations WHERE bot_id = ? AND id = ?`,
    ),
    remove: db.prepare<[botId: number, id: number]>('DELETE FROM evaluations WHERE bot_id = ? AND id = ?'),
  };
}

function toRecord(row: EvaluationRow): EvaluationRecord {
  return {
    id: row.id,
    status: row.status,
    job: row.job_id,
    about: JSON.parse(row.about) as Json,
    done: row.done,
    headline: row.headline === null ? null : (JSON.parse(row.headline) as Json),
    error: row.error,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
