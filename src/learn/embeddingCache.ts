import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import Database from 'better-sqlite3';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import { EmbeddingFile, keyOf } from './embeddingFile.js';

/** What of an encoder is needed. Whatever makes other embeddings of a text must have another fingerprint. */
export type EmbeddingSource = Pick<Encoder, 'name' | 'fingerprint' | 'dimension' | 'encode'>;

export interface EmbedOptions {
  /** Told at the start and after every batch: how many of the different texts are embedded. */
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Texts that are encoded between two writes: enough for the encoder to sort and fill its batches, little to lose. */
const BATCH = 512;

/**
 * Embeddings on disk, keyed by the encoder's fingerprint and the text, so that training never encodes twice. What has been
 * embedded survives a crash (src/learn/embeddingFile.ts). One process at a time for each encoder.
 */
export class EmbeddingCache {
  readonly #directory: string;
  readonly #waitMs: number;
  readonly #shelves = new Map<string, Shelf>();
  #closed = false;

  /**
   * @param directory is made when it is needed; one folder in it for each encoder.
   * @param waitMs how long another process that has an encoder's embeddings open is waited for; the thread stands still.
   */
  constructor(directory: string, waitMs = 0) {
    this.#directory = directory;
    this.#waitMs = waitMs;
  }

  /**
   * Embeddings of texts, encoded where the cache does not have them.
   *
   * @returns `[n, D]`, in the order of the texts.
   * @throws KshotError `store_in_use` if another process has the encoder's embeddings open, `store_unavailable` if the
   *   files cannot be read or written, and what the encoder throws, `cancelled` among it; what was embedded before is kept.
   */
  async embedAll(
    encoder: EmbeddingSource,
    texts: readonly string[],
    { progress, signal }: EmbedOptions = {},
  ): Promise<Float32Array> {
    const { file } = this.#shelfOf(encoder);
    const keys = texts.map(keyOf);
    const embeddings = new Float32Array(texts.length * encoder.dimension);
    const absent = attempt(this.#directory, () => file.read(keys, embeddings));

    const missing = [...new Map(absent.map((i) => [keys[i]!, texts[i]!]))];
    const total = new Set(keys).size;
    const cached = total - missing.length;
    progress?.(cached, total);
    for (let from = 0; from < missing.length; from += BATCH) {
      const batch = missing.slice(from, from + BATCH);
      const encoded = await encoder.encode(
        batch.map(([, text]) => text),
        { background: true, ...(signal === undefined ? {} : { signal }) },
      );
      this.#checkOpen();
      attempt(this.#directory, () =>
        file.append(
          batch.map(([key]) => key),
          encoded.embeddings,
        ),
      );
      progress?.(cached + from + batch.length, total);
    }

    const late = new Float32Array(absent.length * encoder.dimension);
    attempt(this.#directory, () => {
      const lateKeys = absent.map((i) => keys[i]!);
      if (file.read(lateKeys, late).length > 0) throw new Error('what was just written reads otherwise');
    });
    for (const [at, i] of absent.entries()) {
      const row = late.subarray(at * encoder.dimension, (at + 1) * encoder.dimension);
      embeddings.set(row, i * encoder.dimension);
    }
    return embeddings;
  }

  /** Lets other processes have the embeddings; to do so twice is harmless. */
  close(): void {
    this.#closed = true;
    for (const { file, lock } of this.#shelves.values()) {
      file.close();
      lock.close();
    }
    this.#shelves.clear();
  }

  #shelfOf(encoder: EmbeddingSource): Shelf {
    this.#checkOpen();
    const known = this.#shelves.get(encoder.fingerprint);
    if (known !== undefined) return known;
    const shelf = openShelf(this.#directory, encoder, this.#waitMs);
    this.#shelves.set(encoder.fingerprint, shelf);
    return shelf;
  }

  #checkOpen(): void {
    if (this.#closed) throw new KshotError('not_ready', 'the embedding cache is closed');
  }
}

/** The embeddings of one encoder. */
interface Shelf {
  readonly file: EmbeddingFile;
  /** An exclusive transaction on an empty database: the operating system drops it when the process dies. */
  readonly lock: Database.Database;
}

function openShelf(
  directory: string,
  { name, fingerprint, dimension }: EmbeddingSource,
  waitMs: number,
): Shelf {
  const identity = createHash('sha256').update(`${fingerprint} ${dimension}`).digest('hex').slice(0, 32);
  const folder = join(directory, identity);
  return attempt(folder, () => {
    mkdirSync(folder, { recursive: true });
    const lock = acquire(folder, waitMs);
    try {
      const file = new EmbeddingFile(folder, dimension);
      // For whoever wonders what may be deleted; nothing reads it.
      writeFileSync(join(folder, 'encoder.json'), `${JSON.stringify({ name, fingerprint, dimension })}\n`);
      return { file, lock };
    } catch (error) {
      lock.close();
      throw error;
    }
  });
}

function acquire(folder: string, waitMs: number): Database.Database {
  const lock = new Database(join(folder, 'lock'), { timeout: waitMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    throw new KshotError(
      'store_in_use',
      `another process has the embeddings in ${folder} open: wait until it ends, or name another cache`,
      { cause },
    );
  }
}

/** Told by its code: better-sqlite3's errors are of the class that the context which loaded it first has. */
function isBusy(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && /^SQLITE_BUSY/.test(String(error.code))
  );
}

function attempt<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof KshotError) throw cause;
    const reason = isNativeError(cause) ? cause.message : String(cause);
    throw new KshotError('store_unavailable', `the embeddings in ${where}: ${reason}`, { cause });
  }
}
