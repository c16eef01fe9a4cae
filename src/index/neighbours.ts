import type { Neighbour } from './vectorIndex.js';

/** Nearest first; of equals, the smaller id first. */
export function byNearness(a: Neighbour, b: Neighbour): number {
  return b.similarity - a.similarity || a.id - b.id;
}

/**
 * The `k` largest scores, by `byNearness`.
 *
 * @param scores `[rows]`
 * @param ids `[rows]`
 */
export function selectNearest(scores: Float32Array, ids: Uint32Array, rows: number, k: number): Neighbour[] {
  const size = Math.min(k, rows);
  if (size === 0) return [];
  // A binary heap of row numbers with the farthest of the nearest at its root: most rows lose against it at once.
  const heap = new Uint32Array(size);
  const farther = (a: number, b: number) =>
    scores[a]! < scores[b]! || (scores[a] === scores[b] && ids[a]! > ids[b]!);
  const sink = (row: number, at: number) => {
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && farther(heap[child + 1]!, heap[child]!)) child++;
      if (!farther(heap[child]!, row)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = row;
  };
  for (let row = 0; row < size; row++) heap[row] = row;
  for (let at = (size >> 1) - 1; at >= 0; at--) sink(heap[at]!, at);
  for (let row = size; row < rows; row++) if (farther(heap[0]!, row)) sink(row, 0);
  return Array.from(heap, (row) => ({ id: ids[row]!, similarity: scores[row]! })).sort(byNearness);
}
