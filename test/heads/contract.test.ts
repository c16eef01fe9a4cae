import { beforeAll, describe, expect, test } from '@jest/globals';
import { createHead, HEAD_NAMES } from '../../src/heads/registry.js';
import { HeadRuntime, initHeads, type SupportRows } from '../../src/heads/runtime.js';
import { seeded, unitRows } from './random.js';

// What every head promises (src/heads/head.ts), and the runtime that serves it.

const D = 24;
const COUNTS = [3, 1, 5, 2, 4];
const C = COUNTS.length;

function task(seed: number): { support: SupportRows; queries: Float32Array } {
  const random = seeded(seed);
  const centres = unitRows(C, D, random);
  const rows = COUNTS.map((count, c) => unitRows(count, D, random, centres.subarray(c * D, (c + 1) * D)));
  return {
    support: { counts: COUNTS, rows: concat(rows), names: unitRows(C, D, random, centres, 2) },
    queries: unitRows(40, D, random, centres),
  };
}

function concat(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function rowsOf({ counts, rows }: SupportRows): Float32Array[][] {
  let row = 0;
  return counts.map((count) => Array.from({ length: count }, () => rows.subarray(row * D, ++row * D)));
}

function build(classes: readonly Float32Array[][], names: Float32Array): SupportRows {
  return { counts: classes.map((rows) => rows.length), rows: concat(classes.flat()), names };
}

function expectClose(actual: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(tolerance);
}

beforeAll(initHeads);

describe.each(HEAD_NAMES)('head %s', (name) => {
  let runtime: HeadRuntime;
  beforeAll(() => {
    runtime = new HeadRuntime(createHead(name), D);
  });

  /** Logits of the state that is served in the end: the adapted one where the head adapts. */
  function logits(support: SupportRows, queries: Float32Array): Float32Array {
    const loaded = runtime.load(runtime.adapts ? runtime.adapt(support) : runtime.induce(support));
    const scores = runtime.score(loaded, queries);
    loaded.dispose();
    return scores;
  }

  test('finds the class that a query was drawn from', () => {
    const { support, queries } = task(1);
    const scores = logits(support, queries);
    let right = 0;
    for (let q = 0; q < 40; q++) {
      const row = [...scores.subarray(q * C, (q + 1) * C)];
      right += row.indexOf(Math.max(...row)) === q % C ? 1 : 0;
    }
    expect(right).toBeGreaterThan(name === 'names' ? 20 : 34);
  });

  test('permuting the classes permutes the scores', () => {
    const { support, queries } = task(2);
    const order = [4, 2, 0, 3, 1];
    const classes = rowsOf(support);
    const names = concat(order.map((c) => support.names.subarray(c * D, (c + 1) * D)));
    const permuted = logits(
      build(
        order.map((c) => classes[c]!),
        names,
      ),
      queries,
    );
    const expected = logits(support, queries);
    expectClose(
      permuted,
      Array.from(permuted, (_, i) => expected[Math.floor(i / C) * C + order[i % C]!]!),
      5e-3,
    );
  });

  test('permuting the support rows of a class changes nothing', () => {
    const { support, queries } = task(3);
    const reversed = rowsOf(support).map((rows) => [...rows].reverse());
    expectClose(logits(build(reversed, support.names), queries), logits(support, queries), 5e-3);
  });

  test('a wider padding changes nothing', () => {
    // A class of 9 rows pads all others to 16; without it they are padded to 8.
    const { support, queries } = task(4);
    if (runtime.adapts) return; // what it adapts to is another task then
    const random = seeded(5);
    const wide = build(
      [...rowsOf(support), rowsOf({ counts: [9], rows: unitRows(9, D, random), names: support.names })[0]!],
      concat([support.names, unitRows(1, D, random)]),
    );
    const wider = logits(wide, queries);
    const expected = logits(support, queries);
    expectClose(
      expected,
      Array.from(expected, (_, i) => wider[Math.floor(i / C) * (C + 1) + (i % C)]!),
      1e-4,
    );
  });

  test('a query scores the same alone as among others', () => {
    const { support, queries } = task(6);
    const together = logits(support, queries);
    for (const q of [0, 7, 39]) {
      expectClose(
        logits(support, queries.subarray(q * D, (q + 1) * D)),
        together.subarray(q * C, (q + 1) * C),
        1e-4,
      );
    }
  });

  test('the same support set gives the same state', () => {
    const { support, queries } = task(7);
    expect(logits(support, queries)).toEqual(logits(support, queries));
  });

  test('a state loaded and scored leaves no array behind', () => {
    const { support, queries } = task(8);
    const loaded = runtime.load(runtime.induce(support));
    runtime.score(loaded, queries);
    runtime.score(loaded, queries);
    const arrays = Object.values(loaded.ref());
    expect(arrays.map((array) => array.refCount)).toEqual(arrays.map(() => 2));
    for (const array of arrays) array.dispose();
    loaded.dispose();
    expect(arrays.map((array) => array.refCount)).toEqual(arrays.map(() => 0));
  });
});
