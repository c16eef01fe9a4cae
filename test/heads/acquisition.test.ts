import { describe, expect, test } from '@jest/globals';
import { type Pool, suggest } from '../../src/heads/acquisition.js';
import { STRATEGIES, type Strategy } from '../../src/heads/strategies.js';
import { seeded, unitRows } from './random.js';

/** Unit rows in the plane, by their angle in degrees. */
function atAngles(...degrees: readonly number[]): Float32Array {
  return Float32Array.from(
    degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
  );
}

const POOL: Pool = {
  embeddings: atAngles(0, 60, 90, 180),
  dimension: 2,
  labelled: atAngles(0),
  // prettier-ignore
  members: [
    Float32Array.from([0.5, 0.3, 0.2,  0.48, 0.48, 0.04,  0.9, 0.05, 0.05,  0.4, 0.3, 0.3]),
    Float32Array.from([0.5, 0.3, 0.2,  0.48, 0.48, 0.04,  0.1, 0.85, 0.05,  0.4, 0.3, 0.3]),
  ],
};

const rows = (strategy: Strategy, pool = POOL, count = 4) =>
  suggest(strategy, pool, count).map(({ row }) => row);
const scores = (strategy: Strategy, pool = POOL) =>
  suggest(strategy, pool, 4)
    .sort((a, b) => a.row - b.row)
    .map(({ score }) => score);
const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
};

describe('what the head is unsure about', () => {
  test('least confidence: one less the largest probability', () => {
    expect(rows('least-confidence')).toEqual([3, 1, 0, 2]);
    close(scores('least-confidence'), [0.5, 0.52, 0.1, 0.6]);
  });

  test('margin: one less what parts the two largest', () => {
    expect(rows('margin')).toEqual([1, 3, 0, 2]);
    close(scores('margin'), [0.8, 1, 0.15, 0.9]);
  });

  test('entropy, in nats', () => {
    expect(rows('entropy')).toEqual([3, 0, 1, 2]);
    // -(0.5 ln 0.5 + 0.3 ln 0.3 + 0.2 ln 0.2) = 0.346574 + 0.361192 + 0.321888
    close(scores('entropy'), [1.029653, 0.833365, 0.394398, 1.0889]);
  });

  test('committee: only what members disagree about counts', () => {
    const found = suggest('committee', POOL, 4);
    expect(found[0]!.row).toBe(2);
    // H(0.5, 0.45, 0.05) - (H(0.9, 0.05, 0.05) + H(0.1, 0.85, 0.05)) / 2 = 0.855691 - (0.394398 + 0.518186) / 2
    expect(found[0]!.score).toBeCloseTo(0.399397, 5);
    for (const { score } of found.slice(1)) expect(score).toBeCloseTo(0, 6);
  });
});

describe('k-centre', () => {
  test('takes the farthest from what is labelled or taken', () => {
    // 180 is 2 from 0; then 60 is 1 - cos 60 from 0, 90 is 1 from both; then 60 is 1 - cos 30 from 90.
    const found = suggest('k-centre', POOL, 4);
    expect(found.map(({ row }) => row)).toEqual([3, 2, 1, 0]);
    close(
      found.map(({ score }) => score),
      [2, 1, 1 - Math.cos(Math.PI / 6), 0],
    );
  });

  test('starts with the first row where nothing is labelled', () => {
    expect(rows('k-centre', { ...POOL, labelled: new Float32Array(0) })).toEqual([0, 3, 2, 1]);
  });

  test('with many rows it is what a plain search finds', () => {
    const [D, U, L] = [7, 90, 150];
    const random = seeded(3);
    const embeddings = unitRows(U, D, random);
    const labelled = unitRows(L, D, random);
    const vector = (all: Float32Array, row: number) => [...all.subarray(row * D, (row + 1) * D)];
    const covered = Array.from({ length: L }, (_, row) => vector(labelled, row));
    const expected: number[] = [];
    const gap = (row: number) =>
      Math.min(
        ...covered.map((other) => Math.hypot(...vector(embeddings, row).map((x, d) => x - other[d]!))),
      );
    for (let i = 0; i < 12; i++) {
      const best = [...Array(U).keys()].reduce((a, b) => (gap(b) > gap(a) ? b : a));
      expected.push(best);
      covered.push(vector(embeddings, best));
    }
    expect(rows('k-centre', { embeddings, dimension: D, labelled, members: [] }, 12)).toEqual(expected);
  });
});

describe('mix', () => {
  test('weighs uncertainty, density and distance', () => {
    const pool: Pool = {
      embeddings: atAngles(10, 11, 50, 80),
      dimension: 2,
      labelled: new Float32Array(0),
      members: [Float32Array.from([0.5, 0.5, 0.501, 0.499, 0.6, 0.4, 0.99, 0.01])],
    };
    expect(rows('margin', pool)).toEqual([0, 1, 2, 3]);
    // Densities 0.70264, 0.71179, 0.80307, 0.52214; with the uncertainties 1, 0.998, 0.8, 0.02 the rows weigh
    // 0.49370, 0.50613, 0.57684, 0.03855. Row 2 is first; then 0.49370 (1 - cos 40), and row 1 is 1 degree from row 0.
    const found = suggest('mix', pool, 4);
    expect(found.map(({ row }) => row)).toEqual([2, 0, 3, 1]);
    const expected = [1.15369, 0.1155, 0.00517, 0.00008];
    found.forEach(({ score }, i) => expect(score).toBeCloseTo(expected[i]!, 4));
  });

  test('passes over what is labelled already', () => {
    const pool = { ...POOL, labelled: atAngles(60) };
    expect(rows('mix', pool).at(-1)).toBe(1);
  });

  test('a text that is there ten times is suggested once', () => {
    const random = seeded(5);
    const D = 8;
    const embeddings = unitRows(30, D, random);
    const own = Float32Array.from({ length: 30 * 3 }, () => 0.2 + random());
    for (let row = 0; row < 30; row++) {
      const sum = own.subarray(row * 3, row * 3 + 3).reduce((a, b) => a + b, 0);
      for (let c = 0; c < 3; c++) own[row * 3 + c]! /= sum;
    }
    own.fill(1 / 3, 0, 3);
    for (let row = 1; row < 10; row++) {
      embeddings.copyWithin(row * D, 0, D);
      own.copyWithin(row * 3, 0, 3);
    }
    const pool = { embeddings, dimension: D, labelled: new Float32Array(0), members: [own] };
    expect(rows('mix', pool, 10).filter((row) => row < 10)).toEqual([0]);
    expect(rows('margin', pool, 10).filter((row) => row < 10)).toHaveLength(10);
  });
});

describe.each(STRATEGIES)('every strategy: %s', (strategy) => {
  test('gives each row once, best first, and the same for fewer', () => {
    const all = suggest(strategy, POOL, 9);
    expect(all.map(({ row }) => row).sort()).toEqual([0, 1, 2, 3]);
    expect(all.map(({ score }) => score)).toEqual(all.map(({ score }) => score).sort((a, b) => b - a));
    expect(suggest(strategy, POOL, 2)).toEqual(all.slice(0, 2));
    expect(suggest(strategy, POOL, 0)).toEqual([]);
  });

  test('has nothing to suggest of nothing', () => {
    const nothing = new Float32Array(0);
    expect(
      suggest(
        strategy,
        { embeddings: nothing, dimension: 2, labelled: nothing, members: [nothing, nothing] },
        3,
      ),
    ).toEqual([]);
  });

  test('leaves the pool as it is', () => {
    const before = structuredClone(POOL);
    suggest(strategy, POOL, 3);
    expect(POOL).toEqual(before);
  });
});

test('random follows the seed', () => {
  const order = (seed: number) => suggest('random', POOL, 4, seed).map(({ row }) => row);
  expect(order(7)).toEqual(order(7));
  expect(new Set(Array.from({ length: 20 }, (_, seed) => order(seed).join())).size).toBeGreaterThan(5);
});

test('what does not fit together is refused', () => {
  expect(() => suggest('margin', { ...POOL, members: [] }, 1)).toThrow(RangeError);
  expect(() => suggest('margin', { ...POOL, members: [new Float32Array(5)] }, 1)).toThrow(RangeError);
  expect(() => suggest('k-centre', { ...POOL, dimension: 3 }, 1)).toThrow(RangeError);
  expect(() =>
    suggest('committee', { ...POOL, members: [POOL.members[0]!, new Float32Array(8)] }, 1),
  ).toThrow(RangeError);
});
