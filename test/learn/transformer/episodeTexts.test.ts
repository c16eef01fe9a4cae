import { expect, test } from '@jest/globals';
import { episodeArrays } from '../../../src/learn/episodeArrays.js';
import type { Episode } from '../../../src/learn/episodes.js';
import { episodeTexts, gradientOfTexts } from '../../../src/learn/transformer/episodeTexts.js';

/** Two ways of an uneven number of shots; row 40 is drawn three times, row 12 twice. */
const EPISODE: Episode = {
  source: 3,
  classes: [9, 2],
  support: [[40, 7], [12]],
  queries: [12, 40, 5, 40],
  labels: [1, 0, -1, 0],
  confusable: false,
};

test('an episode over its own texts: each once, in the order in which they come', () => {
  const { episode, rows, classes } = episodeTexts(EPISODE);
  expect(rows).toEqual([40, 7, 12, 5]);
  expect(classes).toEqual([9, 2]);
  expect(episode).toEqual({
    ...EPISODE,
    classes: [0, 1],
    support: [[0, 1], [2]],
    queries: [2, 0, 3, 0],
  });
});

test('the way back: what was copied to several places has the sum, padding has no part', () => {
  // Two dimensions, 3 rows a class (one is for the name, one for padding), 5 queries (the last is padding).
  const { episode, rows } = episodeTexts(EPISODE);
  const slopes = {
    rows: Float32Array.from([1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]),
    names: Float32Array.from([100, 200, 300, 400]),
    queries: Float32Array.from([7, 70, 8, 80, 9, 90, 11, 110, 1000, 1000]),
  };
  const back = (named: boolean[], nameRows: boolean) => {
    const { texts, names } = gradientOfTexts(episode, { shots: 3, dimension: 2 }, slopes, {
      texts: rows.length,
      named,
      nameRows,
    });
    return { texts: [...texts], names: [...names] };
  };
  // 40: row 0 of way 0, queries 1 and 3; 7: row 1 of way 0; 12: row 0 of way 1, query 0; 5: query 2.
  const texts = [1 + 8 + 11, 10 + 80 + 110, 2, 20, 4 + 7, 40 + 70, 9, 90];
  expect(back([true, true], false)).toEqual({ texts, names: [100, 200, 300, 400] });
  // A name's row stands behind the examples: the third of way 0, the second of way 1.
  expect(back([true, true], true)).toEqual({
    texts,
    names: [100 + 3, 200 + 30, 300 + 5, 400 + 50],
  });
  expect(back([true, false], true)).toEqual({ texts, names: [103, 230, 300, 400] });
  expect([...slopes.names]).toEqual([100, 200, 300, 400]);
});

test('padding of ways is no class of the gradient', () => {
  const { episode, rows } = episodeTexts(EPISODE);
  const zeros = (n: number) => new Float32Array(n);
  const slopes = { rows: zeros(4 * 2 * 2), names: zeros(4 * 2).fill(1), queries: zeros(8 * 2) };
  const { names } = gradientOfTexts(episode, { shots: 2, dimension: 2 }, slopes, {
    texts: rows.length,
    named: [true, true],
    nameRows: true,
  });
  expect([...names]).toEqual([1, 1, 1, 1]);
});

test('it is the transpose of the way there: <g, A x> = <Aᵀ g, x> for whatever x and g', () => {
  const { episode, rows, classes } = episodeTexts(EPISODE);
  const D = 3;
  const wave = (n: number, seed: number) =>
    Float32Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i));
  const x = { texts: wave(rows.length * D, 1), names: wave(classes.length * D, 2) };
  const embeddings = { dimension: D, embeddings: x.texts, names: x.names };
  const arrays = episodeArrays(episode, embeddings, { ways: 4, shots: 4, queries: 6, nameRows: true });
  const g = {
    rows: wave(arrays.rows.length, 3),
    names: wave(arrays.names.length, 4),
    queries: wave(arrays.queries.length, 5),
  };
  const back = gradientOfTexts(episode, arrays, g, {
    texts: rows.length,
    named: [true, true],
    nameRows: true,
  });
  const inner = (one: Float32Array, other: Float32Array) =>
    one.reduce((sum, value, i) => sum + value * other[i]!, 0);
  const there = inner(g.rows, arrays.rows) + inner(g.names, arrays.names) + inner(g.queries, arrays.queries);
  expect(Math.abs(there)).toBeGreaterThan(0.1);
  expect(inner(back.texts, x.texts) + inner(back.names, x.names)).toBeCloseTo(there, 4);
});
