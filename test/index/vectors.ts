import type { Neighbour } from '../../src/index/vectorIndex.js';

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `count` vectors in clusters, as utterances lie about their intents. Unit length but for rounding to 64ths, which
 * makes inner products exact in any order of summation, so that ties are ties.
 */
export function clustered(count: number, dimension: number, seed: number, clusters = 20): Float32Array[] {
  const random = seeded(seed);
  const centres = Array.from({ length: clusters }, () => direction(dimension, random));
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random() * clusters)]!;
    const noise = direction(dimension, random);
    return unit(centre.map((value, i) => value + 0.8 * noise[i]!)).map(
      (value) => Math.round(64 * value) / 64,
    );
  });
}

function direction(dimension: number, random: () => number): Float32Array {
  return unit(Float32Array.from({ length: dimension }, () => random() + random() + random() - 1.5));
}

export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** The truth, by definition: all inner products, in double precision, sorted. */
export function bruteForce(
  vectors: ReadonlyMap<number, Float32Array>,
  query: Float32Array,
  k: number,
): Neighbour[] {
  return [...vectors]
    .map(([id, vector]) => ({ id, similarity: vector.reduce((sum, value, i) => sum + value * query[i]!, 0) }))
    .sort((a, b) => b.similarity - a.similarity || a.id - b.id)
    .slice(0, k);
}

/** Share of the true neighbours that were found; of equally near ones any will do. */
export function recall(found: readonly Neighbour[], truth: readonly Neighbour[]): number {
  const farthest = truth.at(-1)?.similarity ?? 0;
  return found.filter(({ similarity }) => similarity >= farthest).length / truth.length;
}

/** Similarities alone: which of two equally near vectors is the last of k, a graph does not promise. */
export function similarities(neighbours: readonly Neighbour[]): number[] {
  return neighbours.map(({ similarity }) => similarity);
}

/** A scheduler that runs nothing by itself. */
export class ManualScheduler {
  private readonly waiting: (() => void)[] = [];
  readonly schedule = (work: () => void): void => void this.waiting.push(work);

  get idle(): boolean {
    return this.waiting.length === 0;
  }

  /** Runs up to `slices` of what waits, and of what that schedules. */
  run(slices = Infinity): void {
    for (; slices > 0 && this.waiting.length > 0; slices--) this.waiting.shift()!();
  }
}
