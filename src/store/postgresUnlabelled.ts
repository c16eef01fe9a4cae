import { EmbeddedRows } from './embeddedRows.js';
import type { Session } from './postgresConnection.js';
import { type BotRow, encoderIdOf, insertEmbeddings, insertTexts, type TextRow } from './postgresRows.js';
import { unknownText } from './refusals.js';
import {
  type EmbeddedText,
  type EmbeddedUnlabelled,
  MAX_UNLABELLED,
  type PageQuery,
  type TextSource,
  type UnlabelledOutcome,
  type UnlabelledPage,
  type UnlabelledText,
} from './store.js';
import { distinctTexts } from './textPlan.js';

// The texts of bots whose intent is not known; what writes is to be called with the bot's row locked.

/** Under which encoder embeddings are asked for, and of which store, for errors. */
interface Asked {
  readonly fingerprint: string;
  readonly location: string;
}

interface Given {
  readonly source: TextSource;
  readonly texts: readonly EmbeddedText[];
  readonly fingerprint: string;
}

export async function addUnlabelled(
  session: Session,
  { id: botId }: BotRow,
  { source, texts, fingerprint }: Given,
): Promise<UnlabelledOutcome> {
  const wanted = distinctTexts(texts);
  const present = await session.rows<{ text: string }>(
    `SELECT text FROM kshot_texts WHERE bot_id = $1 AND kind <> 'label'
       AND digest IN (SELECT kshot_digest(given) FROM unnest($2::text[]) AS given)`,
    [botId, [...wanted.keys()]],
  );
  for (const { text } of present) wanted.delete(text);
  const ids = await insertTexts(
    session,
    botId,
    [...wanted.keys()].map((text) => ({ kind: 'unlabelled', intentId: null, source, text })),
  );
  const embeddings = [...wanted.values()].map((embedding, i) => ({ id: ids[i]!, embedding }));
  if (ids.length > 0) await insertEmbeddings(session, await encoderIdOf(session, fingerprint), embeddings);
  const total = await countUnlabelled(session, botId);
  const dropped = Math.max(0, total - MAX_UNLABELLED);
  if (dropped > 0) {
    await session.run(
      `DELETE FROM kshot_texts WHERE id IN (SELECT id FROM kshot_texts WHERE bot_id = $1 AND kind = 'unlabelled'
         ORDER BY source DESC, id LIMIT $2)`,
      [botId, dropped],
    );
  }
  return { added: ids.length, known: texts.length - ids.length, dropped, total: total - dropped };
}

export async function listUnlabelled(
  session: Session,
  { id }: BotRow,
  { after, limit }: PageQuery,
): Promise<UnlabelledPage> {
  const texts = await session.rows<UnlabelledText>(
    `SELECT id, text, source FROM kshot_texts WHERE bot_id = $1 AND kind = 'unlabelled' AND id > $2
     ORDER BY id LIMIT $3`,
    [id, after, limit],
  );
  return { texts, total: await countUnlabelled(session, id) };
}

/** The newest, newest first. */
export async function readUnlabelled(
  session: Session,
  bot: BotRow,
  { fingerprint, location, limit }: Asked & { readonly limit: number },
): Promise<EmbeddedUnlabelled> {
  const rows = await session.rows<UnlabelledText & { vector: Buffer | null }>(
    `SELECT t.id, t.text, t.source, e.vector
     FROM kshot_texts t LEFT JOIN kshot_embeddings e ON e.text_id = t.id
       AND e.encoder_id = (SELECT id FROM kshot_encoders WHERE fingerprint = $1)
     WHERE t.bot_id = $2 AND t.kind = 'unlabelled' ORDER BY t.id DESC LIMIT $3`,
    [fingerprint, bot.id, limit],
  );
  const texts = new EmbeddedRows(location, bot.name, rows.length);
  for (const { id, vector } of rows) texts.add(id, vector);
  return { texts: rows.map(({ id, text, source }) => ({ id, text, source })), embeddings: texts.embeddings };
}

export async function findUnlabelled(
  session: Session,
  bot: BotRow,
  { fingerprint, location, id }: Asked & { readonly id: number },
): Promise<EmbeddedText> {
  const { text } = await getUnlabelled(session, bot, id);
  const [row] = await session.rows<{ vector: Buffer }>(
    `SELECT vector FROM kshot_embeddings WHERE text_id = $1
       AND encoder_id = (SELECT id FROM kshot_encoders WHERE fingerprint = $2)`,
    [id, fingerprint],
  );
  const embedding = new EmbeddedRows(location, bot.name, 1);
  embedding.add(id, row?.vector ?? null);
  return { text, embedding: embedding.embeddings };
}

export async function removeUnlabelled(session: Session, bot: BotRow, id: number): Promise<void> {
  await session.run('DELETE FROM kshot_texts WHERE id = $1', [(await getUnlabelled(session, bot, id)).id]);
}

/** @returns how many there were. */
export function clearUnlabelled(session: Session, { id }: BotRow): Promise<number> {
  return session.run(`DELETE FROM kshot_texts WHERE bot_id = $1 AND kind = 'unlabelled'`, [id]);
}

/** @throws KshotError `unknown_text`. */
export async function getUnlabelled(session: Session, bot: BotRow, id: number): Promise<TextRow> {
  const [row] = await session.rows<TextRow>(
    `SELECT id, text FROM kshot_texts WHERE bot_id = $1 AND kind = 'unlabelled' AND id = $2`,
    [bot.id, id],
  );
  if (row === undefined) throw unknownText(bot.name, id);
  return row;
}

async function countUnlabelled(session: Session, botId: number): Promise<number> {
  const [row] = await session.rows<{ count: number }>(
    "SELECT count(*) AS count FROM kshot_texts WHERE bot_id = $1 AND kind = 'unlabelled'",
    [botId],
  );
  return row!.count;
}
