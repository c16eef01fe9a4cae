import { expect, test } from '@jest/globals';
import type { Episode } from '../../src/learn/episodes.js';
import { episodeArrays } from '../../src/learn/episodeArrays.js';

// Row r of the set is [r, r + 0.5], class c is named [-c, -c].
const embeddings = Float32Array.from({ length: 20 }, (_, i) => Math.floor(i / 2) + (i % 2) / 2);
const names = Float32Array.from({ length: 6 }, (_, i) => -Math.floor(i / 2));
const episode: Episode = {
  source: 0,
  classes: [2, 0],
  support: [[4, 5], [1]],
  queries: [6, 2, 9],
  labels: [0, 1, -1],
  confusable: false,
};

test('an episode as arrays, uneven classes padded', () => {
  const arrays = episodeArrays(episode, { dimension: 2, embeddings, names });
  expect([arrays.ways, arrays.shots, arrays.queryCount, arrays.dimension]).toEqual([2, 2, 3, 2]);
  expect([...arrays.rows]).toEqual([4, 4.5, 5, 5.5, 1, 1.5, 0, 0]);
  expect([...arrays.mask]).toEqual([1, 1, 1, 0]);
  expect([...arrays.names]).toEqual([-2, -2, -0, -0]);
  expect([...arrays.classMask]).toEqual([1, 1]);
  expect([...arrays.queries]).toEqual([6, 6.5, 2, 2.5, 9, 9.5]);
  expect([...arrays.queryMask]).toEqual([1, 1, 1]);
  expect([...arrays.labels]).toEqual([0, 1, -1]);
});

test('padded to a shape that many episodes share', () => {
  const padding = { ways: 3, shots: 3, queries: 4 };
  const arrays = episodeArrays(episode, { dimension: 2, embeddings }, padding);
  expect([...arrays.rows]).toEqual([4, 4.5, 5, 5.5, 0, 0, 1, 1.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect([...arrays.mask]).toEqual([1, 1, 0, 1, 0, 0, 0, 0, 0]);
  expect([...arrays.names]).toEqual([0, 0, 0, 0, 0, 0]);
  expect([...arrays.classMask]).toEqual([1, 1, 0]);
  expect([...arrays.queryMask]).toEqual([1, 1, 1, 0]);
  expect([...arrays.labels]).toEqual([0, 1, -1, -1]);
  expect([...arrays.queries.subarray(6)]).toEqual([0, 0]);
});

test('the name of a class is one more support row, where it has one', () => {
  const arrays = episodeArrays(episode, { dimension: 2, embeddings, names }, { nameRows: true });
  expect([...arrays.rows]).toEqual([4, 4.5, 5, 5.5, -2, -2, 1, 1.5, 0, 0, 0, 0]);
  expect([...arrays.mask]).toEqual([1, 1, 1, 1, 0, 0]);
});

test('an episode that is larger than the shape is refused', () => {
  expect(() => episodeArrays(episode, { dimension: 2, embeddings }, { shots: 1 })).toThrow(
    'an episode of 2 shots does not fit into 1',
  );
});
