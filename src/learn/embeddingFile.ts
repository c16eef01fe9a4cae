import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/*
 * The embeddings of one encoder on disk, append only: `rows.f32` holds rows of D float32 (of this machine's byte order),
 * `rows.index` an entry for each row, in the same order. An entry is written once its row is safely on disk.
 *
 * What a crash leaves behind is therefore a tail: rows without an entry, a half-written row or entry, or an entry that
 * never reached the disk. It is cut off when the file is opened. A row that has changed on disk since does not match the
 * checksum in its entry; it counts as absent.
 *
 * An entry, 40 bytes: SHA-256 of the text (32), checksum of the row (4), checksum of the 36 bytes before (4).
 */

const KEY_BYTES = 32;
const ENTRY_BYTES = KEY_BYTES + 8;
/** Rows that are checked and copied at a time; bounds what a long run of neighbours takes in memory. */
const RUN_ROWS = 4096;

/** SHA-256 of a text, as a key of the file. */
export function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('binary');
}

export class EmbeddingFile {
  readonly #rows: number;
  readonly #index: number;
  readonly #dimension: number;
  readonly #rowBytes: number;
  /** Row of each key. */
  readonly #positions = new Map<string, number>();
  #count = 0;

  /**
   * Opens the file in an existing directory, or begins it. The caller sees to it that nobody else has it open.
   *
   * @throws the file system's errors.
   */
  constructor(directory: string, dimension: number) {
    this.#dimension = dimension;
    this.#rowBytes = dimension * Float32Array.BYTES_PER_ELEMENT;
    const flags = constants.O_RDWR | constants.O_CREAT;
    this.#rows = openSync(join(directory, 'rows.f32'), flags);
    this.#index = openSync(join(directory, 'rows.index'), flags);
    this.#recover();
  }

  /** Rows on disk, those among them that were written anew included. */
  get count(): number {
    return this.#count;
  }

  has(key: string): boolean {
    return this.#positions.has(key);
  }

  /**
   * Copies rows out of the file.
   *
   * @param keys `[n]`.
   * @param into `[n, D]`; rows of keys that are absent are left as they are.
   * @returns the positions in `keys` of those that are absent, or were spoiled and are absent from now on.
   */
  read(keys: readonly string[], into: Float32Array): number[] {
    const absent: number[] = [];
    for (let from = 0; from < keys.length;) {
      const first = this.#positions.get(keys[from]!);
      if (first === undefined) {
        absent.push(from++);
        continue;
      }
      // Texts that were embedded together lie together: one read for all of them.
      let to = from + 1;
      while (to < keys.length && to - from < RUN_ROWS) {
        if (this.#positions.get(keys[to]!) !== first + to - from) break;
        to++;
      }
      absent.push(...this.#readRun(keys, from, to, first, into));
      from = to;
    }
    return absent;
  }

  /**
   * Adds rows, or replaces those of keys that are there; after it they outlast a crash.
   *
   * @param rows `[n, D]`.
   * @throws RangeError if there are not as many rows as keys; the file system's errors. The file is then as it was.
   */
  append(keys: readonly string[], rows: Float32Array): void {
    if (rows.length !== keys.length * this.#dimension) {
      throw new RangeError(`${rows.length} numbers for ${keys.length} rows of ${this.#dimension}`);
    }
    const entries = Buffer.alloc(keys.length * ENTRY_BYTES);
    for (const [i, key] of keys.entries()) {
      const row = rows.subarray(i * this.#dimension, (i + 1) * this.#dimension);
      const at = i * ENTRY_BYTES;
      entries.write(key, at, 'latin1');
      entries.writeUInt32LE(checksum(bytesOf(row)), at + KEY_BYTES);
      entries.writeUInt32LE(entryChecksum(entries, at), at + KEY_BYTES + 4);
    }
    writeAll(this.#rows, bytesOf(rows), this.#count * this.#rowBytes);
    fdatasyncSync(this.#rows);
    writeAll(this.#index, entries, this.#count * ENTRY_BYTES);
    fdatasyncSync(this.#index);
    for (const [i, key] of keys.entries()) this.#positions.set(key, this.#count + i);
    this.#count += keys.length;
  }

  close(): void {
    closeSync(this.#rows);
    closeSync(this.#index);
  }

  /** Reads the index as far as it is whole and has its rows, and cuts off what follows. */
  #recover(): void {
    const whole = Math.min(
      Math.floor(fstatSync(this.#rows).size / this.#rowBytes),
      Math.floor(fstatSync(this.#index).size / ENTRY_BYTES),
    );
    const entries = Buffer.alloc(whole * ENTRY_BYTES);
    readAll(this.#index, entries, 0);
    for (let row = 0; row < whole; row++) {
      const at = row * ENTRY_BYTES;
      if (entries.readUInt32LE(at + KEY_BYTES + 4) !== entryChecksum(entries, at)) break;
      this.#positions.set(entries.toString('latin1', at, at + KEY_BYTES), row);
      this.#count++;
    }
    ftruncateSync(this.#rows, this.#count * this.#rowBytes);
    ftruncateSync(this.#index, this.#count * ENTRY_BYTES);
  }

  #readRun(keys: readonly string[], from: number, to: number, first: number, into: Float32Array): number[] {
    const run = into.subarray(from * this.#dimension, to * this.#dimension);
    readAll(this.#rows, bytesOf(run), first * this.#rowBytes);
    const stored = Buffer.alloc((to - from) * ENTRY_BYTES);
    readAll(this.#index, stored, first * ENTRY_BYTES);
    const spoiled: number[] = [];
    for (let i = from; i < to; i++) {
      const row = into.subarray(i * this.#dimension, (i + 1) * this.#dimension);
      if (stored.readUInt32LE((i - from) * ENTRY_BYTES + KEY_BYTES) === checksum(bytesOf(row))) continue;
      row.fill(0);
      this.#positions.delete(keys[i]!);
      spoiled.push(i);
    }
    return spoiled;
  }
}

function bytesOf(rows: Float32Array): Uint8Array {
  return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
}

function entryChecksum(entries: Buffer, at: number): number {
  return checksum(entries.subarray(at, at + KEY_BYTES + 4));
}

/** MurmurHash3 (x86, 32 bits) of bytes whose number is a multiple of four; not 0 for zeros, such as a crash may leave. */
function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = 0x6b73686f;
  for (let at = 0; at < bytes.byteLength; at += 4) {
    let word = Math.imul(view.getUint32(at, true), 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= bytes.byteLength;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

function readAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = readSync(file, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw new Error('an embedding file has become shorter while it was open');
    done += read;
  }
}
