import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import { KshotError } from '../errors.js';
import { EmbeddedRows, widthOf } from './embeddedRows.js';
import { importInputOf } from './importInput.js';
import type { JobEnd, JobFilter, JobInput, JobProgress, JobRecord, JobWatcher } from './jobStore.js';
import { acquireLock, type Lock } from './lock.js';
import {
  intentExists,
  unknownBot,
  unknownCounterexample,
  unknownExample,
  unknownIntent,
  unknownText,
} from './refusals.js';
import { BotEdit, some, toBlob, toBotRecord } from './sqliteEdit.js';
import { asStoreFailure } from './sqliteErrors.js';
import { SqliteEvaluations } from './sqliteEvaluations.js';
import { SqliteJobs } from './sqliteJobs.js';
import { SqliteKeys } from './sqliteKeys.js';
import { migrate } from './sqliteMigrations.js';
import {
  prepareStatements,
  type BotRow,
  type IntentRow,
  type Statements,
  type TextRow,
  toCounts,
} from './sqliteStatements.js';
import { SqliteVersions } from './sqliteVersions.js';
import {
  type AliasRecord,
  type BotContents,
  type BotRecord,
  type Change,
  type CountedBot,
  type EmbeddedText,
  type EmbeddedUnlabelled,
  type ExampleEdit,
  type EvaluationOutcome,
  type EvaluationRecord,
  type EvaluationTask,
  type ImportInput,
  type IntentInput,
  type Json,
  type KeyInput,
  type KeyRecord,
  MAX_UNLABELLED,
  type PageQuery,
  type Settings,
  type Store,
  type StoredText,
  type TextSource,
  type UnlabelledOutcome,
  type UnlabelledPage,
  type VersionRecord,
} from './store.js';
import { lastOfEachName, toWellFormed } from './textPlan.js';

const MEMORY = ':memory:';

/** How long a statement waits for a lock that another program (a backup, a shell) holds, in ms. */
const BUSY_TIMEOUT_MS = 5_000;

/** Five embeddings of 384 dimensions to a page; with SQLite's 4,096 it would be two, and a quarter of it empty. */
const PAGE_BYTES = 8_192;

/** What the write-ahead log is cut back to once a large import has passed through it. */
const LOG_BYTES = 64 * 1024 * 1024;

/**
 * Opens the store in a SQLite file, which is created where there is none, with the directories above it, and
 * brought to the newest schema; or a store in memory, which is gone when it is closed.
 *
 * The store belongs to this process until it is closed.
 *
 * @throws KshotError `store_in_use` if another process has it; `store_unavailable` if the file cannot be read or
 *   written, is damaged, or is a newer kshot's or another program's.
 */
// eslint-disable-next-line @typescript-eslint/require-await -- opening is synchronous in this backend alone
export async function openSqliteStore(file: string): Promise<SqliteStore> {
  if (file === MEMORY) return new SqliteStore(openDatabase(MEMORY), MEMORY, undefined);
  const path = resolve(file);
  let lock: Lock | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    lock = acquireLock(path);
    return new SqliteStore(openDatabase(path), path, lock);
  } catch (error) {
    lock?.release();
    throw asStoreFailure(error, path);
  }
}

/** @throws KshotError of `migrate`, and SQLite's errors as they are. */
function openDatabase(path: string): Database.Database {
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma(`page_size = ${PAGE_BYTES}`); // Of a new file; an old one keeps its own.
    // FULL: every commit waits until the log is on the disk. NORMAL would keep the file whole through a power
    // loss, but lose the commits since the last checkpoint. fullfsync: a Mac's fsync stops at the disk's cache.
    db.pragma('synchronous = FULL');
    db.pragma('fullfsync = ON');
    db.pragma('foreign_keys = OFF'); // As migrate needs it.
    migrate(db, path);
    db.pragma('foreign_keys = ON');
    // Last, because it is written into the file, which might have been somebody else's.
    const mode = db.pragma('journal_mode = WAL', { simple: true });
    if (mode !== 'wal' && path !== MEMORY) {
      throw new KshotError(
        'store_unavailable',
        `Store ${path}: its file system cannot do write-ahead logging; keep the store on a local disk`,
      );
    }
    db.pragma(`journal_size_limit = ${LOG_BYTES}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * The store in one SQLite file. A method does all its work before it returns its promise: calls cannot
 * interleave, and each write is one transaction.
 */
export class SqliteStore implements Store {
  readonly #db: Database.Database;
  readonly #file: string;
  readonly #lock: Lock | undefined;
  readonly #sql: Statements;
  readonly #evaluations: SqliteEvaluations;
  readonly #jobs: SqliteJobs;
  #jobWatcher: JobWatcher | undefined;
  readonly #keys: SqliteKeys;
  readonly #versions: SqliteVersions;

  /**
   * Below this id every text has an embedding under this fingerprint: ids only grow, so a re-embedding that reads
   * batch after batch need not look there again.
   */
  #embedded = { fingerprint: '', below: 0 };

  /** @param lock taken for `file`; the store gives it back when it is closed. */
  constructor(db: Database.Database, file: string, lock: Lock | undefined) {
    this.#db = db;
    this.#file = file;
    this.#lock = lock;
    this.#sql = prepareStatements(db);
    this.#evaluations = new SqliteEvaluations(db);
    this.#jobs = new SqliteJobs(db);
    this.#keys = new SqliteKeys(db);
    this.#versions = new SqliteVersions(db);
  }

  /**
   * Tells other processes, through `readLockOwner`, where this one serves.
   *
   * @throws KshotError `store_unavailable`.
   */
  announce(url: string): Promise<void> {
    return this.#run(() => this.#lock?.describe({ url }));
  }

  listBots(): Promise<BotRecord[]> {
    return this.#run(() => this.#sql.listBots.all().map(toBotRecord));
  }

  countBots(only?: string): Promise<CountedBot[]> {
    return this.#run(() => {
      const rows = only === undefined ? this.#sql.countBots.all() : this.#sql.countBot.all(only);
      return rows.map((row) => ({ bot: toBotRecord(row), ...toCounts(row) }));
    });
  }

  readBot(bot: string, fingerprint: string): Promise<BotContents | undefined> {
    // In a transaction, so that its statements see one state even if another program writes.
    return this.#run(() =>
      this.#db
        .transaction(() => {
          const row = this.#sql.findBot.get(bot);
          return row && this.#readContents(row, fingerprint);
        })
        .deferred(),
    );
  }

  putBot(bot: string, settings: Settings): Promise<BotRecord> {
    return this.#write(() => {
      const row = this.#findOrInsertBot(bot);
      const edit = new BotEdit(this.#sql, row);
      this.#replaceSettings(row, edit, JSON.stringify(settings));
      return edit.finish().bot;
    });
  }

  async deleteBot(bot: string): Promise<boolean> {
    let cancelled: number[] = [];
    const deleted = await this.#write(() => {
      cancelled = this.#jobs.cancelOf(bot);
      return this.#sql.deleteBot.run(bot).changes > 0;
    });
    for (const job of cancelled) this.#jobWatcher?.changed(job);
    return deleted;
  }

  putIntents(bot: string, intents: readonly IntentInput[], fingerprint: string): Promise<Change> {
    return this.#write(() => {
      const row = this.#findOrInsertBot(bot);
      const edit = new BotEdit(this.#sql, row);
      this.#replaceIntents(row, edit, intents, this.#encoderId(fingerprint));
      return edit.finish();
    });
  }

  importBot(bot: string, contents: ImportInput, fingerprint: string): Promise<Change> {
    return this.#write(() => {
      const row = this.#findOrInsertBot(bot);
      const edit = new BotEdit(this.#sql, row);
      this.#takeOver(row, edit, contents, this.#encoderId(fingerprint));
      return edit.finish();
    });
  }

  addExamples(
    bot: string,
    intent: string,
    examples: readonly EmbeddedText[],
    fingerprint: string,
  ): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const edit = new BotEdit(this.#sql, row);
      const place = {
        kind: 'example',
        intent: this.#getIntent(row, intent),
        encoderId: this.#encoderId(fingerprint),
      } as const;
      for (const example of examples) edit.addText(place, example);
      return edit.finish();
    });
  }

  removeExample(bot: string, intent: string, id: number): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const { text } = this.#getExample(row, this.#getIntent(row, intent), id);
      const edit = new BotEdit(this.#sql, row);
      edit.removeText({ id, kind: 'example', intent, text });
      return edit.finish();
    });
  }

  editExample(
    bot: string,
    intent: string,
    id: number,
    { intent: target = intent, text }: ExampleEdit,
    fingerprint: string,
  ): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const from = this.#getIntent(row, intent);
      const to = this.#getIntent(row, target);
      const example = this.#getExample(row, from, id);
      const edit = new BotEdit(this.#sql, row);
      if (text !== undefined && toWellFormed(text.text) !== example.text) {
        edit.removeText({ id, kind: 'example', intent, text: example.text });
        edit.addText({ kind: 'example', intent: to, encoderId: this.#encoderId(fingerprint) }, text);
      } else if (to.id !== from.id) {
        edit.moveExample(example, from, to);
      }
      return edit.finish();
    });
  }

  renameIntent(
    bot: string,
    intent: string,
    name: string,
    label: EmbeddedText,
    fingerprint: string,
  ): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const present = this.#getIntent(row, intent);
      const edit = new BotEdit(this.#sql, row);
      if (name === intent) return edit.finish();
      if (this.#sql.findIntent.get(row.id, name) !== undefined) throw intentExists(bot, name);
      const renamed = edit.renameIntent(present, name);
      if (present.description === null) {
        const encoderId = this.#encoderId(fingerprint);
        edit.replaceTexts({ kind: 'label', intent: renamed, encoderId }, [label]);
      }
      return edit.finish();
    });
  }

  deleteIntent(bot: string, intent: string): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const edit = new BotEdit(this.#sql, row);
      edit.removeIntent(this.#getIntent(row, intent));
      return edit.finish();
    });
  }

  putCounterexamples(bot: string, texts: readonly EmbeddedText[], fingerprint: string): Promise<Change> {
    return this.#write(() => {
      const edit = new BotEdit(this.#sql, this.#getBot(bot));
      const encoderId = this.#encoderId(fingerprint);
      edit.replaceTexts({ kind: 'counterexample', intent: null, encoderId }, texts);
      return edit.finish();
    });
  }

  addCounterexamples(bot: string, texts: readonly EmbeddedText[], fingerprint: string): Promise<Change> {
    return this.#write(() => {
      const edit = new BotEdit(this.#sql, this.#getBot(bot));
      const place = {
        kind: 'counterexample',
        intent: null,
        encoderId: this.#encoderId(fingerprint),
      } as const;
      for (const text of texts) edit.addText(place, text);
      return edit.finish();
    });
  }

  removeCounterexample(bot: string, id: number): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const found = this.#sql.findCounterexampleById.get(row.id, id);
      if (found === undefined) throw unknownCounterexample(bot, id);
      const edit = new BotEdit(this.#sql, row);
      edit.removeText({ id, kind: 'counterexample', intent: null, text: found.text });
      return edit.finish();
    });
  }

  addUnlabelled(
    bot: string,
    source: TextSource,
    texts: readonly EmbeddedText[],
    fingerprint: string,
  ): Promise<UnlabelledOutcome> {
    return this.#write(() => {
      const { id: botId } = this.#getBot(bot);
      const encoderId = this.#encoderId(fingerprint);
      let added = 0;
      for (const { text, embedding } of texts) {
        const stored = toWellFormed(text);
        if (this.#sql.hasUtterance.get(botId, stored) !== undefined) continue;
        const id = some(this.#sql.insertUnlabelled.get(botId, source, stored));
        this.#sql.addEmbedding.run(id, encoderId, toBlob(embedding));
        added++;
      }
      const total = some(this.#sql.countUnlabelled.get(botId));
      const dropped = Math.max(0, total - MAX_UNLABELLED);
      if (dropped > 0) this.#sql.deleteOldestUnlabelled.run(botId, dropped);
      return { added, known: texts.length - added, dropped, total: total - dropped };
    });
  }

  listUnlabelled(bot: string, { after, limit }: PageQuery): Promise<UnlabelledPage> {
    return this.#run(() => {
      const { id } = this.#getBot(bot);
      return {
        texts: this.#sql.listUnlabelled.all(id, after, limit),
        total: some(this.#sql.countUnlabelled.get(id)),
      };
    });
  }

  readUnlabelled(bot: string, fingerprint: string, limit: number): Promise<EmbeddedUnlabelled> {
    return this.#run(() => {
      const rows = this.#sql.readUnlabelled.all(fingerprint, this.#getBot(bot).id, limit);
      const texts = new EmbeddedRows(this.#file, bot, rows.length);
      for (const { id, vector } of rows) texts.add(id, vector);
      return {
        texts: rows.map(({ id, text, source }) => ({ id, text, source })),
        embeddings: texts.embeddings,
      };
    });
  }

  findUnlabelled(bot: string, id: number, fingerprint: string): Promise<EmbeddedText> {
    return this.#run(() => {
      const { text } = this.#getUnlabelled(this.#getBot(bot), id);
      const row = new EmbeddedRows(this.#file, bot, 1);
      row.add(id, this.#sql.findEmbedding.get(id, fingerprint) ?? null);
      return { text, embedding: row.embeddings };
    });
  }

  removeUnlabelled(bot: string, id: number): Promise<void> {
    return this.#write(() => {
      this.#sql.deleteText.run(this.#getUnlabelled(this.#getBot(bot), id).id);
    });
  }

  clearUnlabelled(bot: string): Promise<number> {
    return this.#write(() => this.#sql.deleteUnlabelled.run(this.#getBot(bot).id).changes);
  }

  labelUnlabelled(bot: string, id: number, intent: string | null): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const text = this.#getUnlabelled(row, id);
      const edit = new BotEdit(this.#sql, row);
      edit.label(text, intent === null ? null : this.#getIntent(row, intent));
      return edit.finish();
    });
  }

  listVersions(bot: string): Promise<VersionRecord[]> {
    return this.#run(() => this.#versions.list(this.#getBot(bot)));
  }

  saveVersion(bot: string, version: string, note: string | null) {
    return this.#write(() => this.#versions.save(this.#getBot(bot), version, note));
  }

  readVersion(bot: string, version: string, fingerprint: string): Promise<BotContents | undefined> {
    return this.#run(() =>
      this.#db
        .transaction(() => {
          const row = this.#sql.findBot.get(bot);
          const contents = row && this.#versions.contentsOf(row, version);
          return contents && this.#readContents(contents, fingerprint);
        })
        .deferred(),
    );
  }

  deleteVersion(bot: string, version: string): Promise<void> {
    return this.#write(() => this.#versions.remove(this.#getBot(bot), version));
  }

  restoreVersion(bot: string, version: string, fingerprint: string): Promise<Change> {
    return this.#write(() => {
      const row = this.#getBot(bot);
      const restored = this.#versions.getContentsOf(row, version);
      const edit = new BotEdit(this.#sql, row);
      this.#replaceSettings(row, edit, restored.settings);
      const contents = importInputOf(this.#readContents(restored, fingerprint));
      this.#takeOver(row, edit, contents, this.#encoderId(fingerprint));
      return edit.finish();
    });
  }

  listAliases(bot: string): Promise<AliasRecord[]> {
    return this.#run(() => this.#versions.listAliases(this.#getBot(bot)));
  }

  moveAlias(bot: string, alias: string, version: string) {
    return this.#write(() => this.#versions.moveAlias(this.#getBot(bot), alias, version));
  }

  rollBackAlias(bot: string, alias: string): Promise<AliasRecord> {
    return this.#write(() => this.#versions.rollBackAlias(this.#getBot(bot), alias));
  }

  deleteAlias(bot: string, alias: string): Promise<void> {
    return this.#write(() => this.#versions.removeAlias(this.#getBot(bot), alias));
  }

  countMissingEmbeddings(fingerprint: string): Promise<number> {
    return this.#run(() => some(this.#sql.countMissing.get(fingerprint)));
  }

  readMissingEmbeddings(fingerprint: string, limit: number): Promise<StoredText[]> {
    return this.#run(() => {
      const from = this.#embedded.fingerprint === fingerprint ? this.#embedded.below : 0;
      const missing = this.#sql.listMissing.all(from, fingerprint, limit);
      if (missing[0] !== undefined) this.#embedded = { fingerprint, below: missing[0].id };
      return missing;
    });
  }

  /** @throws RangeError if `embeddings` cannot be that many rows. */
  writeEmbeddings(fingerprint: string, ids: readonly number[], embeddings: Float32Array): Promise<void> {
    return this.#write(() => {
      if (ids.length === 0 && embeddings.length === 0) return;
      const width = widthOf(embeddings, ids.length); // D
      const encoderId = this.#encoderId(fingerprint);
      for (const [row, id] of ids.entries()) {
        const vector = embeddings.subarray(row * width, (row + 1) * width);
        this.#sql.setEmbedding.run(encoderId, toBlob(vector), id);
      }
    });
  }

  deleteOtherEmbeddings(...fingerprints: readonly string[]): Promise<number> {
    return this.#write(() => {
      this.#embedded = { fingerprint: '', below: 0 };
      const kept = JSON.stringify(fingerprints);
      const count = some(this.#sql.countOtherEmbeddings.get(kept));
      this.#sql.deleteOtherEncoders.run(kept); // And their embeddings.
      return count;
    });
  }

  async addEvaluation(bot: string, about: Json, subject: Json, job: JobInput): Promise<EvaluationRecord> {
    const { added, evaluation } = await this.#write(() => {
      const row = this.#getBot(bot);
      const added = this.#jobs.add(job);
      return { added, evaluation: this.#evaluations.add(row, added.id, about, subject) };
    });
    this.#jobWatcher?.added(added);
    return evaluation;
  }

  findEvaluation(job: number): Promise<EvaluationTask | undefined> {
    return this.#run(() => this.#evaluations.findOf(job));
  }

  finishEvaluation(bot: string, id: number, outcome: EvaluationOutcome): Promise<boolean> {
    return this.#write(() => this.#evaluations.finish(bot, id, outcome));
  }

  listEvaluations(bot: string): Promise<EvaluationRecord[]> {
    return this.#run(() => this.#evaluations.list(this.#getBot(bot)));
  }

  readEvaluation(bot: string, id: number): Promise<{ record: EvaluationRecord; result: Json | null }> {
    return this.#run(() => this.#evaluations.read(this.#getBot(bot), id));
  }

  removeEvaluation(bot: string, id: number): Promise<void> {
    return this.#write(() => this.#evaluations.remove(this.#getBot(bot), id));
  }

  async addJob(job: JobInput): Promise<JobRecord> {
    const added = await this.#write(() => this.#jobs.add(job));
    this.#jobWatcher?.added(added);
    return added;
  }

  listJobs(filter: JobFilter = {}): Promise<JobRecord[]> {
    return this.#run(() => this.#jobs.list(filter));
  }

  readJob(id: number): Promise<JobRecord> {
    return this.#run(() => this.#jobs.read(id));
  }

  takeJob(id: number, lease: string): Promise<JobRecord | undefined> {
    return this.#write(() => this.#jobs.take(id, lease));
  }

  renewJob(id: number, lease: string, progress: JobProgress): Promise<boolean> {
    return this.#write(() => this.#jobs.renew(id, lease, progress));
  }

  endJob(id: number, lease: string, end: JobEnd): Promise<boolean> {
    return this.#write(() => this.#jobs.end(id, lease, end));
  }

  giveJobBack(id: number, lease: string): Promise<boolean> {
    return this.#write(() => this.#jobs.giveBack(id, lease));
  }

  async cancelJob(id: number): Promise<boolean> {
    const cancelled = await this.#write(() => this.#jobs.cancel(id));
    if (cancelled) this.#jobWatcher?.changed(id);
    return cancelled;
  }

  removeJob(id: number): Promise<boolean> {
    return this.#write(() => this.#jobs.remove(id));
  }

  takeJobsBack(staleMs: number, maxAttempts: number, error: string): Promise<number> {
    return this.#write(() => this.#jobs.takeBack(staleMs, maxAttempts, error));
  }

  watchJobs(watcher: JobWatcher): void {
    this.#jobWatcher = watcher;
  }

  listKeys(): Promise<KeyRecord[]> {
    return this.#run(() => this.#keys.list());
  }

  addKey(key: KeyInput, onlyFirst: boolean): Promise<KeyRecord | undefined> {
    return this.#write(() => this.#keys.add(key, onlyFirst));
  }

  revokeKey(id: number, mayBeLast: boolean): Promise<KeyRecord> {
    return this.#write(() => this.#keys.revoke(id, mayBeLast));
  }

  noteKeyUses(uses: ReadonlyMap<number, string>): Promise<void> {
    return this.#write(() => this.#keys.noteUses(uses));
  }

  ping(): Promise<void> {
    return this.#run(() => void this.#sql.ping.get());
  }

  close(): Promise<void> {
    if (!this.#db.open) return Promise.resolve();
    return this.#run(() => {
      try {
        this.#db.close();
      } finally {
        this.#lock?.release();
      }
    });
  }

  /** Runs `work` at once; what it throws becomes a rejection. */
  #run<T>(work: () => T): Promise<T> {
    return new Promise((settle) => {
      if (!this.#db.open) throw new KshotError('store_unavailable', `Store ${this.#file} has been closed`);
      try {
        settle(work());
      } catch (error) {
        throw asStoreFailure(error, this.#file);
      }
    });
  }

  /** Runs `work` in a transaction, which is on disk when the promise resolves and undone when it rejects. */
  #write<T>(work: () => T): Promise<T> {
    return this.#run(() => this.#db.transaction(work).immediate());
  }

  #readContents(row: BotRow, fingerprint: string): BotContents {
    const intents = this.#sql.listIntents.all(row.id);
    const intentNames = new Map(intents.map((intent) => [intent.id, intent.name]));
    const count = some(this.#sql.countTextsOfBot.get(row.id));
    const texts: StoredText[] = [];
    const rows = new EmbeddedRows(this.#file, row.name, count);
    // One row at a time: all the blobs at once would hold the memory of the result a second time.
    for (const [id, kind, intentId, text, vector] of this.#sql.readTextsOfBot.iterate(fingerprint, row.id)) {
      rows.add(id, vector);
      texts.push({ id, kind, intent: intentId === null ? null : (intentNames.get(intentId) ?? null), text });
    }
    return {
      bot: toBotRecord(row),
      intents: intents.map(({ name, description }) => ({ name, description })),
      texts,
      embeddings: rows.embeddings,
    };
  }

  /** A bot that did not exist is at revision 0: the write that creates it has yet to raise it. */
  #findOrInsertBot(bot: string): BotRow {
    const now = new Date().toISOString();
    return this.#sql.findBot.get(bot) ?? some(this.#sql.insertBot.get(bot, '{}', now, now));
  }

  /** @param settings as JSON. */
  #replaceSettings(bot: BotRow, edit: BotEdit, settings: string): void {
    if (isDeepStrictEqual(JSON.parse(settings), JSON.parse(bot.settings))) return;
    this.#sql.setSettings.run(settings, bot.id);
    edit.markChanged();
  }

  #takeOver(bot: BotRow, edit: BotEdit, contents: ImportInput, encoderId: number): void {
    const { intents, counterexamples, prune } = contents;
    if (prune) {
      const kept = new Set(intents.map(({ name }) => name));
      for (const intent of this.#sql.listIntents.all(bot.id)) {
        if (!kept.has(intent.name)) edit.removeIntent(intent);
      }
    }
    this.#replaceIntents(bot, edit, intents, encoderId);
    if (counterexamples !== undefined) {
      edit.replaceTexts({ kind: 'counterexample', intent: null, encoderId }, counterexamples);
    }
  }

  #replaceIntents(bot: BotRow, edit: BotEdit, intents: readonly IntentInput[], encoderId: number): void {
    for (const input of lastOfEachName(intents)) {
      let intent = this.#sql.findIntent.get(bot.id, input.name);
      intent ??= some(this.#sql.insertIntent.get(bot.id, input.name, input.description));
      if (intent.description !== input.description) {
        this.#sql.setDescription.run(input.description, intent.id);
        edit.markChanged();
      }
      edit.replaceTexts({ kind: 'label', intent, encoderId }, [input.label]);
      edit.replaceTexts({ kind: 'example', intent, encoderId }, input.examples);
    }
  }

  #getBot(bot: string): BotRow {
    const row = this.#sql.findBot.get(bot);
    if (row === undefined) throw unknownBot(bot);
    return row;
  }

  #getIntent(bot: BotRow, intent: string): IntentRow {
    const row = this.#sql.findIntent.get(bot.id, intent);
    if (row === undefined) throw unknownIntent(bot.name, intent);
    return row;
  }

  #getExample(bot: BotRow, intent: IntentRow, id: number): TextRow {
    const row = this.#sql.findExampleById.get(intent.id, id);
    if (row === undefined) throw unknownExample(bot.name, intent.name, id);
    return row;
  }

  #getUnlabelled(bot: BotRow, id: number): TextRow {
    const row = this.#sql.findUnlabelled.get(bot.id, id);
    if (row === undefined) throw unknownText(bot.name, id);
    return row;
  }

  #encoderId(fingerprint: string): number {
    return this.#sql.findEncoder.get(fingerprint) ?? some(this.#sql.insertEncoder.get(fingerprint));
  }
}
