import { grad, numpy as np, tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Params } from '../../src/heads/head.js';
import { projected } from '../../src/heads/projected.js';
import type { Episode } from '../../src/heads/trainedHead.js';
import { expectFiniteDifferences, f64, initFloat64 } from './float64.js';
import { seeded, unitRows } from './random.js';

// The loss of `projected` that has every support row for a query too, in double precision.

beforeAll(initFloat64);

const D = 3;
const W = 2;
/** Rows of each class; the second is alone, the last class is padding. */
const SHOTS = [3, 1, 2, 0];
const [C, K] = [SHOTS.length, 4];
/** The class of each query, what it weighs; -1 belongs to none. */
const QUERIES: readonly (readonly [label: number, weight: number])[] = [
  [0, 1],
  [1, 2],
  [2, 1],
  [-1, 1],
  [0, 0],
];

const draw = seeded(4);
const centres = unitRows(C, D, draw);
const rowsOf = (n: number, c: number) => {
  const flat = unitRows(n, D, draw, centres.slice(c * D, (c + 1) * D), 3);
  return Array.from({ length: n }, (_, k) => [...flat.slice(k * D, (k + 1) * D)]);
};
const SUPPORT = SHOTS.map(rowsOf);
const QUERY_ROWS = QUERIES.map(([label]) => rowsOf(1, Math.max(label, 0))[0]!);
const PROJECTION = Array.from({ length: W }, () => Array.from({ length: D }, () => 2 * draw() - 1));

/** Padding of rows, classes and queries is anything. */
const FILLER = Array.from({ length: D }, (_, d) => 0.3 * d - 0.5);
const paddedRows = () =>
  f64(SUPPORT.flatMap((rows) => [...rows, ...Array<number[]>(K - rows.length).fill(FILLER)]).flat(), C, K, D);
const queryRows = () => f64(QUERY_ROWS.flat(), QUERIES.length, D);

function episode(rows = paddedRows(), queries = queryRows()): Episode {
  const Q = QUERIES.length;
  return {
    support: {
      rows,
      mask: f64(
        SHOTS.flatMap((n) => Array.from({ length: K }, (_, k) => (k < n ? 1 : 0))),
        C,
        K,
      ),
      names: f64(new Float64Array(C * D), C, D),
    },
    queries,
    targets: f64(
      QUERIES.flatMap(([label]) => Array.from({ length: C }, (_, c) => (c === label ? 1 : 0))),
      Q,
      C,
    ),
    weights: f64(
      QUERIES.map(([, weight]) => weight),
      Q,
    ),
    progress: f64([0.5], 1),
  };
}

type Rows = readonly (readonly number[])[];
const map = (f: Rows | undefined, x: readonly number[]) =>
  f === undefined
    ? x.map((value) => Math.sqrt(10) * value) // half of the scale 20 of the untrained prototypes, to the root
    : f.map((row) => row.reduce((sum, w, d) => sum + w * x[d]!, 0));
const mean = (rows: Rows) =>
  rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);

/** The mean over the rows of -log P(own class), each against prototypes of the other rows. */
function byHand(f: Rows | undefined): number {
  const losses: (readonly [loss: number, weight: number])[] = [];
  const add = (x: readonly number[], own: number, weight: number, classes: readonly Rows[]) => {
    const scores = classes.map((rows) => {
      const point = map(f, x);
      const prototype = mean(rows.map((row) => map(f, row)));
      return -point.reduce((sum, value, w) => sum + (value - prototype[w]!) ** 2, 0);
    });
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    losses.push([Math.log(total) - scores[own]!, weight]);
  };
  const real = SUPPORT.filter((rows) => rows.length > 0);
  for (const [c, rows] of real.entries()) {
    if (rows.length === 1) continue; // without itself its class has no prototype
    for (const [k, row] of rows.entries()) {
      const without = real.map((all, at) => (at === c ? all.filter((_, i) => i !== k) : all));
      add(row, c, 1, without);
    }
  }
  for (const [q, [label, weight]] of QUERIES.entries())
    if (label >= 0) add(QUERY_ROWS[q]!, label, weight, real);
  const weights = losses.reduce((sum, [, weight]) => sum + weight, 0);
  return losses.reduce((sum, [loss, weight]) => sum + loss * weight, 0) / weights;
}

describe.each([
  ['a learned map', { width: W, leaveOneOut: true }, PROJECTION],
  ['the embeddings as they are', { map: false, leaveOneOut: true }, undefined],
])('leave one out, with %s', (_, options, projection) => {
  const head = projected(options);
  const params = (): Params => (projection === undefined ? {} : { projection: f64(projection.flat(), W, D) });

  test('the loss is that of a loop over the rows, each left out of its prototype', () => {
    expect(head.loss(params(), episode()).item()).toBeCloseTo(byHand(projection), 10);
  });

  test('its gradient equals finite differences: of the map, of the support rows, of the queries', () => {
    type All = { params: Params; rows: np.Array; queries: np.Array };
    const loss = (all: Params) => {
      const { params: own, rows, queries } = all as All;
      return head.loss(own, episode(rows, queries));
    };
    const all = { params: params(), rows: paddedRows(), queries: queryRows() } as Params;
    const gradient = grad(loss)(tree.ref(all)) as All;
    expect([...(gradient.rows.ref.dataSync() as Float64Array).subarray(SHOTS[0]! * D, K * D)]).toEqual(
      Array<number>((K - SHOTS[0]!) * D).fill(0), // padding
    );
    const { compared, largest } = expectFiniteDifferences(all, gradient, loss);
    expect(compared).toBe((projection === undefined ? 0 : W * D) + (C * K + QUERIES.length) * D);
    expect(largest).toBeGreaterThan(0.05);
    tree.dispose(all);
  });

  test('every array is given back', () => {
    const given = { own: params(), episode: episode() };
    head.loss(given.own, given.episode).dispose();
    const counts = tree.leaves<np.Array>(given).map(({ refCount }) => refCount);
    expect(counts).toEqual(counts.map(() => 0));
  });
});

test('rows that are alone in their classes: the queries alone are learned from', () => {
  const support = () => ({
    rows: f64([1, 0, 0, 1], 2, 1, 2),
    mask: f64([1, 1], 2, 1),
    names: f64([0, 0, 0, 0], 2, 2),
  });
  const task = (): Episode => ({
    support: support(),
    queries: f64([0.6, 0.8], 1, 2),
    targets: f64([0, 1], 1, 2),
    weights: f64([1], 1),
  });
  const [with_, without] = [true, false].map((leaveOneOut) =>
    projected({ map: false, leaveOneOut }).loss({}, task()).item(),
  );
  // Distances 0.16 + 0.64 and 0.36 + 0.04, times 10: log(1 + e^(4 - 8)).
  expect(with_).toBeCloseTo(Math.log(1 + Math.exp(-4)), 10);
  expect(without).toBeCloseTo(with_!, 10);
});

test('without a map there is nothing of its own to learn, and the scores are those that it starts with', () => {
  const [plain, mapped] = [projected({ map: false }), projected()];
  expect(plain.init(np.zeros([2]), D)).toEqual({});
  const scores = (head: typeof plain, params: Params) => {
    const { support, queries, targets, weights, progress } = episode();
    tree.dispose([targets, weights, progress!]);
    return [
      ...(head.score(params, head.induce(tree.ref(params), support), queries).dataSync() as Float64Array),
    ];
  };
  const expected = scores(mapped, mapped.init(np.zeros([2]), D));
  for (const [i, score] of scores(plain, {}).entries()) expect(score).toBeCloseTo(expected[i]!, 5);
});
