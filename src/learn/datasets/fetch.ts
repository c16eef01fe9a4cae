import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { isNativeError } from 'node:util/types';
import { KshotError } from '../../errors.js';
import type { ManifestDataset, ManifestFile } from './manifest.js';

export interface FetchOptions {
  /** Bytes of the set that are in place so far: downloaded now, or found there. */
  readonly progress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
  /** Asked in place of each URL's own origin: a mirror that has the same paths. */
  readonly mirror?: string;
  /** A server that sends nothing for so long is given up, in ms. */
  readonly stallMs?: number;
}

export interface FetchReport {
  /** Files that were downloaded. */
  readonly fetched: number;
  /** Files that were there already, with the right content. */
  readonly present: number;
}

/** Downloads at a time: enough to hide the waiting for many small files, few enough to be polite. */
const PARALLEL = 4;
const STALL_MS = 60_000;
/** How the beginning of a file is named until all of it has been checked. */
const PARTIAL = '.partial';

/**
 * Brings a set's files into `<directory>/<folder>/`. Files that are there with the right checksum stay; a download that was
 * broken off goes on where it stopped; nothing gets its final name before its checksum was right.
 *
 * @throws KshotError `invalid_file`, naming the file and its address, if it cannot be had or is not what the manifest says;
 *   `cancelled` when the signal aborts.
 */
export async function fetchDataset(
  dataset: ManifestDataset,
  directory: string,
  options: FetchOptions = {},
): Promise<FetchReport> {
  const waiting = [...dataset.files];
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const report = { fetched: 0, present: 0 };
  let bytes = 0;
  const count = (more: number) => {
    bytes += more;
    options.progress?.(bytes);
  };

  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const path = join(directory, dataset.folder, file.path);
      if (await isWhole(path, file)) {
        report.present++;
        count(file.bytes);
      } else {
        await download(file, path, { ...options, signal }, count);
        report.fetched++;
      }
    }
  };
  let failure: Error | undefined;
  const guarded = () =>
    worker().catch((error: unknown) => {
      failure ??= isNativeError(error) ? error : new Error(String(error));
      stop.abort(); // The others need not go on.
    });
  await Promise.all(Array.from({ length: PARALLEL }, guarded));
  if (failure !== undefined) throw failure;
  return report;
}

async function download(
  file: ManifestFile,
  path: string,
  options: FetchOptions & { readonly signal: AbortSignal },
  count: (bytes: number) => void,
): Promise<void> {
  const partial = path + PARTIAL;
  await mkdir(dirname(path), { recursive: true });
  const { begun, hash } = await hashSoFar(partial, file);
  count(begun);
  if (begun < file.bytes || file.bytes === 0) {
    await append(file, partial, begun, hash, options, count);
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== file.sha256) {
    await rm(partial, { force: true });
    throw new KshotError(
      'invalid_file',
      `${addressOf(file, options.mirror)}: its SHA-256 is ${sha256}, not ${file.sha256}; it has changed at its source, or was ` +
        'spoiled on its way. It was not kept; try again, or bring the file yourself',
    );
  }
  await rename(partial, path);
}

/**
 * Gets what is missing of a file.
 *
 * @param begun bytes that are there; a server that sends them again has file, hash and count begun anew.
 * @param hash over the bytes that are there; goes on over those that come.
 */
async function append(
  file: ManifestFile,
  partial: string,
  begun: number,
  hash: ResumableHash,
  { mirror, signal, stallMs = STALL_MS }: FetchOptions & { readonly signal: AbortSignal },
  count: (bytes: number) => void,
): Promise<void> {
  const address = addressOf(file, mirror);
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${stallMs} ms`)), stallMs);
  try {
    const response = await fetch(address, {
      // A compressed answer could not be counted, nor gone on with.
      headers: { 'accept-encoding': 'identity', ...(begun === 0 ? {} : { range: `bytes=${begun}-` }) },
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`HTTP ${response.status}`);
    }
    const restarted = begun > 0 && response.status !== 206;
    if (restarted) {
      hash.restart();
      count(-begun);
    }
    let length = restarted ? 0 : begun;
    const watch = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        timer.refresh();
        length += chunk.length;
        hash.update(chunk);
        count(chunk.length);
        // Rather than fill the disk with what is not the file anyway.
        if (length > file.bytes) done(new Error(`longer than the ${file.bytes} bytes that it should have`));
        else done(null, chunk);
      },
    });
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    await pipeline(body, watch, createWriteStream(partial, { flags: restarted || begun === 0 ? 'w' : 'a' }));
    if (length < file.bytes) throw new Error(`ended after ${length} of ${file.bytes} bytes`);
  } catch (cause) {
    if (signal.aborted) throw new KshotError('cancelled', 'the download was stopped', { cause });
    throw new KshotError(
      'invalid_file',
      `${address} cannot be downloaded: ${reasonOf(stalled.signal.aborted ? stalled.signal.reason : cause)}. Run it again to go ` +
        'on where it stopped; without a network, copy the file from elsewhere',
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** SHA-256 that can be begun anew in place. */
class ResumableHash {
  #hash: Hash = createHash('sha256');

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  restart(): void {
    this.#hash = createHash('sha256');
  }

  digest(encoding: 'hex'): string {
    return this.#hash.digest(encoding);
  }
}

/** What is there of a broken-off download; one that is too long is none. */
async function hashSoFar(
  partial: string,
  file: ManifestFile,
): Promise<{ begun: number; hash: ResumableHash }> {
  const hash = new ResumableHash();
  const begun = await sizeOf(partial);
  if (begun === undefined || begun > file.bytes) return { begun: 0, hash };
  for await (const chunk of createReadStream(partial)) hash.update(chunk as Buffer);
  return { begun, hash };
}

async function isWhole(path: string, { bytes, sha256 }: ManifestFile): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex') === sha256;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function addressOf({ url }: ManifestFile, mirror: string | undefined): string {
  if (mirror === undefined) return url;
  return mirror.replace(/\/$/, '') + new URL(url).pathname;
}

/** fetch hides why it failed one level down. */
function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  return isNativeError(error.cause) ? `${error.message} (${error.cause.message})` : error.message;
}
