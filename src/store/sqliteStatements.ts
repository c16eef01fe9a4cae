import type Database from 'better-sqlite3';
import type { BotCounts, TextKind, UnlabelledText } from './store.js';

export interface BotRow {
  readonly id: number;
  readonly name: string;
  /** JSON. */
  readonly settings: string;
  readonly revision: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface IntentRow {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
}

export interface TextRow {
  readonly id: number;
  readonly text: string;
}

export interface StoredTextRow extends TextRow {
  readonly kind: TextKind;
  /** The intent's name. */
  readonly intent: string | null;
}

/** A text beside its embedding, which is null if there is none. An array: cheaper to read in bulk. */
export type EmbeddedRow = readonly [
  id: number,
  kind: TextKind,
  intentId: number | null,
  text: string,
  vector: Buffer | null,
];

/** A row of bots with what COUNTS adds to it. */
export interface CountsRow {
  readonly intents: number;
  /** All of them, each intent's label included. */
  readonly texts: number;
  readonly counterexamples: number;
  readonly unlabelled: number;
}

const BOT = 'id, name, settings, revision, created_at, updated_at';

// How much a row `b` of bots holds. Every count is answered by an index alone.
export const COUNTS = `
  (SELECT count(*) FROM intents WHERE bot_id = b.id) AS intents,
  (SELECT count(*) FROM texts WHERE bot_id = b.id) AS texts,
  (SELECT count(*) FROM texts WHERE bot_id = b.id AND kind = 'counterexample') AS counterexamples,
  (SELECT count(*) FROM texts WHERE bot_id = b.id AND kind = 'unlabelled') AS unlabelled`;

const COUNTED_BOTS = `SELECT ${BOT}, ${COUNTS} FROM bots b WHERE version_of IS NULL`;

export function toCounts({ intents, texts, counterexamples, unlabelled }: CountsRow): BotCounts {
  return { intents, examples: texts - intents - counterexamples - unlabelled, counterexamples };
}

export type Statements = ReturnType<typeof prepareStatements>;

/** Every statement of the SQLite store, prepared once. Parameters are in the order of the question marks. */
export function prepareStatements(db: Database.Database) {
  return {
    listBots: db.prepare<[], BotRow>(`SELECT ${BOT} FROM bots WHERE version_of IS NULL ORDER BY name`),
    countBots: db.prepare<[], BotRow & CountsRow>(`${COUNTED_BOTS} ORDER BY name`),
    countBot: db.prepare<[name: string], BotRow & CountsRow>(`${COUNTED_BOTS} AND name = ?`),
    findBot: db.prepare<[name: string], BotRow>(
      `SELECT ${BOT} FROM bots WHERE name = ? AND version_of IS NULL`,
    ),
    insertBot: db.prepare<[name: string, settings: string, createdAt: string, updatedAt: string], BotRow>(
      `INSERT INTO bots (name, settings, revision, created_at, updated_at) VALUES (?, ?, 0, ?, ?)
       RETURNING ${BOT}`,
    ),
    setSettings: db.prepare<[settings: string, botId: number]>('UPDATE bots SET settings = ? WHERE id = ?'),
    raiseRevision: db.prepare<[updatedAt: string, botId: number], BotRow>(
      `UPDATE bots SET revision = revision + 1, updated_at = ? WHERE id = ? RETURNING ${BOT}`,
    ),
    deleteBot: db.prepare<[name: string]>('DELETE FROM bots WHERE name = ? AND version_of IS NULL'),

    listIntents: db.prepare<[botId: number], IntentRow>(
      'SELECT id, name, description FROM intents WHERE bot_id = ? ORDER BY id',
    ),
    findIntent: db.prepare<[botId: number, name: string], IntentRow>(
      'SELECT id, name, description FROM intents WHERE bot_id = ? AND name = ?',
    ),
    insertIntent: db.prepare<[botId: number, name: string, description: string | null], IntentRow>(
      'INSERT INTO intents (bot_id, name, description) VALUES (?, ?, ?) RETURNING id, name, description',
    ),
    setDescription: db.prepare<[description: string | null, intentId: number]>(
      'UPDATE intents SET description = ? WHERE id = ?',
    ),
    setIntentName: db.prepare<[name: string, intentId: number]>('UPDATE intents SET name = ? WHERE id = ?'),
    deleteIntent: db.prepare<[intentId: number]>('DELETE FROM intents WHERE id = ?'),

    countTextsOfBot: db
      .prepare<[botId: number], number>(
        "SELECT count(*) FROM texts WHERE bot_id = ? AND kind <> 'unlabelled'",
      )
      .pluck(),
    readTextsOfBot: db
      .prepare<[fingerprint: string, botId: number], EmbeddedRow>(
        `SELECT t.id, t.kind, t.intent_id, t.text, e.vector
         FROM texts t LEFT JOIN embeddings e ON e.text_id = t.id
           AND e.encoder_id = (SELECT id FROM encoders WHERE fingerprint = ?)
         WHERE t.bot_id = ? AND t.kind <> 'unlabelled' ORDER BY t.id`,
      )
      .raw(),
    listTextsOfIntent: db.prepare<[intentId: number, kind: TextKind], TextRow>(
      'SELECT id, text FROM texts WHERE intent_id = ? AND kind = ? ORDER BY id',
    ),
    listCounterexamples: db.prepare<[botId: number], TextRow>(
      `SELECT id, text FROM texts WHERE bot_id = ? AND kind = 'counterexample' ORDER BY id`,
    ),
    findExampleByText: db.prepare<[intentId: number, text: string], TextRow>(
      `SELECT id, text FROM texts WHERE intent_id = ? AND kind = 'example' AND text = ?`,
    ),
    findCounterexampleByText: db.prepare<[botId: number, text: string], TextRow>(
      `SELECT id, text FROM texts WHERE bot_id = ? AND kind = 'counterexample' AND text = ?`,
    ),
    findCounterexampleById: db.prepare<[botId: number, id: number], TextRow>(
      `SELECT id, text FROM texts WHERE bot_id = ? AND kind = 'counterexample' AND id = ?`,
    ),
    findExampleById: db.prepare<[intentId: number, id: number], TextRow>(
      `SELECT id, text FROM texts WHERE intent_id = ? AND kind = 'example' AND id = ?`,
    ),
    insertText: db
      .prepare<[botId: number, intentId: number | null, kind: TextKind, text: string], number>(
        'INSERT INTO texts (bot_id, intent_id, kind, text) VALUES (?, ?, ?, ?) RETURNING id',
      )
      .pluck(),
    deleteText: db.prepare<[id: number]>('DELETE FROM texts WHERE id = ?'),

    // The conditions on `kind` are those of the partial indexes, word for word, else these are not used.
    hasUtterance: db
      .prepare<[botId: number, text: string], number>(
        "SELECT 1 FROM texts WHERE bot_id = ? AND text = ? AND kind <> 'label'",
      )
      .pluck(),
    insertUnlabelled: db
      .prepare<[botId: number, source: string, text: string], number>(
        "INSERT INTO texts (bot_id, kind, source, text) VALUES (?, 'unlabelled', ?, ?) RETURNING id",
      )
      .pluck(),
    countUnlabelled: db
      .prepare<[botId: number], number>("SELECT count(*) FROM texts WHERE bot_id = ? AND kind = 'unlabelled'")
      .pluck(),
    listUnlabelled: db.prepare<[botId: number, after: number, limit: number], UnlabelledText>(
      `SELECT id, text, source FROM texts WHERE bot_id = ? AND kind = 'unlabelled' AND id > ?
       ORDER BY id LIMIT ?`,
    ),
    readUnlabelled: db.prepare<
      [fingerprint: string, botId: number, limit: number],
      UnlabelledText & { readonly vector: Buffer | null }
    >(
      `SELECT t.id, t.text, t.source, e.vector
       FROM texts t LEFT JOIN embeddings e ON e.text_id = t.id
         AND e.encoder_id = (SELECT id FROM encoders WHERE fingerprint = ?)
       WHERE t.bot_id = ? AND t.kind = 'unlabelled' ORDER BY t.id DESC LIMIT ?`,
    ),
    findUnlabelled: db.prepare<[botId: number, id: number], TextRow>(
      "SELECT id, text FROM texts WHERE bot_id = ? AND kind = 'unlabelled' AND id = ?",
    ),
    deleteUnlabelledText: db.prepare<[botId: number, text: string]>(
      "DELETE FROM texts WHERE bot_id = ? AND kind = 'unlabelled' AND text = ?",
    ),
    deleteUnlabelled: db.prepare<[botId: number]>(
      "DELETE FROM texts WHERE bot_id = ? AND kind = 'unlabelled'",
    ),
    deleteOldestUnlabelled: db.prepare<[botId: number, count: number]>(
      `DELETE FROM texts WHERE id IN (SELECT id FROM texts WHERE bot_id = ? AND kind = 'unlabelled'
         ORDER BY source DESC, id LIMIT ?)`,
    ),

    findEncoder: db
      .prepare<[fingerprint: string], number>('SELECT id FROM encoders WHERE fingerprint = ?')
      .pluck(),
    insertEncoder: db
      .prepare<[fingerprint: string], number>('INSERT INTO encoders (fingerprint) VALUES (?) RETURNING id')
      .pluck(),
    deleteOtherEncoders: db.prepare<[fingerprints: string]>(
      'DELETE FROM encoders WHERE fingerprint NOT IN (SELECT value FROM json_each(?))',
    ),

    addEmbedding: db.prepare<[textId: number, encoderId: number, vector: Buffer]>(
      'INSERT INTO embeddings (text_id, encoder_id, vector) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    findEmbedding: db
      .prepare<[textId: number, fingerprint: string], Buffer>(
        `SELECT vector FROM embeddings WHERE text_id = ?
           AND encoder_id = (SELECT id FROM encoders WHERE fingerprint = ?)`,
      )
      .pluck(),
    moveEmbeddings: db.prepare<[to: number, from: number]>(
      'UPDATE embeddings SET text_id = ? WHERE text_id = ?',
    ),
    // Nothing for a text that is gone.
    setEmbedding: db.prepare<[encoderId: number, vector: Buffer, textId: number]>(
      `INSERT INTO embeddings (text_id, encoder_id, vector) SELECT id, ?, ? FROM texts WHERE id = ?
       ON CONFLICT (text_id, encoder_id) DO UPDATE SET vector = excluded.vector`,
    ),
    countMissing: db
      .prepare<[fingerprint: string], number>(
        `SELECT (SELECT count(*) FROM texts) - (SELECT count(*) FROM embeddings
           WHERE encoder_id = (SELECT id FROM encoders WHERE fingerprint = ?))`,
      )
      .pluck(),
    listMissing: db.prepare<[from: number, fingerprint: string, limit: number], StoredTextRow>(
      `SELECT t.id, t.kind, i.name AS intent, t.text
       FROM texts t LEFT JOIN intents i ON i.id = t.intent_id
       WHERE t.id >= ? AND NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.text_id = t.id
         AND e.encoder_id = (SELECT id FROM encoders WHERE fingerprint = ?))
       ORDER BY t.id LIMIT ?`,
    ),
    countOtherEmbeddings: db
      .prepare<[fingerprints: string], number>(
        `SELECT count(*) FROM embeddings WHERE encoder_id IN
           (SELECT id FROM encoders WHERE fingerprint NOT IN (SELECT value FROM json_each(?)))`,
      )
      .pluck(),

    /** Reads a page of the file, so that a file that cannot be read is noticed. */
    ping: db.prepare<[], number>('SELECT 1 FROM bots LIMIT 1').pluck(),
  };
}
