import type Database from 'better-sqlite3';
import { checkKeyCount, lastManagingKey, unknownKey } from './refusals.js';
import { some } from './sqliteEdit.js';
import { type KeyInput, type KeyRecord, MAX_REVOKED_KEYS } from './store.js';

interface KeyRow {
  readonly id: number;
  readonly name: string;
  readonly hash: Buffer;
  readonly hint: string;
  readonly access: KeyRecord['access'];
  /** JSON. */
  readonly bots: string | null;
  readonly rate: number | null;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const KEY = 'id, name, hash, hint, access, bots, rate, created_at, last_used_at, revoked_at';

/** The API keys' part of the SQLite store. Transactions are the caller's. */
export class SqliteKeys {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(db: Database.Database) {
    this.#sql = prepareStatements(db);
  }

  list(): KeyRecord[] {
    return this.#sql.list.all().map(toRecord);
  }

  add({ name, hash, hint, access, bots, rate }: KeyInput, onlyFirst: boolean): KeyRecord | undefined {
    const inForce = some(this.#sql.countInForce.get());
    if (onlyFirst && inForce > 0) return undefined;
    checkKeyCount(inForce);
    const names = bots === null ? null : JSON.stringify(bots);
    const now = new Date().toISOString();
    return toRecord(some(this.#sql.insert.get(name, Buffer.from(hash), hint, access, names, rate, now)));
  }

  revoke(id: number, mayBeLast: boolean): KeyRecord {
    const row = this.#sql.find.get(id);
    if (row === undefined) throw unknownKey(id);
    if (row.revoked_at !== null) return toRecord(row);
    if (!mayBeLast && isManaging(row) && some(this.#sql.countManaging.get()) === 1) throw lastManagingKey(id);
    const revoked = toRecord(some(this.#sql.revoke.get(new Date().toISOString(), id)));
    this.#sql.deleteOldestRevoked.run(MAX_REVOKED_KEYS);
    return revoked;
  }

  noteUses(uses: ReadonlyMap<number, string>): void {
    for (const [id, at] of uses) this.#sql.noteUse.run(at, id, at);
  }
}

/** Parameters are in the order of the question marks. */
function prepareStatements(db: Database.Database) {
  return {
    list: db.prepare<[], KeyRow>(`SELECT ${KEY} FROM api_keys ORDER BY id`),
    find: db.prepare<[id: number], KeyRow>(`SELECT ${KEY} FROM api_keys WHERE id = ?`),
    countInForce: db.prepare<[], number>('SELECT count(*) FROM api_keys WHERE revoked_at IS NULL').pluck(),
    countManaging: db
      .prepare<[], number>(
        "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL AND access = 'write' AND bots IS NULL",
      )
      .pluck(),
    insert: db.prepare<
      [
        name: string,
        hash: Buffer,
        hint: string,
        access: string,
        bots: string | null,
        rate: number | null,
        createdAt: string,
      ],
      KeyRow
    >(
      `INSERT INTO api_keys (name, hash, hint, access, bots, rate, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       RETURNING ${KEY}`,
    ),
    revoke: db.prepare<[revokedAt: string, id: number], KeyRow>(
      `UPDATE api_keys SET revoked_at = ? WHERE id = ? RETURNING ${KEY}`,
    ),
    deleteOldestRevoked: db.prepare<[kept: number]>(
      `DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys
         WHERE revoked_at IS NOT NULL ORDER BY revoked_at DESC, id DESC LIMIT -1 OFFSET ?)`,
    ),
    noteUse: db.prepare<[at: string, id: number, at: string]>(
      'UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)',
    ),
  };
}

function isManaging({ access, bots }: KeyRow): boolean {
  return access === 'write' && bots === null;
}

function toRecord(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    hint: row.hint,
    access: row.access,
    bots: row.bots === null ? null : (JSON.parse(row.bots) as string[]),
    rate: row.rate,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
