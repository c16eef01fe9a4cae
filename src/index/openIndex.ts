import { AdaptiveIndex, DEFAULT_DEAD_SHARE, DEFAULT_EXACT_LIMIT, type AdaptiveOptions } from './adaptive.js';
import { checkDimension } from './checks.js';
import { vectorDigest } from './digest.js';
import { DEFAULT_PARAMETERS, HnswIndex } from './hnsw.js';
import { loadSnapshot } from './snapshot.js';

/** What the store holds. */
export interface IndexSource {
  readonly dimension: number;
  /** `[n]`, no id twice. */
  readonly ids: readonly number[];
  /** `[n, D]`, row for row with `ids`, unit length. */
  readonly embeddings: Float32Array;
}

export interface OpenOptions extends AdaptiveOptions {
  /** Where `saveSnapshot` wrote, and the embedding space (the encoder's fingerprint) that it must be of. */
  readonly snapshot?: { readonly directory: string; readonly key: string };
  /** Called after every slice of insertions into a graph. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface OpenedIndex {
  /** Holds exactly what the source does. */
  readonly index: AdaptiveIndex;
  /** `exact`: small enough to need no graph. `snapshot`: read, and repaired. `built`: built from the source. */
  readonly origin: 'exact' | 'snapshot' | 'built';
  /** What a snapshot lacked (or held with another vector), and what it held too much. */
  readonly repaired: { readonly added: number; readonly removed: number };
  /** Why a snapshot that there is was not used. */
  readonly refusal?: string;
}

/** Insertions between two chances for others to use the thread. */
const INSERTIONS_A_SLICE = 8;

/**
 * Makes an index of what the store holds, the quickest way: a small one is exact, at once; a large one is read from
 * a snapshot and brought in step with the source, row by row by their digests, or built. The source is believed, the
 * snapshot never.
 *
 * @throws RangeError if lengths do not agree or an id or a component cannot be; the signal's reason when aborted.
 */
export async function openIndex(source: IndexSource, options: OpenOptions = {}): Promise<OpenedIndex> {
  const { dimension, ids, embeddings } = source;
  checkDimension(dimension);
  if (embeddings.length !== ids.length * dimension) {
    throw new RangeError(`${ids.length} ids need ${ids.length * dimension} floats, not ${embeddings.length}`);
  }
  options.signal?.throwIfAborted();
  if (ids.length <= (options.exactLimit ?? DEFAULT_EXACT_LIMIT)) {
    const index = new AdaptiveIndex(dimension, options);
    ids.forEach((id, row) => index.add(id, rowOf(source, row)));
    return { index, origin: 'exact', repaired: { added: 0, removed: 0 } };
  }
  const parameters = options.parameters ?? DEFAULT_PARAMETERS;
  let refusal: string | undefined;
  if (options.snapshot) {
    const { directory, key } = options.snapshot;
    const loaded = await loadSnapshot(directory, { key, dimension, parameters });
    if (loaded.graph) {
      const repaired = await repair(loaded.graph, source, options);
      if (repaired)
        return { index: new AdaptiveIndex(dimension, options, loaded.graph), origin: 'snapshot', repaired };
      loaded.graph.clear();
      refusal = 'too little of it is left in the store';
    } else {
      // That there is none is as it should be the first time.
      if (loaded.problem !== 'absent') refusal = loaded.reason;
    }
  }
  const graph = HnswIndex.create(dimension, parameters, Math.ceil(ids.length * 1.25));
  await insert(graph, source, ids.keys(), ids.length, options);
  const index = new AdaptiveIndex(dimension, options, graph);
  return {
    index,
    origin: 'built',
    repaired: { added: 0, removed: 0 },
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Makes a graph hold what the source does; undefined if so much of it is dead then that a new one is better. */
async function repair(
  graph: HnswIndex,
  source: IndexSource,
  options: OpenOptions,
): Promise<OpenedIndex['repaired'] | undefined> {
  const wrong: number[] = [];
  const wanted = new Set<number>();
  source.ids.forEach((id, row) => {
    if (graph.digest(id) === vectorDigest(rowOf(source, row))) wanted.add(id);
    else wrong.push(row);
  });
  const excess = [...graph.heldIds()].filter((id) => !wanted.has(id));
  for (const id of excess) graph.remove(id);
  if (graph.dead > (options.deadShare ?? DEFAULT_DEAD_SHARE) * (graph.nodes + wrong.length)) return undefined;
  await insert(graph, source, wrong, wrong.length, options);
  return { added: wrong.length, removed: excess.length };
}

async function insert(
  graph: HnswIndex,
  source: IndexSource,
  rows: Iterable<number>,
  total: number,
  { schedule = (work) => void setImmediate(work), onProgress, signal }: OpenOptions,
): Promise<void> {
  let done = 0;
  for (const row of rows) {
    graph.add(source.ids[row]!, rowOf(source, row));
    if (++done % INSERTIONS_A_SLICE !== 0 && done !== total) continue;
    onProgress?.(done, total);
    await new Promise<void>((resolve) => schedule(resolve));
    signal?.throwIfAborted();
  }
}

function rowOf({ embeddings, dimension }: IndexSource, row: number): Float32Array {
  return embeddings.subarray(row * dimension, (row + 1) * dimension);
}
