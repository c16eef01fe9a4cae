import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { runInChild } from '../../scripts/bench/childProcess.js';
import type { IndexBenchOptions } from '../../scripts/bench/indexBench.js';
import { vectorSource } from '../../scripts/bench/vectorSource.js';
import type { Outcome } from './indexBenchChild.js';
import { clustered } from './vectors.js';

const CHILD = fileURLToPath(new URL('./indexBenchChild.js', import.meta.url));

test('the benchmark measures both kinds at every size', async () => {
  const { rows, reported } = await runInChild<IndexBenchOptions, Outcome>(CHILD, {
    ...{ sizes: [300, 600], dimension: 16, queries: 20, k: 20 },
  });
  expect(rows.map(({ size, kind }) => [size, kind])).toEqual([
    [300, 'exact'],
    [300, 'hnsw'],
    [600, 'exact'],
    [600, 'hnsw'],
  ]);
  expect(reported).toBe(2 * (300 + 600));
  for (const row of rows) {
    expect(row.recall).toBeGreaterThanOrEqual(row.kind === 'exact' ? 1 : 0.98);
    expect(row.p99Ms).toBeGreaterThanOrEqual(row.p50Ms);
  }
});

test.each([undefined, Float32Array.from(clustered(50, 16, 1).flatMap((vector) => [...vector]))])(
  'its vectors depend on seed and number alone, are of unit length, and no query is among them',
  (seeds) => {
    const vectors = vectorSource(16, 5, seeds);
    const ninth = vectors.row(9).slice();
    expect(Math.hypot(...ninth)).toBeCloseTo(1, 5);
    expect(vectors.query(9)).not.toEqual(ninth);
    expect(vectors.row(10)).not.toEqual(ninth);
    expect(vectors.row(9)).toEqual(ninth);
    expect(vectorSource(16, 5, seeds).row(9)).toEqual(ninth);
    expect(vectorSource(16, 6, seeds).row(9)).not.toEqual(ninth);
  },
);
