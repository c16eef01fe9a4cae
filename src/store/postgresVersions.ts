import { emptyMoves } from './aliasMoves.js';
import type { Session } from './postgresConnection.js';
import { BOT, type BotRow, COUNTS } from './postgresRows.js';
import {
  nameTaken,
  nothingToRollBack,
  unknownAlias,
  unknownVersion,
  versionExists,
  versionInUse,
} from './refusals.js';
import {
  type AliasRecord,
  type BotCounts,
  MAX_ALIAS_MOVES,
  type Settings,
  type VersionRecord,
} from './store.js';

// The versions and aliases of bots; what writes is to be called with the bot's row locked.

interface VersionRow extends BotCounts {
  readonly id: number;
  readonly version: string;
  readonly note: string | null;
  readonly settings: Settings;
  readonly revision: number;
  readonly created_at: Date;
}

interface AliasRow {
  readonly id: number;
  readonly name: string;
}

interface MoveRow {
  readonly id: number;
  readonly alias_id: number;
  readonly version_id: number;
  readonly version: string;
  readonly moved_at: Date;
}

const VERSIONS = `
  SELECT b.id, b.version, b.note, b.settings, b.revision, b.created_at, ${COUNTS}
  FROM kshot_bots b WHERE b.version_of = $1`;

export async function listVersions(session: Session, bot: BotRow): Promise<VersionRecord[]> {
  return (await session.rows<VersionRow>(`${VERSIONS} ORDER BY b.id DESC`, [bot.id])).map(toRecord);
}

export async function saveVersion(
  session: Session,
  bot: BotRow,
  version: string,
  note: string | null,
): Promise<{ readonly created: boolean; readonly version: VersionRecord }> {
  const present = await findVersion(session, bot, version);
  if (present !== undefined) {
    if (present.revision === bot.revision) return { created: false, version: toRecord(present) };
    throw versionExists(bot.name, version, { holds: present.revision, bot: bot.revision });
  }
  if ((await findAlias(session, bot, version)) !== undefined) throw nameTaken(bot.name, version, 'version');
  const [copy] = await session.rows<{ id: number }>(
    `INSERT INTO kshot_bots (name, settings, revision, created_at, updated_at, version_of, version, note)
     SELECT name, settings, revision, $2, $2, id, $3, $4 FROM kshot_bots WHERE id = $1 RETURNING id`,
    [bot.id, new Date(), version, note],
  );
  const both = [bot.id, copy!.id];
  await session.run(
    `INSERT INTO kshot_intents (bot_id, name, description)
     SELECT $2, name, description FROM kshot_intents WHERE bot_id = $1 ORDER BY id`,
    both,
  );
  await session.run(
    `INSERT INTO kshot_texts (bot_id, intent_id, kind, text)
     SELECT $2, copy.id, t.kind, t.text
     FROM kshot_texts t LEFT JOIN kshot_intents i ON i.id = t.intent_id
       LEFT JOIN kshot_intents copy ON copy.bot_id = $2 AND copy.name = i.name
     WHERE t.bot_id = $1 AND t.kind <> 'unlabelled' ORDER BY t.id`,
    both,
  );
  // The copies are in the order of their originals.
  await session.run(
    `WITH
       originals AS (SELECT id, row_number() OVER (ORDER BY id) AS position
         FROM kshot_texts WHERE bot_id = $1 AND kind <> 'unlabelled'),
       copies AS (SELECT id, row_number() OVER (ORDER BY id) AS position FROM kshot_texts WHERE bot_id = $2)
     INSERT INTO kshot_embeddings (text_id, encoder_id, vector)
     SELECT copies.id, e.encoder_id, e.vector
     FROM originals JOIN copies USING (position) JOIN kshot_embeddings e ON e.text_id = originals.id`,
    both,
  );
  return { created: true, version: toRecord(await getVersion(session, bot, version)) };
}

/** The row that holds what a version holds. */
export async function findVersionContents(
  session: Session,
  bot: BotRow,
  version: string,
): Promise<BotRow | undefined> {
  const [row] = await session.rows<BotRow>(
    `SELECT ${BOT} FROM kshot_bots WHERE version_of = $1 AND version = $2`,
    [bot.id, version],
  );
  return row;
}

export async function removeVersion(session: Session, bot: BotRow, version: string): Promise<void> {
  const { id } = await getVersion(session, bot, version);
  const aliases = await readAliases(session, bot);
  const users = aliases.filter(({ moves }) => moves[0]?.version_id === id).map(({ name }) => name);
  if (users.length > 0) throw versionInUse(bot.name, version, users);
  const empty = aliases.flatMap(({ moves }) => emptyMoves(moves.filter((move) => move.version_id !== id)));
  await removeMoves(session, empty);
  await session.run('DELETE FROM kshot_bots WHERE id = $1', [id]); // And the moves to it.
}

export async function listAliases(session: Session, bot: BotRow): Promise<AliasRecord[]> {
  return (await readAliases(session, bot)).map(toAlias);
}

export async function moveAlias(
  session: Session,
  bot: BotRow,
  name: string,
  version: string,
): Promise<{ readonly created: boolean; readonly alias: AliasRecord }> {
  const { id } = await getVersion(session, bot, version);
  const present = await findAlias(session, bot, name);
  if (present === undefined && (await findVersion(session, bot, name)) !== undefined) {
    throw nameTaken(bot.name, name, 'alias');
  }
  const alias = present ?? (await makeAlias(session, bot, name));
  const { moves } = await getAlias(session, bot, name);
  if (moves[0]?.version_id !== id) {
    await session.run('INSERT INTO kshot_alias_moves (alias_id, version_id, moved_at) VALUES ($1, $2, $3)', [
      alias.id,
      id,
      new Date(),
    ]);
    await removeMoves(session, moves.slice(MAX_ALIAS_MOVES - 1));
  }
  return { created: present === undefined, alias: toAlias(await getAlias(session, bot, name)) };
}

export async function rollBackAlias(session: Session, bot: BotRow, name: string): Promise<AliasRecord> {
  const { moves } = await getAlias(session, bot, name);
  const [present, before] = moves;
  if (present === undefined || before === undefined) throw nothingToRollBack(bot.name, name);
  await removeMoves(session, [present]);
  await session.run('UPDATE kshot_alias_moves SET moved_at = $2 WHERE id = $1', [before.id, new Date()]);
  return toAlias(await getAlias(session, bot, name));
}

export async function removeAlias(session: Session, bot: BotRow, name: string): Promise<void> {
  const removed = await session.run('DELETE FROM kshot_aliases WHERE bot_id = $1 AND name = $2', [
    bot.id,
    name,
  ]);
  if (removed === 0) throw unknownAlias(bot.name, name);
}

async function findVersion(session: Session, bot: BotRow, version: string): Promise<VersionRow | undefined> {
  const [row] = await session.rows<VersionRow>(`${VERSIONS} AND b.version = $2`, [bot.id, version]);
  return row;
}

async function getVersion(session: Session, bot: BotRow, version: string): Promise<VersionRow> {
  const row = await findVersion(session, bot, version);
  if (row === undefined) throw unknownVersion(bot.name, version);
  return row;
}

async function findAlias(session: Session, bot: BotRow, name: string): Promise<AliasRow | undefined> {
  const [row] = await session.rows<AliasRow>(
    'SELECT id, name FROM kshot_aliases WHERE bot_id = $1 AND name = $2',
    [bot.id, name],
  );
  return row;
}

async function makeAlias(session: Session, bot: BotRow, name: string): Promise<AliasRow> {
  const [row] = await session.rows<AliasRow>(
    'INSERT INTO kshot_aliases (bot_id, name) VALUES ($1, $2) RETURNING id, name',
    [bot.id, name],
  );
  return row!;
}

/** All of a bot's aliases, or one; with their moves, newest first. */
async function readAliases(session: Session, bot: BotRow, name: string | null = null) {
  const aliases = await session.rows<AliasRow>(
    'SELECT id, name FROM kshot_aliases WHERE bot_id = $1 AND name = coalesce($2, name) ORDER BY name',
    [bot.id, name],
  );
  const moves = await session.rows<MoveRow>(
    `SELECT m.id, m.alias_id, m.version_id, v.version, m.moved_at
     FROM kshot_alias_moves m JOIN kshot_bots v ON v.id = m.version_id
     WHERE m.alias_id = ANY ($1::bigint[]) ORDER BY m.id DESC`,
    [aliases.map(({ id }) => id)],
  );
  return aliases.map((alias) => ({
    ...alias,
    moves: moves.filter((move) => move.alias_id === alias.id),
  }));
}

async function getAlias(session: Session, bot: BotRow, name: string) {
  const [alias] = await readAliases(session, bot, name);
  if (alias === undefined) throw unknownAlias(bot.name, name);
  return alias;
}

async function removeMoves(session: Session, moves: readonly MoveRow[]): Promise<void> {
  if (moves.length === 0) return;
  await session.run('DELETE FROM kshot_alias_moves WHERE id = ANY ($1::bigint[])', [
    moves.map(({ id }) => id),
  ]);
}

function toRecord(row: VersionRow): VersionRecord {
  const {
    version,
    note,
    revision,
    settings,
    created_at: createdAt,
    intents,
    examples,
    counterexamples,
  } = row;
  return {
    name: version,
    note,
    revision,
    settings,
    createdAt: createdAt.toISOString(),
    intents,
    examples,
    counterexamples,
  };
}

/** An alias has been moved at least once. */
function toAlias({ name, moves }: AliasRow & { readonly moves: readonly MoveRow[] }): AliasRecord {
  const [present, ...history] = moves.map((move) => ({
    version: move.version,
    movedAt: move.moved_at.toISOString(),
  }));
  return { name, ...present!, history };
}
