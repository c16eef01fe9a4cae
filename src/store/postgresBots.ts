import type { Session } from './postgresConnection.js';
import { BOT, type BotRow, type IntentRow, type TextRow } from './postgresRows.js';
import { unknownBot, unknownExample, unknownIntent } from './refusals.js';

// Bots and what belongs to them, by their names. A get throws KshotError where there is none.

export async function findBot(session: Session, bot: string, lock = ''): Promise<BotRow | undefined> {
  const [row] = await session.rows<BotRow>(
    `SELECT ${BOT} FROM kshot_bots WHERE name = $1 AND version_of IS NULL ${lock}`,
    [bot],
  );
  return row;
}

export async function getBot(session: Session, bot: string): Promise<BotRow> {
  const row = await findBot(session, bot);
  if (row === undefined) throw unknownBot(bot);
  return row;
}

/** Makes other writes to the bot wait for the end of the transaction. */
const LOCKED = 'FOR NO KEY UPDATE';

export async function lockBot(session: Session, bot: string): Promise<BotRow> {
  const row = await findBot(session, bot, LOCKED);
  if (row === undefined) throw unknownBot(bot);
  return row;
}

/** A bot that did not exist is at revision 0: the write that creates it has yet to raise it. */
export async function lockOrMakeBot(session: Session, bot: string): Promise<BotRow> {
  for (;;) {
    const row = await findBot(session, bot, LOCKED);
    if (row !== undefined) return row;
    // Where another transaction makes it at the same time, this waits for the end of that.
    await session.run(
      `INSERT INTO kshot_bots (name, settings, revision, created_at, updated_at) VALUES ($1, '{}', 0, $2, $2)
       ON CONFLICT (name) WHERE version_of IS NULL DO NOTHING`,
      [bot, new Date()],
    );
  }
}

export function listIntents(session: Session, bot: BotRow): Promise<IntentRow[]> {
  return session.rows('SELECT id, name, description FROM kshot_intents WHERE bot_id = $1 ORDER BY id', [
    bot.id,
  ]);
}

export async function findIntent(
  session: Session,
  bot: BotRow,
  intent: string,
): Promise<IntentRow | undefined> {
  const [row] = await session.rows<IntentRow>(
    'SELECT id, name, description FROM kshot_intents WHERE bot_id = $1 AND name = $2',
    [bot.id, intent],
  );
  return row;
}

export async function getIntent(session: Session, bot: BotRow, intent: string): Promise<IntentRow> {
  const row = await findIntent(session, bot, intent);
  if (row === undefined) throw unknownIntent(bot.name, intent);
  return row;
}

export async function getExample(
  session: Session,
  bot: BotRow,
  intent: IntentRow,
  id: number,
): Promise<TextRow> {
  const [row] = await session.rows<TextRow>(
    `SELECT id, text FROM kshot_texts WHERE intent_id = $1 AND kind = 'example' AND id = $2`,
    [intent.id, id],
  );
  if (row === undefined) throw unknownExample(bot.name, intent.name, id);
  return row;
}
