import type { BotNews, BotRevision } from './changeFeed.js';
import { EmbeddedRows } from './embeddedRows.js';
import type { Session } from './postgresConnection.js';
import { BOT, type BotRow, toBotRecord } from './postgresRows.js';
import type { Change, IntentRecord, StoredText } from './store.js';

/** What one write did, as it is remembered. */
interface ChangeRow {
  readonly added: readonly number[];
  readonly removed: readonly StoredText[];
  readonly put: readonly string[];
  readonly dropped: readonly string[];
  readonly renamed: Change['renamed'] | null;
}

interface Asked {
  readonly bot: string;
  readonly since: BotRevision | undefined;
  readonly fingerprint: string;
  /** Of the store, for errors. */
  readonly location: string;
}

/** Remembered changes, as `ChangeFeed.readNews` promises them; the session sees one state of the database. */
export async function readNews(
  session: Session,
  { bot, since, fingerprint, location }: Asked,
): Promise<BotNews> {
  const [row] = await session.rows<BotRow>(
    `SELECT ${BOT} FROM kshot_bots WHERE name = $1 AND version_of IS NULL`,
    [bot],
  );
  if (row === undefined) return { kind: 'gone' };
  if (row.id !== since?.id || row.revision < since.revision) return { kind: 'anew' };
  if (row.revision === since.revision) return { kind: 'same' };

  const changes = await session.rows<ChangeRow>(
    'SELECT added, removed, put, dropped, renamed FROM kshot_changes WHERE bot_id = $1 AND revision > $2 ORDER BY revision',
    [row.id, since.revision],
  );
  // Some are remembered no longer, or were too large to be.
  if (changes.length < row.revision - since.revision) return { kind: 'anew' };

  // What others did to the intent goes by its former name, or by its new one.
  const renamed = changes.find((change) => change.renamed !== null)?.renamed ?? undefined;
  if (renamed !== undefined && changes.length > 1) return { kind: 'anew' };

  const put = await readIntents(session, row, new Set(changes.flatMap((change) => change.put)));
  const dropped = new Set(changes.flatMap((change) => change.dropped));
  // Deleted and made again, an intent is behind those that were there before; as one change it would stay where it was.
  if (put.some(({ name }) => dropped.has(name))) return { kind: 'anew' };

  const ids = new Set(changes.flatMap((change) => change.added));
  const added = await readTexts(session, fingerprint, [...ids]);
  const rows = new EmbeddedRows(location, bot, added.length);
  for (const { id, vector } of added) rows.add(id, vector);
  return {
    kind: 'changed',
    change: {
      bot: toBotRecord(row),
      added: added.map(({ id, kind, intent, text }) => ({ id, kind, intent, text })),
      // What came and went meanwhile was never seen.
      removed: changes.flatMap((change) => change.removed).filter(({ id }) => !ids.has(id)),
      ...(renamed && { renamed }),
    },
    embeddings: rows.embeddings,
    put,
  };
}

/** Those that are there still, in the order in which they were made. */
function readIntents(session: Session, bot: BotRow, names: ReadonlySet<string>): Promise<IntentRecord[]> {
  return session.rows(
    'SELECT name, description FROM kshot_intents WHERE bot_id = $1 AND name = ANY ($2::text[]) ORDER BY id',
    [bot.id, [...names]],
  );
}

function readTexts(
  session: Session,
  fingerprint: string,
  ids: readonly number[],
): Promise<(StoredText & { readonly vector: Buffer | null })[]> {
  return session.rows(
    `SELECT t.id, t.kind, i.name AS intent, t.text, e.vector
     FROM kshot_texts t LEFT JOIN kshot_intents i ON i.id = t.intent_id
       LEFT JOIN kshot_embeddings e ON e.text_id = t.id
         AND e.encoder_id = (SELECT id FROM kshot_encoders WHERE fingerprint = $1)
     WHERE t.id = ANY ($2::bigint[]) ORDER BY t.id`,
    [fingerprint, [...ids]],
  );
}
