import { createHash } from 'node:crypto';
import type { BotNews, BotRevision, BotState, ChangeFeed, FeedWatcher } from './changeFeed.js';
import { EmbeddedRows } from './embeddedRows.js';
import { importInputOf } from './importInput.js';
import { type ConnectionOptions, PostgresConnection, type Session } from './postgresConnection.js';
import {
  findBot,
  findIntent,
  getBot,
  getExample,
  getIntent,
  listIntents,
  lockBot,
  lockOrMakeBot,
} from './postgresBots.js';
import { BotEdit } from './postgresEdit.js';
import { encoderLockKey, jobNoticeOf, noticeOf, PostgresFeed, readStates } from './postgresFeed.js';
import { lockKey, markNew, migrate } from './postgresMigrations.js';
import { readNews } from './postgresNews.js';
import {
  BOT,
  type BotRow,
  COUNTS,
  embeddingsOf,
  encoderIdOf,
  insertEmbeddings,
  type TextRow,
  toBotRecord,
} from './postgresRows.js';
import {
  addEvaluation,
  findEvaluation,
  finishEvaluation,
  listEvaluations,
  readEvaluation,
  removeEvaluation,
} from './postgresEvaluations.js';
import {
  addJob,
  cancelJob,
  cancelJobsOf,
  endJob,
  giveJobBack,
  listJobs,
  readJob,
  removeJob,
  renewJob,
  takeJob,
  takeJobsBack,
} from './postgresJobs.js';
import { addKey, listKeys, noteKeyUses, revokeKey } from './postgresKeys.js';
import {
  addUnlabelled,
  clearUnlabelled,
  findUnlabelled,
  getUnlabelled,
  listUnlabelled,
  readUnlabelled,
  removeUnlabelled,
} from './postgresUnlabelled.js';
import {
  findVersionContents,
  listAliases,
  listVersions,
  moveAlias,
  removeAlias,
  removeVersion,
  rollBackAlias,
  saveVersion,
} from './postgresVersions.js';
import type { JobEnd, JobFilter, JobInput, JobProgress, JobRecord, JobWatcher } from './jobStore.js';
import { intentExists, unknownCounterexample, unknownVersion } from './refusals.js';
import type { SharedJobs } from './sharedJobs.js';
import type {
  AliasRecord,
  BotContents,
  BotCounts,
  BotRecord,
  Change,
  CountedBot,
  EmbeddedText,
  EmbeddedUnlabelled,
  EvaluationOutcome,
  EvaluationRecord,
  EvaluationTask,
  ExampleEdit,
  ImportInput,
  IntentInput,
  Json,
  KeyInput,
  KeyRecord,
  PageQuery,
  Settings,
  Store,
  StoredText,
  TextKind,
  TextSource,
  UnlabelledOutcome,
  UnlabelledPage,
  VersionRecord,
} from './store.js';
import { toWellFormed } from './textPlan.js';

/** Rows with embeddings that one statement reads: 6 MB of 384 numbers each, twice that on the way. */
const ROWS_A_STATEMENT = 2_000;

export interface PostgresOptions extends ConnectionOptions {
  /** How often a process looks whether it is in step, in ms. */
  readonly checkEveryMs: number;
  /** As `migrate`; default true. */
  readonly claimsNew?: boolean;
}

/**
 * Opens the store in a PostgreSQL database, in the schema that is the connection's current one, and brings it to the newest
 * version of kshot's tables, which are made where there are none. Any number of processes may have it open.
 *
 * @throws KshotError `store_unavailable` if the server cannot be reached, refuses, or does not suit.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<PostgresStore> {
  const db = new PostgresConnection(options);
  try {
    const { isNew } = await migrate(db, undefined, options.claimsNew);
    // Notifications are the database's, which may hold several stores.
    const [schema] = await db.rows<{ oid: number; name: string }>(
      'SELECT current_schema()::regnamespace::oid AS oid, current_schema() AS name',
    );
    const { oid, name } = schema!;
    return new PostgresStore(
      db,
      { channel: `kshot_${oid}`, queueSchema: queueSchemaOf(name) },
      isNew,
      options.checkEveryMs,
    );
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** The store in a PostgreSQL database. Each write is one transaction; those to one bot follow one another, whoever makes them. */
export class PostgresStore implements Store, ChangeFeed, SharedJobs {
  readonly #db: PostgresConnection;
  readonly #channel: string;
  readonly #checkEveryMs: number;
  readonly queueSchema: string;
  #jobWatcher: JobWatcher | undefined;
  #feed: PostgresFeed | undefined;

  /** Below this id every text had an embedding under this fingerprint when a re-embedding that is under way looked. */
  #embedded = { fingerprint: '', below: 0 };

  /**
   * @param names the channel on which writes are told, and as in SharedJobs.
   * @param isNew whether it was made just now, by this very process.
   */
  constructor(
    db: PostgresConnection,
    names: { readonly channel: string; readonly queueSchema: string },
    readonly isNew: boolean,
    checkEveryMs: number,
  ) {
    this.#db = db;
    this.#channel = names.channel;
    this.queueSchema = names.queueSchema;
    this.#checkEveryMs = checkEveryMs;
  }

  /** The database, as it may be printed. */
  get location(): string {
    return this.#db.location;
  }

  async listBots(): Promise<BotRecord[]> {
    const rows = await this.#db.rows<BotRow>(
      `SELECT ${BOT} FROM kshot_bots WHERE version_of IS NULL ORDER BY name`,
    );
    return rows.map(toBotRecord);
  }

  async countBots(only?: string): Promise<CountedBot[]> {
    const named = only === undefined ? '' : 'AND b.name = $1';
    const rows = await this.#db.rows<BotRow & BotCounts>(
      `SELECT ${BOT}, ${COUNTS} FROM kshot_bots b WHERE b.version_of IS NULL ${named} ORDER BY b.name`,
      only === undefined ? [] : [only],
    );
    return rows.map(({ intents, examples, counterexamples, ...row }) => {
      return { bot: toBotRecord(row), intents, examples, counterexamples };
    });
  }

  readBot(bot: string, fingerprint: string): Promise<BotContents | undefined> {
    return this.#db.read(async (session) => {
      const row = await findBot(session, bot);
      return row && this.#readContents(session, row, fingerprint);
    });
  }

  putBot(bot: string, settings: Settings): Promise<BotRecord> {
    return this.#db.write(async (session) => {
      const edit = new BotEdit(session, await lockOrMakeBot(session, bot), this.#channel);
      edit.setSettings(settings);
      return (await edit.finish()).bot;
    });
  }

  deleteBot(bot: string): Promise<boolean> {
    return this.#db.write(async (session) => {
      for (const job of await cancelJobsOf(session, bot)) await this.#announce(session, job);
      const deleted = await session.run('DELETE FROM kshot_bots WHERE name = $1 AND version_of IS NULL', [
        bot,
      ]);
      if (deleted > 0)
        await session.rows('SELECT pg_notify($1, $2)', [this.#channel, noticeOf(bot, undefined)]);
      return deleted > 0;
    });
  }

  putIntents(bot: string, intents: readonly IntentInput[], fingerprint: string): Promise<Change> {
    return this.#db.write(async (session) => {
      const edit = new BotEdit(session, await lockOrMakeBot(session, bot), this.#channel, fingerprint);
      await edit.replaceIntents(intents);
      return edit.finish();
    });
  }

  importBot(bot: string, contents: ImportInput, fingerprint: string): Promise<Change> {
    return this.#db.write(async (session) => {
      const row = await lockOrMakeBot(session, bot);
      const edit = new BotEdit(session, row, this.#channel, fingerprint);
      await takeOver(session, row, edit, contents);
      return edit.finish();
    });
  }

  addExamples(
    bot: string,
    intent: string,
    examples: readonly EmbeddedText[],
    fingerprint: string,
  ): Promise<Change> {
    return this.#edit(bot, fingerprint, async (edit, session, row) =>
      edit.addTexts(await getIntent(session, row, intent), examples),
    );
  }

  removeExample(bot: string, intent: string, id: number): Promise<Change> {
    return this.#edit(bot, undefined, async (edit, session, row) => {
      const { text } = await getExample(session, row, await getIntent(session, row, intent), id);
      edit.removeText({ id, kind: 'example', intent, text });
    });
  }

  editExample(
    bot: string,
    intent: string,
    id: number,
    { intent: target = intent, text }: ExampleEdit,
    fingerprint: string,
  ): Promise<Change> {
    return this.#edit(bot, fingerprint, async (edit, session, row) => {
      const from = await getIntent(session, row, intent);
      const to = await getIntent(session, row, target);
      const example = await getExample(session, row, from, id);
      if (text !== undefined && toWellFormed(text.text) !== example.text) {
        edit.removeText({ id, kind: 'example', intent, text: example.text });
        await edit.addTexts(to, [text]);
      } else if (to.id !== from.id) {
        await edit.moveExample(example, from, to);
      }
    });
  }

  renameIntent(
    bot: string,
    intent: string,
    name: string,
    label: EmbeddedText,
    fingerprint: string,
  ): Promise<Change> {
    return this.#edit(bot, fingerprint, async (edit, session, row) => {
      const present = await getIntent(session, row, intent);
      if (name === intent) return;
      if ((await findIntent(session, row, name)) !== undefined) throw intentExists(bot, name);
      await edit.renameIntent(present, name, label);
    });
  }

  deleteIntent(bot: string, intent: string): Promise<Change> {
    return this.#edit(bot, undefined, async (edit, session, row) =>
      edit.removeIntents([await getIntent(session, row, intent)]),
    );
  }

  putCounterexamples(bot: string, texts: readonly EmbeddedText[], fingerprint: string): Promise<Change> {
    return this.#edit(bot, fingerprint, (edit) => edit.replaceCounterexamples(texts));
  }

  addCounterexamples(bot: string, texts: readonly EmbeddedText[], fingerprint: string): Promise<Change> {
    return this.#edit(bot, fingerprint, (edit) => edit.addTexts(null, texts));
  }

  removeCounterexample(bot: string, id: number): Promise<Change> {
    return this.#edit(bot, undefined, async (edit, session, row) => {
      const [found] = await session.rows<TextRow>(
        `SELECT id, text FROM kshot_texts WHERE bot_id = $1 AND kind = 'counterexample' AND id = $2`,
        [row.id, id],
      );
      if (found === undefined) throw unknownCounterexample(bot, id);
      edit.removeText({ id, kind: 'counterexample', intent: null, text: found.text });
    });
  }

  addUnlabelled(
    bot: string,
    source: TextSource,
    texts: readonly EmbeddedText[],
    fingerprint: string,
  ): Promise<UnlabelledOutcome> {
    return this.#db.write(async (session) =>
      addUnlabelled(session, await lockBot(session, bot), { source, texts, fingerprint }),
    );
  }

  listUnlabelled(bot: string, page: PageQuery): Promise<UnlabelledPage> {
    return this.#db.read(async (session) => listUnlabelled(session, await getBot(session, bot), page));
  }

  readUnlabelled(bot: string, fingerprint: string, limit: number): Promise<EmbeddedUnlabelled> {
    return this.#db.read(async (session) =>
      readUnlabelled(session, await getBot(session, bot), { fingerprint, limit, location: this.location }),
    );
  }

  findUnlabelled(bot: string, id: number, fingerprint: string): Promise<EmbeddedText> {
    return this.#db.read(async (session) =>
      findUnlabelled(session, await getBot(session, bot), { id, fingerprint, location: this.location }),
    );
  }

  removeUnlabelled(bot: string, id: number): Promise<void> {
    return this.#db.write(async (session) => removeUnlabelled(session, await lockBot(session, bot), id));
  }

  clearUnlabelled(bot: string): Promise<number> {
    return this.#db.write(async (session) => clearUnlabelled(session, await lockBot(session, bot)));
  }

  labelUnlabelled(bot: string, id: number, intent: string | null): Promise<Change> {
    return this.#edit(bot, undefined, async (edit, session, row) => {
      const text = await getUnlabelled(session, row, id);
      await edit.label(text, intent === null ? null : await getIntent(session, row, intent));
    });
  }

  async listVersions(bot: string): Promise<VersionRecord[]> {
    return this.#db.read(async (session) => listVersions(session, await getBot(session, bot)));
  }

  saveVersion(bot: string, version: string, note: string | null) {
    return this.#writeCatalog(bot, (session, row) => saveVersion(session, row, version, note));
  }

  readVersion(bot: string, version: string, fingerprint: string): Promise<BotContents | undefined> {
    return this.#db.read(async (session) => {
      const row = await findBot(session, bot);
      const contents = row && (await findVersionContents(session, row, version));
      return contents && this.#readContents(session, contents, fingerprint);
    });
  }

  deleteVersion(bot: string, version: string): Promise<void> {
    return this.#writeCatalog(bot, (session, row) => removeVersion(session, row, version));
  }

  restoreVersion(bot: string, version: string, fingerprint: string): Promise<Change> {
    return this.#edit(bot, fingerprint, async (edit, session, row) => {
      const restored = await findVersionContents(session, row, version);
      if (restored === undefined) throw unknownVersion(bot, version);
      edit.setSettings(restored.settings);
      await takeOver(
        session,
        row,
        edit,
        importInputOf(await this.#readContents(session, restored, fingerprint)),
      );
    });
  }

  listAliases(bot: string): Promise<AliasRecord[]> {
    return this.#db.read(async (session) => listAliases(session, await getBot(session, bot)));
  }

  moveAlias(bot: string, alias: string, version: string) {
    return this.#writeCatalog(bot, (session, row) => moveAlias(session, row, alias, version));
  }

  rollBackAlias(bot: string, alias: string): Promise<AliasRecord> {
    return this.#writeCatalog(bot, (session, row) => rollBackAlias(session, row, alias));
  }

  deleteAlias(bot: string, alias: string): Promise<void> {
    return this.#writeCatalog(bot, (session, row) => removeAlias(session, row, alias));
  }

  async addEvaluation(bot: string, about: Json, subject: Json, job: JobInput): Promise<EvaluationRecord> {
    const { added, evaluation } = await this.#db.write(async (session) => {
      const row = await lockBot(session, bot);
      const added = await addJob(session, job);
      return { added, evaluation: await addEvaluation(session, row, added.id, about, subject) };
    });
    this.#jobWatcher?.added(added);
    return evaluation;
  }

  findEvaluation(job: number): Promise<EvaluationTask | undefined> {
    return findEvaluation(this.#db, job);
  }

  finishEvaluation(bot: string, id: number, outcome: EvaluationOutcome): Promise<boolean> {
    return this.#db.write((session) => finishEvaluation(session, bot, id, outcome));
  }

  listEvaluations(bot: string): Promise<EvaluationRecord[]> {
    return this.#db.read(async (session) => listEvaluations(session, await getBot(session, bot)));
  }

  readEvaluation(bot: string, id: number): Promise<{ record: EvaluationRecord; result: Json | null }> {
    return this.#db.read(async (session) => readEvaluation(session, await getBot(session, bot), id));
  }

  removeEvaluation(bot: string, id: number): Promise<void> {
    return this.#db.write(async (session) => removeEvaluation(session, await getBot(session, bot), id));
  }

  async addJob(job: JobInput): Promise<JobRecord> {
    const added = await this.#db.write((session) => addJob(session, job));
    this.#jobWatcher?.added(added);
    return added;
  }

  listJobs(filter: JobFilter = {}): Promise<JobRecord[]> {
    return listJobs(this.#db, filter);
  }

  readJob(id: number): Promise<JobRecord> {
    return readJob(this.#db, id);
  }

  takeJob(id: number, lease: string): Promise<JobRecord | undefined> {
    return this.#db.write((session) => takeJob(session, id, lease));
  }

  renewJob(id: number, lease: string, progress: JobProgress): Promise<boolean> {
    return this.#db.write((session) => renewJob(session, id, lease, progress));
  }

  endJob(id: number, lease: string, end: JobEnd): Promise<boolean> {
    return this.#db.write((session) => endJob(session, id, lease, end));
  }

  giveJobBack(id: number, lease: string): Promise<boolean> {
    return this.#db.write((session) => giveJobBack(session, id, lease));
  }

  cancelJob(id: number): Promise<boolean> {
    return this.#db.write(async (session) => {
      const cancelled = await cancelJob(session, id);
      if (cancelled) await this.#announce(session, id);
      return cancelled;
    });
  }

  removeJob(id: number): Promise<boolean> {
    return this.#db.write((session) => removeJob(session, id));
  }

  takeJobsBack(staleMs: number, maxAttempts: number, error: string): Promise<number> {
    return this.#db.write((session) => takeJobsBack(session, staleMs, maxAttempts, error));
  }

  execute(sql: string, parameters?: readonly unknown[]): Promise<{ rows: unknown[] }> {
    return this.#db.execute(sql, parameters);
  }

  announceJob(id: number): Promise<void> {
    return this.#announce(this.#db, id);
  }

  watchJobs(watcher: JobWatcher): void {
    this.#jobWatcher = watcher;
  }

  listKeys(): Promise<KeyRecord[]> {
    return listKeys(this.#db);
  }

  addKey(key: KeyInput, onlyFirst: boolean): Promise<KeyRecord | undefined> {
    return this.#db.write((session) => addKey(session, key, onlyFirst));
  }

  revokeKey(id: number, mayBeLast: boolean): Promise<KeyRecord> {
    return this.#db.write((session) => revokeKey(session, id, mayBeLast));
  }

  noteKeyUses(uses: ReadonlyMap<number, string>): Promise<void> {
    return noteKeyUses(this.#db, uses);
  }

  async countMissingEmbeddings(fingerprint: string): Promise<number> {
    // A re-embedding begins: what was committed since the last one may have lower ids than what was there.
    this.#embedded = { fingerprint: '', below: 0 };
    const [row] = await this.#db.rows<{ count: number }>(
      `SELECT (SELECT count(*) FROM kshot_texts) - (SELECT count(*) FROM kshot_embeddings
         WHERE encoder_id = (SELECT id FROM kshot_encoders WHERE fingerprint = $1)) AS count`,
      [fingerprint],
    );
    return row!.count;
  }

  async readMissingEmbeddings(fingerprint: string, limit: number): Promise<StoredText[]> {
    const from = this.#embedded.fingerprint === fingerprint ? this.#embedded.below : 0;
    const missing = await this.#db.rows<StoredText>(
      `SELECT t.id, t.kind, i.name AS intent, t.text
       FROM kshot_texts t LEFT JOIN kshot_intents i ON i.id = t.intent_id
       WHERE t.id >= $1 AND NOT EXISTS (SELECT FROM kshot_embeddings e WHERE e.text_id = t.id
         AND e.encoder_id = (SELECT id FROM kshot_encoders WHERE fingerprint = $2))
       ORDER BY t.id LIMIT $3`,
      [from, fingerprint, limit],
    );
    if (missing[0] !== undefined) this.#embedded = { fingerprint, below: missing[0].id };
    return missing;
  }

  /** @throws RangeError if `embeddings` cannot be that many rows. */
  async writeEmbeddings(
    fingerprint: string,
    ids: readonly number[],
    embeddings: Float32Array,
  ): Promise<void> {
    if (ids.length === 0 && embeddings.length === 0) return;
    const texts = embeddingsOf(ids, embeddings);
    await this.#db.write(async (session) => {
      await insertEmbeddings(session, await encoderIdOf(session, fingerprint), texts, true);
    });
  }

  /** Those that another process is using stay, too. */
  deleteOtherEmbeddings(...fingerprints: readonly string[]): Promise<number> {
    return this.#db.write(async (session) => {
      const others = await session.rows<{ id: number; isFree: boolean }>(
        `SELECT id, pg_try_advisory_xact_lock(${encoderLockKey('fingerprint')}) AS "isFree"
         FROM kshot_encoders WHERE fingerprint <> ALL ($1::text[])`,
        [fingerprints],
      );
      const free = [others.filter(({ isFree }) => isFree).map(({ id }) => id)];
      const deleted = await session.run(
        'DELETE FROM kshot_embeddings WHERE encoder_id = ANY ($1::bigint[])',
        free,
      );
      await session.run('DELETE FROM kshot_encoders WHERE id = ANY ($1::bigint[])', free);
      return deleted;
    });
  }

  ping(): Promise<void> {
    return this.#db.ping();
  }

  async watch(watcher: FeedWatcher, fingerprint: string): Promise<void> {
    this.#feed = await PostgresFeed.open(this.#db, {
      channel: this.#channel,
      checkEveryMs: this.#checkEveryMs,
      jobChanged: (id) => this.#jobWatcher?.changed(id),
      watcher,
      fingerprint,
    });
  }

  readStates(): Promise<ReadonlyMap<string, BotState>> {
    return readStates(this.#db);
  }

  readNews(bot: string, since: BotRevision | undefined, fingerprint: string): Promise<BotNews> {
    return this.#db.read((session) =>
      readNews(session, { bot, since, fingerprint, location: this.location }),
    );
  }

  exclusively<T>(work: () => Promise<T>, waiting: () => void): Promise<T> {
    return this.#inTurn("'work'", work, waiting);
  }

  makeQueue<T>(make: () => Promise<T>): Promise<T> {
    return this.#inTurn("'queue'", make, () => undefined);
  }

  /** @param what an SQL expression: the turns of different work are none of each other's business. */
  async #inTurn<T>(what: string, work: () => Promise<T>, waiting: () => void): Promise<T> {
    const key = lockKey(what);
    const client = await this.#db.connectAlone(async (alone) => {
      const { rows } = await alone.query<{ taken: boolean }>(`SELECT pg_try_advisory_lock(${key}) AS taken`);
      if (rows[0]?.taken === true) return;
      waiting();
      await alone.query(`SELECT pg_advisory_lock(${key})`);
    });
    try {
      return await work();
    } finally {
      // And with the connection the lock goes. Where it is lost meanwhile, another process may do the work once more.
      await client.end().catch(() => undefined);
    }
  }

  /** Has whoever opens it next find it new, unless there is something in it. */
  markNew(): Promise<void> {
    return this.#db.write(markNew);
  }

  async close(): Promise<void> {
    await this.#feed?.close();
    await this.#db.close();
  }

  async #announce(session: Session, job: number): Promise<void> {
    await session.rows('SELECT pg_notify($1, $2)', [this.#channel, jobNoticeOf(job)]);
  }

  /** A write to a bot that there is. @throws KshotError `unknown_bot`. */
  #edit(
    bot: string,
    fingerprint: string | undefined,
    work: (edit: BotEdit, session: Session, row: BotRow) => Promise<void>,
  ): Promise<Change> {
    return this.#db.write(async (session) => {
      const row = await lockBot(session, bot);
      const edit = new BotEdit(session, row, this.#channel, fingerprint);
      await work(edit, session, row);
      return edit.finish();
    });
  }

  /** A write to a bot's versions or aliases. @throws KshotError `unknown_bot`. */
  #writeCatalog<T>(bot: string, work: (session: Session, row: BotRow) => Promise<T>): Promise<T> {
    return this.#db.write(async (session) => {
      const row = await lockBot(session, bot);
      const done = await work(session, row);
      const catalog = row.catalog + 1;
      await session.rows('UPDATE kshot_bots SET catalog = $2 WHERE id = $1 RETURNING pg_notify($3, $4)', [
        row.id,
        catalog,
        this.#channel,
        noticeOf(bot, { id: row.id, revision: row.revision, catalog }),
      ]);
      return done;
    });
  }

  async #readContents(session: Session, row: BotRow, fingerprint: string): Promise<BotContents> {
    const intents = await listIntents(session, row);
    const intentNames = new Map(intents.map((intent) => [intent.id, intent.name]));
    const [{ count } = { count: 0 }] = await session.rows<{ count: number }>(
      "SELECT count(*) AS count FROM kshot_texts WHERE bot_id = $1 AND kind <> 'unlabelled'",
      [row.id],
    );
    const texts: StoredText[] = [];
    const rows = new EmbeddedRows(this.location, row.name, count);
    while (texts.length < count) {
      const page = await session.rows<
        TextRow & { kind: TextKind; intentId: number | null; vector: Buffer | null }
      >(
        `SELECT t.id, t.kind, t.intent_id AS "intentId", t.text, e.vector
         FROM kshot_texts t LEFT JOIN kshot_embeddings e ON e.text_id = t.id
           AND e.encoder_id = (SELECT id FROM kshot_encoders WHERE fingerprint = $1)
         WHERE t.bot_id = $2 AND t.kind <> 'unlabelled' AND t.id > $3 ORDER BY t.id LIMIT $4`,
        [fingerprint, row.id, texts.at(-1)?.id ?? 0, ROWS_A_STATEMENT],
      );
      for (const { id, kind, intentId, text, vector } of page) {
        rows.add(id, vector);
        texts.push({
          id,
          kind,
          intent: intentId === null ? null : (intentNames.get(intentId) ?? null),
          text,
        });
      }
    }
    return {
      bot: toBotRecord(row),
      intents: intents.map(({ name, description }) => ({ name, description })),
      texts,
      embeddings: rows.embeddings,
    };
  }
}

/** The queue library allows a name 50 characters, and no other signs than these; a schema may have any. */
export function queueSchemaOf(schema: string): string {
  const name = schema === 'public' ? 'kshot_jobs' : `${schema}_jobs`;
  if (/^[a-z_]\w{0,49}$/.test(name) && name.length <= 50) return name;
  return `kshot_jobs_${createHash('sha256').update(schema).digest('hex').slice(0, 16)}`;
}

async function takeOver(session: Session, bot: BotRow, edit: BotEdit, contents: ImportInput): Promise<void> {
  const { intents, counterexamples, prune } = contents;
  if (prune) {
    const kept = new Set(intents.map(({ name }) => name));
    await edit.removeIntents((await listIntents(session, bot)).filter(({ name }) => !kept.has(name)));
  }
  await edit.replaceIntents(intents);
  if (counterexamples !== undefined) await edit.replaceCounterexamples(counterexamples);
}
