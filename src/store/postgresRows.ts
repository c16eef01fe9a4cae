import type { Session } from './postgresConnection.js';
import { widthOf } from './embeddedRows.js';
import type { BotRecord, Settings, TextKind } from './store.js';

export interface BotRow {
  readonly id: number;
  readonly name: string;
  readonly settings: Settings;
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  /** Counts what happened to its versions and aliases. */
  readonly catalog: number;
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

/** What is to be inserted. */
export interface NewText {
  readonly kind: TextKind;
  readonly intentId: number | null;
  /** Of an unlabelled text. */
  readonly source?: string;
  readonly text: string;
}

export interface TextEmbedding {
  readonly id: number;
  readonly embedding: Float32Array;
}

export const BOT = 'id, name, settings, revision, created_at, updated_at, catalog';

// How much a row `b` of bots holds.
export const COUNTS = `
  (SELECT count(*) FROM kshot_intents WHERE bot_id = b.id) AS intents,
  (SELECT count(*) FROM kshot_texts WHERE bot_id = b.id AND kind = 'example') AS examples,
  (SELECT count(*) FROM kshot_texts WHERE bot_id = b.id AND kind = 'counterexample') AS counterexamples`;

/** Embeddings written in one statement: 6 MB of 384 numbers each. */
const EMBEDDINGS_A_STATEMENT = 4_096;

export function toBotRecord(row: BotRow): BotRecord {
  return {
    id: row.id,
    name: row.name,
    settings: row.settings,
    revision: row.revision,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** @returns their ids, in their order, which is that of the texts. */
export async function insertTexts(
  session: Session,
  botId: number,
  texts: readonly NewText[],
): Promise<number[]> {
  if (texts.length === 0) return [];
  const rows = await session.rows<{ id: number }>(
    `INSERT INTO kshot_texts (bot_id, intent_id, kind, source, text)
     SELECT $1, intent_id, kind, source, text
     FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
       AS given (intent_id, kind, source, text, place)
     ORDER BY place RETURNING id`,
    [
      botId,
      texts.map(({ intentId }) => intentId),
      texts.map(({ kind }) => kind),
      texts.map(({ source }) => source ?? null),
      texts.map(({ text }) => text),
    ],
  );
  return rows.map(({ id }) => id).sort((a, b) => a - b);
}

/**
 * Writes embeddings of texts, which travel as one row of bytes: an array of them would be spelt out in digits.
 *
 * @param replace whether those that there are give way; else they stay.
 * @throws RangeError where they differ in length.
 */
export async function insertEmbeddings(
  session: Session,
  encoderId: number,
  texts: readonly TextEmbedding[],
  replace = false,
): Promise<void> {
  for (let from = 0; from < texts.length; from += EMBEDDINGS_A_STATEMENT) {
    const slice = texts.slice(from, from + EMBEDDINGS_A_STATEMENT);
    const bytes = Buffer.concat(slice.map(({ embedding }) => toBytes(embedding)));
    const width = bytes.length / slice.length;
    if (slice.some(({ embedding }) => embedding.byteLength !== width)) {
      throw new RangeError('embeddings of one write are of different lengths');
    }
    await session.run(
      // Nothing for a text that is gone, or is about to be: its row is waited for.
      `INSERT INTO kshot_embeddings (text_id, encoder_id, vector)
       SELECT id, $2, substring($3::bytea FROM ((place - 1) * $4::int + 1)::int FOR $4::int)
       FROM (SELECT texts.id, place FROM unnest($1::bigint[]) WITH ORDINALITY AS given (id, place)
         JOIN kshot_texts texts ON texts.id = given.id ORDER BY texts.id FOR KEY SHARE OF texts) AS present
       ON CONFLICT (text_id, encoder_id) DO ${replace ? 'UPDATE SET vector = excluded.vector' : 'NOTHING'}`,
      [slice.map(({ id }) => id), encoderId, bytes, width],
    );
  }
}

/** @param embeddings `[ids.length, D]` */
export function embeddingsOf(ids: readonly number[], embeddings: Float32Array): TextEmbedding[] {
  const width = widthOf(embeddings, ids.length);
  return ids.map((id, row) => ({ id, embedding: embeddings.subarray(row * width, (row + 1) * width) }));
}

export async function encoderIdOf(session: Session, fingerprint: string): Promise<number> {
  for (;;) {
    const [known] = await session.rows<{ id: number }>(
      'SELECT id FROM kshot_encoders WHERE fingerprint = $1',
      [fingerprint],
    );
    if (known !== undefined) return known.id;
    await session.run('INSERT INTO kshot_encoders (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING', [
      fingerprint,
    ]);
  }
}

/** The bytes of an embedding `[D]`, not copied: Float32, little-endian like every machine that kshot runs on. */
function toBytes(embedding: Float32Array): Buffer {
  return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
}
