import type Database from 'better-sqlite3';
import { KshotError } from '../errors.js';

/** Marks a file as kshot's ("ksht"), so that another program's database is never migrated by mistake. */
const APPLICATION_ID = 0x6b736874;

/**
 * The schema, step by step: the n-th step (from 1) takes a database from version n - 1 to n. A step that has been
 * released is never edited; a change is a new step.
 */
export const MIGRATIONS: readonly string[] = [
  // AUTOINCREMENT: an id is never given twice, so that who still holds one cannot mean another row by it.
  `
  CREATE TABLE bots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    UNIQUE (bot_id, name)
  ) STRICT;

  -- bot_id repeats what the intent knows: all texts of a bot are one range of an index, in the order of their ids.
  CREATE TABLE texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    intent_id INTEGER REFERENCES intents ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('example', 'counterexample', 'label')),
    text TEXT NOT NULL,
    CHECK ((kind = 'counterexample') = (intent_id IS NULL)),
    UNIQUE (intent_id, kind, text)
  ) STRICT;
  CREATE INDEX texts_of_bot ON texts (bot_id);
  CREATE UNIQUE INDEX one_label ON texts (intent_id) WHERE kind = 'label';
  CREATE UNIQUE INDEX counterexamples ON texts (bot_id, text) WHERE kind = 'counterexample';

  CREATE TABLE encoders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL UNIQUE
  ) STRICT;

  -- vector: [D] Float32, little-endian. A rowid table: rows of this size do not fit the inner pages that a table
  -- WITHOUT ROWID keeps them in.
  CREATE TABLE embeddings (
    text_id INTEGER NOT NULL REFERENCES texts ON DELETE CASCADE,
    encoder_id INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
    vector BLOB NOT NULL,
    UNIQUE (text_id, encoder_id)
  ) STRICT;
  CREATE INDEX embeddings_of_encoder ON embeddings (encoder_id);
  `,
  // Unlabelled texts. SQLite cannot change a CHECK: the table is made anew, under the ids that it has.
  `
  CREATE TABLE new_texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    intent_id INTEGER REFERENCES intents ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('example', 'counterexample', 'label', 'unlabelled')),
    source TEXT CHECK (source IN ('given', 'seen')),
    text TEXT NOT NULL,
    CHECK ((kind IN ('counterexample', 'unlabelled')) = (intent_id IS NULL)),
    CHECK ((kind = 'unlabelled') = (source IS NOT NULL)),
    UNIQUE (intent_id, kind, text)
  ) STRICT;
  INSERT INTO new_texts (id, bot_id, intent_id, kind, text) SELECT id, bot_id, intent_id, kind, text FROM texts;

  -- The last id that was given, which a text may have had that is gone.
  DELETE FROM sqlite_sequence WHERE name = 'new_texts';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'new_texts', seq FROM sqlite_sequence WHERE name = 'texts';

  DROP TABLE texts;
  ALTER TABLE new_texts RENAME TO texts;
  CREATE INDEX texts_of_bot ON texts (bot_id);
  CREATE UNIQUE INDEX one_label ON texts (intent_id) WHERE kind = 'label';
  CREATE UNIQUE INDEX counterexamples ON texts (bot_id, text) WHERE kind = 'counterexample';
  CREATE UNIQUE INDEX unlabelled ON texts (bot_id, text) WHERE kind = 'unlabelled';
  -- In the order in which they go when there are too many.
  CREATE INDEX unlabelled_by_age ON texts (bot_id, source DESC, id) WHERE kind = 'unlabelled';
  -- Whether a bot has a text, whatever its intent.
  CREATE INDEX utterances ON texts (bot_id, text) WHERE kind <> 'label';
  `,
  // Evaluations. The result, which is large, is the last column: rows are read without it.
  `
  CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
    about TEXT NOT NULL,
    done INTEGER NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    headline TEXT,
    result TEXT,
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK ((status = 'done') = (result IS NOT NULL))
  ) STRICT;
  CREATE INDEX evaluations_of_bot ON evaluations (bot_id, id);
  `,
  // Versions, each a row of bots that is never written to, so that its intents, texts and embeddings are where a bot's are.
  // SQLite cannot drop a UNIQUE: the table is made anew, under the ids that it has.
  `
  CREATE TABLE new_bots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    version_of INTEGER REFERENCES bots ON DELETE CASCADE,
    version TEXT,
    note TEXT,
    CHECK ((version_of IS NULL) = (version IS NULL)),
    CHECK (note IS NULL OR version IS NOT NULL)
  ) STRICT;
  INSERT INTO new_bots (id, name, settings, revision, created_at, updated_at)
    SELECT id, name, settings, revision, created_at, updated_at FROM bots;
  DELETE FROM sqlite_sequence WHERE name = 'new_bots';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'new_bots', seq FROM sqlite_sequence WHERE name = 'bots';

  DROP TABLE bots;
  ALTER TABLE new_bots RENAME TO bots;
  CREATE UNIQUE INDEX live_bots ON bots (name) WHERE version_of IS NULL;
  CREATE UNIQUE INDEX versions ON bots (version_of, version) WHERE version_of IS NOT NULL;

  CREATE TABLE aliases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    name TEXT NOT NULL,
    UNIQUE (bot_id, name)
  ) STRICT;

  -- An alias points where its last move took it.
  CREATE TABLE alias_moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alias_id INTEGER NOT NULL REFERENCES aliases ON DELETE CASCADE,
    version_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    moved_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX moves_of_alias ON alias_moves (alias_id);
  CREATE INDEX moves_to_version ON alias_moves (version_id);
  `,
  // API keys. hash: SHA-256 of the secret; bots: a JSON array of names.
  `
  CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    hint TEXT NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('read', 'write')),
    bots TEXT,
    rate REAL CHECK (rate > 0),
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    revoked_at TEXT
  ) STRICT;
  `,
  // Jobs, one of which carries out each evaluation that is not over. input, result: JSON. lease: whose a running job is.
  // SQLite cannot change a CHECK: the evaluations' table is made anew, under the ids that it has.
  `
  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    bot TEXT,
    input TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    done INTEGER NOT NULL,
    total INTEGER,
    attempts INTEGER NOT NULL,
    lease TEXT,
    result TEXT,
    error TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    heartbeat_at TEXT,
    CHECK ((status = 'running') = (lease IS NOT NULL)),
    CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL)),
    CHECK ((status = 'done') = (result IS NOT NULL))
  ) STRICT;
  CREATE INDEX open_jobs ON jobs (kind) WHERE status IN ('queued', 'running');

  CREATE TABLE new_evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id INTEGER NOT NULL REFERENCES bots ON DELETE CASCADE,
    job_id INTEGER REFERENCES jobs ON DELETE SET NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    about TEXT NOT NULL,
    done INTEGER NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    headline TEXT,
    subject TEXT,
    result TEXT,
    CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL)),
    CHECK ((status = 'done') = (result IS NOT NULL))
  ) STRICT;
  INSERT INTO new_evaluations (id, bot_id, status, about, done, error, created_at, finished_at, headline, result)
    SELECT id, bot_id, iif(status = 'running', 'failed', status), about, done,
      iif(status = 'running', 'the server stopped before it was done: begin it again', error), created_at,
      iif(status = 'running', created_at, finished_at), headline, result
    FROM evaluations;
  DELETE FROM sqlite_sequence WHERE name = 'new_evaluations';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'new_evaluations', seq FROM sqlite_sequence WHERE name = 'evaluations';
  DROP TABLE evaluations;
  ALTER TABLE new_evaluations RENAME TO evaluations;
  CREATE INDEX evaluations_of_bot ON evaluations (bot_id, id);
  CREATE INDEX evaluations_of_job ON evaluations (job_id);

  -- An evaluation is as far as its job, and ends with it. It is done when its result is written, which is before its job is.
  CREATE TRIGGER follow_job AFTER UPDATE OF status, done ON jobs WHEN NEW.status <> 'done'
  BEGIN
    UPDATE evaluations SET status = NEW.status, done = NEW.done, error = NEW.error, finished_at = NEW.finished_at,
      subject = iif(NEW.finished_at IS NULL, subject, NULL)
    WHERE job_id = NEW.id AND finished_at IS NULL;
  END;
  `,
];

/**
 * Brings a database to the newest schema: all the steps that it lacks, or none. Its version is its `user_version`.
 * Foreign keys must be off (SQLite turns them off outside of transactions alone): to drop a table that is made anew would
 * else delete all that refers to it. That every reference leads somewhere is checked at the end.
 *
 * @throws KshotError `store_unavailable` if the database is another program's or a newer kshot's, or holds
 *   references to what is not there; it is left as it was.
 */
export function migrate(db: Database.Database, file: string, migrations = MIGRATIONS): void {
  db.transaction(() => {
    const version = readNumber(db, 'PRAGMA user_version');
    const isOurs = readNumber(db, 'PRAGMA application_id') === APPLICATION_ID;
    const isEmpty = version === 0 && readNumber(db, 'SELECT count(*) FROM sqlite_schema') === 0;
    if (!isOurs && !isEmpty) {
      throw new KshotError(
        'store_unavailable',
        `Store ${file}: this SQLite database belongs to another program; name another file`,
      );
    }
    if (version > migrations.length) {
      throw new KshotError(
        'store_unavailable',
        `Store ${file}: written by a newer kshot (schema ${version}; this one knows ${migrations.length}): ` +
          'run that version, or name another file',
      );
    }
    if (version === migrations.length) return;
    for (const step of migrations.slice(version)) db.exec(step);
    if (db.prepare('PRAGMA foreign_key_check').get() !== undefined) {
      throw new KshotError(
        'store_unavailable',
        `Store ${file}: it refers to rows that it does not have: the file is damaged, restore it from a backup`,
      );
    }
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}

function readNumber(db: Database.Database, sql: string): number {
  return db.prepare<[], number>(sql).pluck().get() ?? 0;
}
