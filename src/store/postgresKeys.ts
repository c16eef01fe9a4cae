import type { Session } from './postgresConnection.js';
import { lockKey } from './postgresMigrations.js';
import { checkKeyCount, lastManagingKey, unknownKey } from './refusals.js';
import { type KeyInput, type KeyRecord, MAX_REVOKED_KEYS } from './store.js';

// API keys.

interface KeyRow {
  readonly id: number;
  readonly name: string;
  readonly hash: Buffer;
  readonly hint: string;
  readonly access: KeyRecord['access'];
  readonly bots: string[] | null;
  readonly rate: number | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

const KEY = 'id, name, hash, hint, access, bots, rate, created_at, last_used_at, revoked_at';

export async function listKeys(session: Session): Promise<KeyRecord[]> {
  return (await session.rows<KeyRow>(`SELECT ${KEY} FROM kshot_api_keys ORDER BY id`)).map(toRecord);
}

export async function addKey(
  session: Session,
  { name, hash, hint, access, bots, rate }: KeyInput,
  onlyFirst: boolean,
): Promise<KeyRecord | undefined> {
  await lockKeys(session);
  const { inForce } = await countKeys(session);
  if (onlyFirst && inForce > 0) return undefined;
  checkKeyCount(inForce);
  const [row] = await session.rows<KeyRow>(
    `INSERT INTO kshot_api_keys (name, hash, hint, access, bots, rate, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${KEY}`,
    [name, Buffer.from(hash), hint, access, bots, rate, new Date()],
  );
  return toRecord(row!);
}

export async function revokeKey(session: Session, id: number, mayBeLast: boolean): Promise<KeyRecord> {
  await lockKeys(session);
  const [row] = await session.rows<KeyRow>(`SELECT ${KEY} FROM kshot_api_keys WHERE id = $1`, [id]);
  if (row === undefined) throw unknownKey(id);
  if (row.revoked_at !== null) return toRecord(row);
  const isManaging = row.access === 'write' && row.bots === null;
  if (!mayBeLast && isManaging && (await countKeys(session)).managing === 1) throw lastManagingKey(id);
  const [revoked] = await session.rows<KeyRow>(
    `UPDATE kshot_api_keys SET revoked_at = $1 WHERE id = $2 RETURNING ${KEY}`,
    [new Date(), id],
  );
  await session.run(
    `DELETE FROM kshot_api_keys WHERE id IN (SELECT id FROM kshot_api_keys
       WHERE revoked_at IS NOT NULL ORDER BY revoked_at DESC, id DESC OFFSET $1)`,
    [MAX_REVOKED_KEYS],
  );
  return toRecord(revoked!);
}

export async function noteKeyUses(session: Session, uses: ReadonlyMap<number, string>): Promise<void> {
  await session.run(
    `UPDATE kshot_api_keys AS known SET last_used_at = used.at
     FROM unnest($1::bigint[], $2::timestamptz[]) AS used (id, at)
     WHERE known.id = used.id AND (known.last_used_at IS NULL OR known.last_used_at < used.at)`,
    [[...uses.keys()], [...uses.values()]],
  );
}

/** Writes to keys rest on how many there are: one at a time, in whichever process. */
async function lockKeys(session: Session): Promise<void> {
  await session.rows(`SELECT pg_advisory_xact_lock(${lockKey("'api keys'")})`);
}

async function countKeys(session: Session): Promise<{ inForce: number; managing: number }> {
  const [counts] = await session.rows<{ inForce: number; managing: number }>(
    `SELECT count(*) AS "inForce", count(*) FILTER (WHERE access = 'write' AND bots IS NULL) AS managing
     FROM kshot_api_keys WHERE revoked_at IS NULL`,
  );
  return counts!;
}

function toRecord(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    hint: row.hint,
    access: row.access,
    bots: row.bots,
    rate: row.rate,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
