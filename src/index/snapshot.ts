import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AdaptiveIndex } from './adaptive.js';
import { HnswIndex, type GraphParameters } from './hnsw.js';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.js';

/**
 * A snapshot is a directory of two files: the graph as hnswlib writes it, and a manifest that names it. The
 * manifest is put in place by a rename, after everything else is on disk: a crash leaves the former snapshot or
 * the new one.
 */
const MANIFEST = 'manifest.bin';

/** What a snapshot must be of to be of any use. */
export interface SnapshotKey {
  /** The embedding space: the encoder's fingerprint. */
  readonly key: string;
  readonly dimension: number;
  readonly parameters: GraphParameters;
}

export type LoadedSnapshot =
  | { readonly graph: HnswIndex }
  /** `absent`: none was written. `corrupt`: it is damaged. `foreign`: it is whole, but of something else. */
  | {
      readonly graph: undefined;
      readonly problem: 'absent' | 'corrupt' | 'foreign';
      readonly reason: string;
    };

/**
 * Writes the index's graph, in another thread: searches and writes go on. What has not reached the graph is not
 * written; `openIndex` finds it missing and adds it. An index that has no graph is quicker to rebuild than to read:
 * its snapshot, if there is one, is deleted.
 *
 * @param key the embedding space: the encoder's fingerprint.
 * @returns whether a snapshot was written.
 * @throws Error from the file system. The former snapshot is whole then.
 */
export async function saveSnapshot(index: AdaptiveIndex, directory: string, key: string): Promise<boolean> {
  const written = await index.withGraph(async (graph) => {
    await mkdir(directory, { recursive: true });
    const graphFile = `graph-${randomUUID()}.hnsw`;
    const manifestFile = path.join(directory, `${MANIFEST}.${randomUUID()}`);
    try {
      const { dimension, parameters } = graph;
      const file = path.join(directory, graphFile);
      const ledger = await graph.write(file);
      await flushFile(file);
      const graphBytes = (await stat(file)).size;
      // hnswlib does not say when the disk is full.
      if (graphBytes < 4 * dimension * ledger.digests.length) {
        throw new Error(`${file} was cut off after ${graphBytes} bytes; is the disk full?`);
      }
      const header: Manifest['header'] = {
        ...{ version: 1, key, dimension, parameters: { ...parameters }, graphFile, graphBytes },
        ...{ graphSha256: await sha256(file), ids: ledger.ids.length, nodes: ledger.digests.length },
      };
      await writeFile(manifestFile, encodeManifest({ header, ledger }), { flush: true });
      await rename(manifestFile, path.join(directory, MANIFEST));
      await flushDirectory(directory);
    } catch (error) {
      await removeAllBut(directory, await currentFiles(directory));
      throw error;
    }
    await removeAllBut(directory, [MANIFEST, graphFile]);
    return true;
  });
  if (written) return true;
  await removeAllBut(directory, []);
  return false;
}

/**
 * Reads a snapshot. Nothing reaches hnswlib, which would crash on a damaged graph, before its checksum was verified.
 * What the store holds may have changed since: compare `graph.heldIds()` and `graph.digest(id)` with it.
 */
export async function loadSnapshot(directory: string, expected: SnapshotKey): Promise<LoadedSnapshot> {
  const refuse = (problem: 'absent' | 'corrupt' | 'foreign', reason: string): LoadedSnapshot => ({
    ...{ graph: undefined, problem, reason },
  });
  const manifestFile = path.join(directory, MANIFEST);
  let manifest: Manifest;
  try {
    manifest = decodeManifest(await readFile(manifestFile));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return refuse('absent', `${manifestFile} is not there`);
    return refuse('corrupt', `${manifestFile}: ${messageOf(error)}`);
  }
  const { header, ledger } = manifest;
  const { key, dimension, parameters } = expected;
  if (header.key !== key) return refuse('foreign', `it is of the encoder ${header.key}, not ${key}`);
  if (header.dimension !== dimension) {
    return refuse('foreign', `it is of dimension ${header.dimension}, not ${dimension}`);
  }
  if (
    header.parameters.links !== parameters.links ||
    header.parameters.constructionBreadth !== parameters.constructionBreadth
  ) {
    return refuse('foreign', 'its graph was built with other parameters');
  }
  const file = path.join(directory, header.graphFile);
  try {
    if ((await stat(file)).size !== header.graphBytes)
      return refuse('corrupt', `${file}: its length is wrong`);
    if ((await sha256(file)) !== header.graphSha256)
      return refuse('corrupt', `${file}: its checksum is wrong`);
    return { graph: await HnswIndex.read(file, dimension, parameters, ledger) };
  } catch (error) {
    return refuse('corrupt', `${file}: ${messageOf(error)}`);
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Forces a file to disk. */
async function flushFile(file: string): Promise<void> {
  await flush(file, 'r+');
}

/** Forces the names in a directory to disk, where the system lets one. */
async function flushDirectory(directory: string): Promise<void> {
  if (process.platform !== 'win32') await flush(directory, 'r');
}

async function flush(target: string, flags: string): Promise<void> {
  const handle = await open(target, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The files of the snapshot that is in place. */
async function currentFiles(directory: string): Promise<string[]> {
  try {
    const { header } = decodeManifest(await readFile(path.join(directory, MANIFEST)));
    return [MANIFEST, header.graphFile];
  } catch {
    return [MANIFEST]; // absent, or damaged and so of no use
  }
}

/** Removes what former and interrupted saves left. */
async function removeAllBut(directory: string, keep: readonly string[]): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const ours = name.startsWith('graph-') || name.startsWith(MANIFEST);
    if (ours && !keep.includes(name)) await rm(path.join(directory, name), { force: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
