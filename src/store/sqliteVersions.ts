import type Database from 'better-sqlite3';
import { emptyMoves } from './aliasMoves.js';
import {
  nameTaken,
  nothingToRollBack,
  unknownAlias,
  unknownVersion,
  versionExists,
  versionInUse,
} from './refusals.js';
import { some } from './sqliteEdit.js';
import { type BotRow, COUNTS, type CountsRow, toCounts } from './sqliteStatements.js';
import {
  type AliasMove,
  type AliasRecord,
  MAX_ALIAS_MOVES,
  type Settings,
  type VersionRecord,
} from './store.js';

interface VersionRow extends CountsRow {
  readonly id: number;
  readonly version: string;
  readonly note: string | null;
  /** JSON. */
  readonly settings: string;
  readonly revision: number;
  readonly created_at: string;
}

interface AliasRow {
  readonly id: number;
  readonly name: string;
}

interface MoveRow {
  readonly id: number;
  readonly version_id: number;
  readonly version: string;
  readonly moved_at: string;
}

const VERSIONS = `
  SELECT b.id, b.version, b.note, b.settings, b.revision, b.created_at, ${COUNTS}
  FROM bots b WHERE b.version_of = ?`;

function prepareStatements(db: Database.Database) {
  return {
    list: db.prepare<[botId: number], VersionRow>(`${VERSIONS} ORDER BY b.id DESC`),
    find: db.prepare<[botId: number, version: string], VersionRow>(`${VERSIONS} AND b.version = ?`),
    contentsOf: db.prepare<[versionId: number], BotRow>(
      'SELECT id, name, settings, revision, created_at, updated_at FROM bots WHERE id = ?',
    ),
    remove: db.prepare<[versionId: number]>('DELETE FROM bots WHERE id = ?'),

    insert: db
      .prepare<
        [createdAt: string, updatedAt: string, version: string, note: string | null, botId: number],
        number
      >(
        `INSERT INTO bots (name, settings, revision, created_at, updated_at, version_of, version, note)
         SELECT name, settings, revision, ?, ?, id, ?, ? FROM bots WHERE id = ? RETURNING id`,
      )
      .pluck(),
    copyIntents: db.prepare<{ readonly from: number; readonly to: number }>(
      `INSERT INTO intents (bot_id, name, description)
       SELECT :to, name, description FROM intents WHERE bot_id = :from ORDER BY id`,
    ),
    copyTexts: db.prepare<{ readonly from: number; readonly to: number }>(
      `INSERT INTO texts (bot_id, intent_id, kind, text)
       SELECT :to, copy.id, t.kind, t.text
       FROM texts t LEFT JOIN intents i ON i.id = t.intent_id
         LEFT JOIN intents copy ON copy.bot_id = :to AND copy.name = i.name
       WHERE t.bot_id = :from AND t.kind <> 'unlabelled' ORDER BY t.id`,
    ),
    // The copies are in the order of their originals.
    copyEmbeddings: db.prepare<{ readonly from: number; readonly to: number }>(
      `WITH
         originals AS (SELECT id, row_number() OVER (ORDER BY id) AS position
           FROM texts WHERE bot_id = :from AND kind <> 'unlabelled'),
         copies AS (SELECT id, row_number() OVER (ORDER BY id) AS position FROM texts WHERE bot_id = :to)
       INSERT INTO embeddings (text_id, encoder_id, vector)
       SELECT copies.id, e.encoder_id, e.vector
       FROM originals JOIN copies USING (position) JOIN embeddings e ON e.text_id = originals.id
       ORDER BY copies.id`,
    ),

    listAliases: db.prepare<[botId: number], AliasRow>(
      'SELECT id, name FROM aliases WHERE bot_id = ? ORDER BY name',
    ),
    findAlias: db.prepare<[botId: number, name: string], AliasRow>(
      'SELECT id, name FROM aliases WHERE bot_id = ? AND name = ?',
    ),
    insertAlias: db.prepare<[botId: number, name: string], AliasRow>(
      'INSERT INTO aliases (bot_id, name) VALUES (?, ?) RETURNING id, name',
    ),
    removeAlias: db.prepare<[aliasId: number]>('DELETE FROM aliases WHERE id = ?'),

    listMoves: db.prepare<[aliasId: number], MoveRow>(
      `SELECT m.id, m.version_id, v.version, m.moved_at
       FROM alias_moves m JOIN bots v ON v.id = m.version_id WHERE m.alias_id = ? ORDER BY m.id DESC`,
    ),
    insertMove: db.prepare<[aliasId: number, versionId: number, movedAt: string]>(
      'INSERT INTO alias_moves (alias_id, version_id, moved_at) VALUES (?, ?, ?)',
    ),
    setMovedAt: db.prepare<[movedAt: string, moveId: number]>(
      'UPDATE alias_moves SET moved_at = ? WHERE id = ?',
    ),
    removeMove: db.prepare<[moveId: number]>('DELETE FROM alias_moves WHERE id = ?'),
  };
}

/** The versions and aliases of bots. Every method is to be called within a transaction. */
export class SqliteVersions {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(db: Database.Database) {
    this.#sql = prepareStatements(db);
  }

  list(bot: BotRow): VersionRecord[] {
    return this.#sql.list.all(bot.id).map(toRecord);
  }

  save(
    bot: BotRow,
    version: string,
    note: string | null,
  ): { readonly created: boolean; readonly version: VersionRecord } {
    const present = this.#sql.find.get(bot.id, version);
    if (present !== undefined) {
      if (present.revision === bot.revision) return { created: false, version: toRecord(present) };
      throw versionExists(bot.name, version, { holds: present.revision, bot: bot.revision });
    }
    if (this.#sql.findAlias.get(bot.id, version) !== undefined) throw nameTaken(bot.name, version, 'version');
    const now = new Date().toISOString();
    const copy = { from: bot.id, to: some(this.#sql.insert.get(now, now, version, note, bot.id)) };
    this.#sql.copyIntents.run(copy);
    this.#sql.copyTexts.run(copy);
    this.#sql.copyEmbeddings.run(copy);
    return { created: true, version: toRecord(some(this.#sql.find.get(bot.id, version))) };
  }

  /** The row that holds what a version holds; undefined where there is no such version. */
  contentsOf(bot: BotRow, version: string): BotRow | undefined {
    const row = this.#sql.find.get(bot.id, version);
    return row && this.#sql.contentsOf.get(row.id);
  }

  /** The same. @throws KshotError `unknown_version`. */
  getContentsOf(bot: BotRow, version: string): BotRow {
    return some(this.#sql.contentsOf.get(this.#get(bot, version).id));
  }

  remove(bot: BotRow, version: string): void {
    const { id } = this.#get(bot, version);
    const aliases = this.#sql.listAliases.all(bot.id).map((alias) => {
      return { name: alias.name, moves: this.#sql.listMoves.all(alias.id) };
    });
    const users = aliases.filter(({ moves }) => moves[0]?.version_id === id).map(({ name }) => name);
    if (users.length > 0) throw versionInUse(bot.name, version, users);
    for (const { moves } of aliases) {
      const rest = moves.filter((move) => move.version_id !== id);
      for (const move of emptyMoves(rest)) this.#sql.removeMove.run(move.id);
    }
    this.#sql.remove.run(id); // And the moves to it.
  }

  listAliases(bot: BotRow): AliasRecord[] {
    return this.#sql.listAliases.all(bot.id).map((alias) => this.#alias(alias));
  }

  moveAlias(
    bot: BotRow,
    name: string,
    version: string,
  ): { readonly created: boolean; readonly alias: AliasRecord } {
    const { id } = this.#get(bot, version);
    const present = this.#sql.findAlias.get(bot.id, name);
    if (present === undefined && this.#sql.find.get(bot.id, name) !== undefined)
      throw nameTaken(bot.name, name, 'alias');
    const alias = present ?? some(this.#sql.insertAlias.get(bot.id, name));
    const moves = this.#sql.listMoves.all(alias.id);
    if (moves[0]?.version_id !== id) {
      this.#sql.insertMove.run(alias.id, id, new Date().toISOString());
      for (const move of moves.slice(MAX_ALIAS_MOVES - 1)) this.#sql.removeMove.run(move.id);
    }
    return { created: present === undefined, alias: this.#alias(alias) };
  }

  rollBackAlias(bot: BotRow, name: string): AliasRecord {
    const alias = this.#getAlias(bot, name);
    const [present, before] = this.#sql.listMoves.all(alias.id);
    if (present === undefined || before === undefined) throw nothingToRollBack(bot.name, name);
    this.#sql.removeMove.run(present.id);
    this.#sql.setMovedAt.run(new Date().toISOString(), before.id);
    return this.#alias(alias);
  }

  removeAlias(bot: BotRow, name: string): void {
    this.#sql.removeAlias.run(this.#getAlias(bot, name).id);
  }

  #get(bot: BotRow, version: string): VersionRow {
    const row = this.#sql.find.get(bot.id, version);
    if (row === undefined) throw unknownVersion(bot.name, version);
    return row;
  }

  #getAlias(bot: BotRow, name: string): AliasRow {
    const row = this.#sql.findAlias.get(bot.id, name);
    if (row === undefined) throw unknownAlias(bot.name, name);
    return row;
  }

  #alias({ id, name }: AliasRow): AliasRecord {
    const [present, ...history] = this.#sql.listMoves.all(id).map(toMove);
    return { name, ...some(present), history };
  }
}

function toRecord(row: VersionRow): VersionRecord {
  const { version, note, settings, revision, created_at: createdAt } = row;
  return {
    name: version,
    note,
    revision,
    settings: JSON.parse(settings) as Settings,
    createdAt,
    ...toCounts(row),
  };
}

function toMove({ version, moved_at: movedAt }: MoveRow): AliasMove {
  return { version, movedAt };
}
