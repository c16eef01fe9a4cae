import type Database from 'better-sqlite3';
import { unknownEvaluation } from './refusals.js';
import { some } from './sqliteEdit.js';
import type { BotRow } from './sqliteStatements.js';
import { type EvaluationEnd, type EvaluationRecord, type Json, MAX_EVALUATIONS } from './store.js';

interface EvaluationRow {
  readonly id: number;
  readonly status: EvaluationRecord['status'];
  /** JSON. */
  readonly about: string;
  readonly done: number;
  readonly error: string | null;
  readonly created_at: string;
  readonly finished_at: string | null;
  /** JSON. */
  readonly headline: string | null;
}

const EVALUATION = 'id, status, about, done, error, created_at, finished_at, headline';

/** The evaluations' part of the SQLite store. Transactions are the caller's. */
export class SqliteEvaluations {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(db: Database.Database) {
    this.#sql = prepareStatements(db);
  }

  add(bot: BotRow, about: Json): EvaluationRecord {
    const row = some(this.#sql.insert.get(bot.id, JSON.stringify(about), new Date().toISOString()));
    this.#sql.deleteOldest.run(bot.id, MAX_EVALUATIONS);
    return toRecord(row);
  }

  /** @param bot its name: it may be gone. */
  end(bot: string, id: number, end: EvaluationEnd): boolean {
    const headline = end.status === 'done' ? JSON.stringify(end.headline) : null;
    const result = end.status === 'done' ? JSON.stringify(end.result) : null;
    const error = end.status === 'failed' ? end.error : null;
    const now = new Date().toISOString();
    return this.#sql.end.run(end.status, end.done, error, now, headline, result, id, bot).changes > 0;
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

  failRunning(error: string): number {
    return this.#sql.failRunning.run(error, new Date().toISOString()).changes;
  }
}

/** Parameters are in the order of the question marks. */
function prepareStatements(db: Database.Database) {
  return {
    insert: db.prepare<[botId: number, about: string, createdAt: string], EvaluationRow>(
      `INSERT INTO evaluations (bot_id, status, about, done, created_at) VALUES (?, 'running', ?, 0, ?)
       RETURNING ${EVALUATION}`,
    ),
    deleteOldest: db.prepare<[botId: number, kept: number]>(
      `DELETE FROM evaluations WHERE id IN (SELECT id FROM evaluations
         WHERE bot_id = ? AND status <> 'running' ORDER BY id DESC LIMIT -1 OFFSET ?)`,
    ),
    end: db.prepare<
      [
        status: string,
        done: number,
        error: string | null,
        finishedAt: string,
        headline: string | null,
        result: string | null,
        id: number,
        bot: string,
      ]
    >(
      `UPDATE evaluations SET status = ?, done = ?, error = ?, finished_at = ?, headline = ?, result = ?
       WHERE id = ? AND status = 'running' AND bot_id = (SELECT id FROM bots WHERE name = ?)`,
    ),
    list: db.prepare<[botId: number], EvaluationRow>(
      `SELECT ${EVALUATION} FROM evaluations WHERE bot_id = ? ORDER BY id DESC`,
    ),
    find: db.prepare<[botId: number, id: number], EvaluationRow & { readonly result: string | null }>(
      `SELECT ${EVALUATION}, result FROM evaluations WHERE bot_id = ? AND id = ?`,
    ),
    remove: db.prepare<[botId: number, id: number]>('DELETE FROM evaluations WHERE bot_id = ? AND id = ?'),
    failRunning: db.prepare<[error: string, finishedAt: string]>(
      "UPDATE evaluations SET status = 'failed', error = ?, finished_at = ? WHERE status = 'running'",
    ),
  };
}

function toRecord(row: EvaluationRow): EvaluationRecord {
  return {
    id: row.id,
    status: row.status,
    about: JSON.parse(row.about) as Json,
    done: row.done,
    headline: row.headline === null ? null : (JSON.parse(row.headline) as Json),
    error: row.error,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
