import { UMAP } from 'umap-js';
import { mulberry32 } from '../../heads/mulberry32.js';
import { ExactIndex } from '../../index/exact.js';
import { fitted, type Layout } from './layout.js';
import { principalLayout } from './principal.js';

/** Texts that each one is drawn to, itself counted, as is UMAP's custom. */
const NEIGHBOURS = 15;
/** As many texts as can be laid out at least. */
export const FEWEST_FOR_UMAP = NEIGHBOURS + 1;

const SEED = 1;
/** How far points lie from the middle at the start, as is UMAP's custom. */
const START_SIZE = 10;

/**
 * Lays rows out so that those come to lie together that are near to one another (McInnes, Healy & Melville 2018, "UMAP").
 * It starts from the principal components, which keeps large distances more truly than a start at random, and is seeded:
 * the same rows have the same layout.
 *
 * @param rows `[n, D]`, unit length; n is FEWEST_FOR_UMAP at least.
 */
export function umapLayout(rows: Float32Array, D: number): Layout {
  const start = fitted(principalLayout(rows, D), START_SIZE);
  const { indices, distances } = nearest(rows, D);
  const umap = new UMAP({ nComponents: 2, nNeighbors: NEIGHBOURS, random: mulberry32(SEED) });
  umap.setPrecomputedKNN(indices, distances);
  // With neighbours given, it takes nothing from what is laid out but their number.
  const epochs = umap.initializeFit(start);
  const points = umap.getEmbedding(); // those that it moves: at random until now
  start.forEach(([x, y], row) => points.splice(row, 1, [x, y]));
  for (let epoch = 0; epoch < epochs; epoch++) umap.step();
  return points.map(([x, y]) => [x!, y!]);
}

/** The nearest rows of each, itself first. Of unit vectors the Euclidean distance is √(2 - 2 cos). O(n² D). */
function nearest(rows: Float32Array, D: number): { indices: number[][]; distances: number[][] } {
  const n = rows.length / D;
  const index = new ExactIndex(D);
  const rowOf = (row: number) => rows.subarray(row * D, (row + 1) * D);
  for (let row = 0; row < n; row++) index.add(row, rowOf(row));
  const indices: number[][] = [];
  const distances: number[][] = [];
  for (let row = 0; row < n; row++) {
    const others = index.search(rowOf(row), NEIGHBOURS).filter(({ id }) => id !== row);
    const near = others.slice(0, NEIGHBOURS - 1);
    indices.push([row, ...near.map(({ id }) => id)]);
    distances.push([0, ...near.map(({ similarity }) => Math.sqrt(Math.max(0, 2 - 2 * similarity)))]);
  }
  return { indices, distances };
}
