import { KshotError } from '../errors.js';
import type { PostgresConnection, Session } from './postgresConnection.js';

/** The oldest server that these statements are known to run on, as `server_version_num` has it. */
const OLDEST_SERVER = 130_000;

/**
 * The schema, step by step: the n-th step (from 1) takes a database from version n - 1 to n. A step that has been
 * released is never edited; a change is a new step. Whatever kshot makes has its name in front, so that the database, or
 * the schema in it, may hold other programs' tables, too.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- What texts are told apart by: an index takes no text of more than 2,700 bytes. Immutable, which convert_to is not by
  -- itself, for its result depends on its arguments alone.
  CREATE FUNCTION kshot_digest(text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT sha256(convert_to($1, 'UTF8')) $$;

  -- Identities are never given twice, so that who still holds one cannot mean another row by it.
  -- Bots, and versions of them: each a row that is never written to, so that its intents, texts and embeddings are where a
  -- bot's are. 'catalog' counts what happened to a bot's versions and aliases.
  CREATE TABLE kshot_bots (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    settings json NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    catalog bigint NOT NULL DEFAULT 0,
    version_of bigint REFERENCES kshot_bots ON DELETE CASCADE,
    version text COLLATE "C",
    note text,
    CHECK ((version_of IS NULL) = (version IS NULL)),
    CHECK (note IS NULL OR version IS NOT NULL)
  );
  CREATE UNIQUE INDEX kshot_live_bots ON kshot_bots (name) WHERE version_of IS NULL;
  CREATE UNIQUE INDEX kshot_versions ON kshot_bots (version_of, version) WHERE version_of IS NOT NULL;

  CREATE TABLE kshot_aliases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot_id bigint NOT NULL REFERENCES kshot_bots ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    UNIQUE (bot_id, name)
  );

  -- An alias points where its last move took it.
  CREATE TABLE kshot_alias_moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alias_id bigint NOT NULL REFERENCES kshot_aliases ON DELETE CASCADE,
    version_id bigint NOT NULL REFERENCES kshot_bots ON DELETE CASCADE,
    moved_at timestamptz(3) NOT NULL
  );
  CREATE INDEX kshot_moves_of_alias ON kshot_alias_moves (alias_id);
  CREATE INDEX kshot_moves_to_version ON kshot_alias_moves (version_id);

  CREATE TABLE kshot_intents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot_id bigint NOT NULL REFERENCES kshot_bots ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    description text,
    UNIQUE (bot_id, name)
  );

  CREATE TABLE kshot_texts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot_id bigint NOT NULL REFERENCES kshot_bots ON DELETE CASCADE,
    intent_id bigint REFERENCES kshot_intents ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('example', 'counterexample', 'label', 'unlabelled')),
    source text CHECK (source IN ('given', 'seen')),
    text text NOT NULL,
    digest bytea NOT NULL GENERATED ALWAYS AS (kshot_digest(text)) STORED,
    CHECK ((kind IN ('counterexample', 'unlabelled')) = (intent_id IS NULL)),
    CHECK ((kind = 'unlabelled') = (source IS NOT NULL))
  );
  CREATE INDEX kshot_texts_of_bot ON kshot_texts (bot_id, id);
  CREATE INDEX kshot_texts_of_intent ON kshot_texts (intent_id, id) WHERE intent_id IS NOT NULL;
  CREATE UNIQUE INDEX kshot_one_label ON kshot_texts (intent_id) WHERE kind = 'label';
  CREATE UNIQUE INDEX kshot_examples ON kshot_texts (intent_id, digest) WHERE kind = 'example';
  CREATE UNIQUE INDEX kshot_counterexamples ON kshot_texts (bot_id, digest) WHERE kind = 'counterexample';
  CREATE UNIQUE INDEX kshot_unlabelled ON kshot_texts (bot_id, digest) WHERE kind = 'unlabelled';
  -- In the order in which they go when there are too many.
  CREATE INDEX kshot_unlabelled_by_age ON kshot_texts (bot_id, source DESC, id) WHERE kind = 'unlabelled';
  -- Whether a bot has a text, whatever its intent.
  CREATE INDEX kshot_utterances ON kshot_texts (bot_id, digest) WHERE kind <> 'label';

  CREATE TABLE kshot_encoders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text COLLATE "C" NOT NULL UNIQUE
  );

  -- vector: [D] Float32, little-endian.
  CREATE TABLE kshot_embeddings (
    text_id bigint NOT NULL REFERENCES kshot_texts ON UPDATE CASCADE ON DELETE CASCADE,
    encoder_id bigint NOT NULL REFERENCES kshot_encoders ON DELETE CASCADE,
    vector bytea NOT NULL,
    PRIMARY KEY (text_id, encoder_id)
  );
  ALTER TABLE kshot_embeddings ALTER vector SET STORAGE EXTERNAL; -- it does not compress
  CREATE INDEX kshot_embeddings_of_encoder ON kshot_embeddings (encoder_id);

  -- What each write did, for the other processes: the newest of each bot. 'put' has the intents whose descriptions it
  -- wrote, 'dropped' those that it deleted; 'renamed' has an intent's names, from and to.
  CREATE TABLE kshot_changes (
    bot_id bigint NOT NULL REFERENCES kshot_bots ON DELETE CASCADE,
    revision bigint NOT NULL,
    added bigint[] NOT NULL,
    removed json NOT NULL,
    put text[] NOT NULL,
    dropped text[] NOT NULL,
    renamed json,
    PRIMARY KEY (bot_id, revision)
  );

  -- 'owner' is the process that carries it out.
  CREATE TABLE kshot_evaluations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot_id bigint NOT NULL REFERENCES kshot_bots ON DELETE CASCADE,
    status text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
    owner text NOT NULL,
    about json NOT NULL,
    done integer NOT NULL,
    error text,
    created_at timestamptz(3) NOT NULL,
    finished_at timestamptz(3),
    headline json,
    result json,
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK ((status = 'done') = (result IS NOT NULL))
  );
  CREATE INDEX kshot_evaluations_of_bot ON kshot_evaluations (bot_id, id);
  `,
  // API keys. hash: SHA-256 of the secret.
  `
  CREATE TABLE kshot_api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    hint text NOT NULL,
    access text NOT NULL CHECK (access IN ('read', 'write')),
    bots text[],
    rate double precision CHECK (rate > 0),
    created_at timestamptz(3) NOT NULL,
    last_used_at timestamptz(3),
    revoked_at timestamptz(3)
  );
  `,
  // Jobs, one of which carries out each evaluation that is not over. lease: whose a running job is.
  `
  CREATE TABLE kshot_jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    bot text COLLATE "C",
    input json NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    done bigint NOT NULL,
    total bigint,
    attempts integer NOT NULL,
    lease text,
    result json,
    error text,
    created_at timestamptz(3) NOT NULL,
    started_at timestamptz(3),
    finished_at timestamptz(3),
    heartbeat_at timestamptz(3),
    CHECK ((status = 'running') = (lease IS NOT NULL)),
    CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL)),
    CHECK ((status = 'done') = (result IS NOT NULL))
  );
  CREATE INDEX kshot_open_jobs ON kshot_jobs (kind) WHERE status IN ('queued', 'running');

  UPDATE kshot_evaluations SET status = 'failed', finished_at = now(),
    error = 'the server stopped before it was done: begin it again' WHERE status = 'running';
  ALTER TABLE kshot_evaluations
    DROP COLUMN owner,
    ADD COLUMN job_id bigint REFERENCES kshot_jobs ON DELETE SET NULL,
    ADD COLUMN subject json,
    DROP CONSTRAINT kshot_evaluations_status_check,
    DROP CONSTRAINT kshot_evaluations_check,
    ADD CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    ADD CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL));
  CREATE INDEX kshot_evaluations_of_job ON kshot_evaluations (job_id);

  -- An evaluation is as far as its job, and ends with it. It is done when its result is written, which is before its job is.
  CREATE FUNCTION kshot_follow_job() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE kshot_evaluations SET status = NEW.status, done = NEW.done, error = NEW.error, finished_at = NEW.finished_at,
      subject = CASE WHEN NEW.finished_at IS NULL THEN subject END
    WHERE job_id = NEW.id AND finished_at IS NULL;
    RETURN NULL;
  END $$;
  CREATE TRIGGER kshot_follow_job AFTER UPDATE OF status, done ON kshot_jobs FOR EACH ROW WHEN (NEW.status <> 'done')
    EXECUTE FUNCTION kshot_follow_job();
  `,
];

/**
 * Brings a database to the newest schema: all the steps that it lacks, or none. Several processes that start at once do so one
 * after the other.
 *
 * @param claimsNew whether it is found new by this process, where it is; else it stays so for the next.
 * @returns whether it is new: there was none before, or who made it has given it back (`markNew`). It is so to one alone.
 * @throws KshotError `store_unavailable` if the schema is a newer kshot's, or the server is too old or has no Unicode; it is left as it was.
 */
export function migrate(
  db: PostgresConnection,
  migrations = MIGRATIONS,
  claimsNew = true,
): Promise<{ readonly isNew: boolean }> {
  const refuse = (what: string) => new KshotError('store_unavailable', `Store ${db.location}: ${what}`);
  return db.write(async (session) => {
    const [server] = await session.rows<{ number: number; version: string; encoding: string }>(
      `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
         current_setting('server_encoding') AS encoding`,
    );
    if (server!.number < OLDEST_SERVER) {
      throw refuse(`the server is PostgreSQL ${server!.version}: kshot needs 13 or newer`);
    }
    if (server!.encoding !== 'UTF8') {
      throw refuse(`the database is encoded as ${server!.encoding}: make one with ENCODING 'UTF8'`);
    }
    await session.rows(`SELECT pg_advisory_xact_lock(${lockKey("'schema'")})`);
    const version = await schemaVersion(session);
    if (version !== undefined && version > migrations.length) {
      throw refuse(
        `written by a newer kshot (schema ${version}; this one knows ${migrations.length}): ` +
          'run that version, or name another database',
      );
    }
    if (version === undefined) {
      await session.run('CREATE TABLE kshot_schema (version integer NOT NULL, is_new boolean NOT NULL)');
      await session.run('INSERT INTO kshot_schema VALUES (0, true)');
    }
    for (const step of migrations.slice(version ?? 0)) await session.run(step);
    if (version !== migrations.length)
      await session.run('UPDATE kshot_schema SET version = $1', [migrations.length]);
    if (!claimsNew) return { isNew: false };
    const claimed = await session.run('UPDATE kshot_schema SET is_new = false WHERE is_new');
    return { isNew: claimed > 0 };
  });
}

/** Has whoever opens the database next find it new, unless there is something in it. */
export async function markNew(session: Session): Promise<void> {
  await session.run('UPDATE kshot_schema SET is_new = true WHERE NOT EXISTS (SELECT FROM kshot_bots)');
}

async function schemaVersion(session: Session): Promise<number | undefined> {
  const [found] = await session.rows<{ exists: boolean }>(
    `SELECT to_regclass(quote_ident(current_schema()) || '.kshot_schema') IS NOT NULL AS exists`,
  );
  if (!found!.exists) return undefined;
  const [row] = await session.rows<{ version: number }>('SELECT version FROM kshot_schema');
  return row!.version;
}

/**
 * The key of an advisory lock: such locks are the database's, and so bear the name of the schema.
 *
 * @param what an SQL expression.
 */
export function lockKey(what: string): string {
  return `hashtextextended('kshot ' || current_schema() || ' ' || ${what}, 0)`;
}
