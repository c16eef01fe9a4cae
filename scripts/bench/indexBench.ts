import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ExactIndex } from '../../src/index/exact.js';
import { DEFAULT_PARAMETERS, HnswIndex, type GraphParameters } from '../../src/index/hnsw.js';
import type { Neighbour, VectorIndex } from '../../src/index/vectorIndex.js';
import { vectorSource } from './vectorSource.js';

export interface IndexBenchOptions {
  /** How many vectors an index holds. */
  readonly sizes: readonly number[];
  /** Default 384. */
  readonly dimension?: number;
  /** Default 500; none of them is in the index. */
  readonly queries?: number;
  /** Neighbours asked for; default 50. */
  readonly k?: number;
  readonly seed?: number;
  /** `[n, D]` real embeddings that the vectors are made from (vectorSource.ts); without them, made-up clusters. */
  readonly seeds?: Float32Array;
  readonly parameters?: GraphParameters;
  /** Called now and then while an index is built. */
  readonly onProgress?: (progress: IndexBenchProgress) => void;
}

export interface IndexBenchProgress {
  readonly size: number;
  readonly kind: IndexBenchRow['kind'];
  readonly done: number;
}

export interface IndexBenchRow {
  readonly size: number;
  readonly kind: 'exact' | 'hnsw';
  readonly buildSeconds: number;
  /** One search, from a Float32Array to neighbours, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean share of the true `k` nearest that were found; and the share that the worst 1 % of queries got at most. */
  readonly recall: number;
  readonly recallP1: number;
  /** Growth of the process's resident memory by the index. */
  readonly memoryBytes: number;
}

const PROGRESS_EVERY = 1000;

/**
 * Builds indexes of several sizes, one after the other, and measures them: two rows a size. The exact index is the
 * truth that the graph's recall is measured against. The event loop is let in now and then, enough for a progress bar.
 * 100,000 vectors take 45 s and 200 MB on one core; a million, by extrapolation, 10 to 20 minutes and 2 GB.
 */
export async function benchIndex(options: IndexBenchOptions): Promise<IndexBenchRow[]> {
  const { dimension = 384, queries: queryCount = 500, k = 50, seed = 1, seeds } = options;
  const vectors = vectorSource(dimension, seed, seeds);
  const queries = Array.from({ length: queryCount }, (_, i) => vectors.query(i).slice());
  const rows: IndexBenchRow[] = [];
  for (const size of options.sizes) {
    let truth: Neighbour[][] | undefined;
    for (const kind of ['exact', 'hnsw'] as const) {
      const before = await settledMemory();
      const started = performance.now();
      const index: VectorIndex =
        kind === 'exact'
          ? new ExactIndex(dimension)
          : HnswIndex.create(dimension, options.parameters ?? DEFAULT_PARAMETERS, size);
      let making = 0;
      for (let id = 0; id < size; id++) {
        const make = performance.now();
        const vector = vectors.row(id);
        making += performance.now() - make;
        index.add(id, vector);
        if ((id + 1) % PROGRESS_EVERY !== 0 && id + 1 !== size) continue;
        options.onProgress?.({ size, kind, done: id + 1 });
        await new Promise((resolve) => setImmediate(resolve));
      }
      const buildSeconds = (performance.now() - started - making) / 1000;
      const memoryBytes = (await settledMemory()) - before;
      const { found, times } = searchAll(index, queries, k);
      truth ??= found;
      const recalls = found.map((neighbours, i) => recall(neighbours, truth![i]!));
      rows.push({
        ...{ size, kind, buildSeconds, memoryBytes },
        p50Ms: quantile(times, 0.5),
        p99Ms: quantile(times, 0.99),
        recall: recalls.reduce((sum, value) => sum + value, 0) / queryCount,
        recallP1: quantile(recalls, 0.01),
      });
      if (index instanceof ExactIndex || index instanceof HnswIndex) index.clear();
    }
  }
  return rows;
}

function searchAll(index: VectorIndex, queries: readonly Float32Array[], k: number) {
  for (const query of queries.slice(0, 50)) index.search(query, k); // warms up code and caches
  const times: number[] = [];
  const found = queries.map((query) => {
    const started = performance.now();
    const neighbours = index.search(query, k);
    times.push(performance.now() - started);
    return neighbours;
  });
  return { found, times };
}

function recall(found: readonly Neighbour[], truth: readonly Neighbour[]): number {
  const ids = new Set(found.map(({ id }) => id));
  return truth.filter(({ id }) => ids.has(id)).length / truth.length;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** Resident memory in bytes, after garbage collection; what it frees is given back a little later. */
async function settledMemory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return process.memoryUsage.rss();
}
