import { tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Support } from '../../src/heads/head.js';
import { type Leaves, HeadRuntime, initHeads, type SupportRows } from '../../src/heads/runtime.js';
import { weighing } from '../../src/heads/weighing.js';
import { a, expectClose, values } from './arrays.js';
import { seeded, unitRows } from './random.js';

beforeAll(initHeads);

const PARAMS = {
  share: [0.5, 0.1, -0.4, 0.2],
  byRows: [0.3, -0.2, 0.1, 0.4],
  tau: 7,
  fewRows: 0.3,
  scale: 9,
};

function params() {
  return {
    share: a(PARAMS.share, 4),
    shareByRows: a(PARAMS.byRows, 4),
    logSharpness: a([Math.log(PARAMS.tau)], 1),
    fewRows: a([PARAMS.fewRows], 1),
    logScale: a([Math.log(PARAMS.scale)], 1),
  };
}

type Vector = readonly number[];
const dot = (x: Vector, y: Vector) => x.reduce((sum, value, d) => sum + value * y[d]!, 0);

/** The docstring's equation, in loops. @param name undefined where the class has none. */
function scoreOf(query: Vector, rows: readonly Vector[], name: Vector | undefined): number {
  const { share, byRows, tau, fewRows, scale } = PARAMS;
  const r = rows.length;
  const sum = query.map((_, d) => rows.reduce((total, row) => total + row[d]!, 0));
  const prototype = sum.map((value) => value / Math.hypot(...sum));
  const nearest = Math.log(rows.reduce((total, row) => total + Math.exp(tau * dot(query, row)), 0) / r) / tau;
  const similarities = [dot(query, prototype), nearest, dot(query, prototype)];
  if (name !== undefined) similarities.push(dot(query, name));
  const weights = similarities.map((_, f) => Math.exp(share[f]! + byRows[f]! * Math.log(r)));
  const total = weights.reduce((all, weight) => all + weight, 0);
  const mixed = similarities.reduce((all, similarity, f) => all + (weights[f]! / total) * similarity, 0);
  return scale * (mixed + fewRows / r);
}

describe('weighing', () => {
  test('scores by the docstring, padding and a missing name left out', () => {
    const classes = [
      { rows: [[1, 0, 0], [0.6, 0.8, 0]], name: [0, 0, 1] }, // prettier-ignore
      { rows: [[0, -1, 0]], name: undefined },
    ];
    const support: Support = {
      rows: a([1, 0, 0, 0.6, 0.8, 0, 0, -1, 0, 0, 0, 0], 2, 2, 3),
      mask: a([1, 1, 1, 0], 2, 2),
      names: a([0, 0, 1, 0, 0, 0], 2, 3),
    };
    const head = weighing();
    const query = [0.48, 0.6, 0.64];
    const state = head.induce(params(), support);
    expectClose(
      values(head.score(params(), state, a(query, 1, 3))),
      classes.map(({ rows, name }) => scoreOf(query, rows, name)),
      1e-4,
    );
  });

  const D = 12;
  const COUNTS = [4, 2, 3];
  function supportRows(seed: number): SupportRows {
    const draw = seeded(seed);
    const centres = unitRows(COUNTS.length, D, draw);
    const rows = COUNTS.flatMap((n, c) => [...unitRows(n, D, draw, centres.subarray(c * D, (c + 1) * D), 2)]);
    return { counts: COUNTS, rows: Float32Array.from(rows), names: centres };
  }

  function ownMargins(runtime: HeadRuntime, support: SupportRows, state: Leaves): number[] {
    const loaded = runtime.load(state);
    const scores = runtime.score(loaded, support.rows);
    loaded.dispose();
    const C = COUNTS.length;
    return COUNTS.flatMap((n, c) => Array<number>(n).fill(c)).map((c, row) => {
      const own = [...scores.subarray(row * C, (row + 1) * C)];
      return own[c]! - Math.max(...own.filter((_, other) => other !== c));
    });
  }
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

  test('no steps of the inner loop leave everything as it was', () => {
    const runtime = new HeadRuntime(weighing({ steps: 0 }), D, params());
    const support = supportRows(1);
    const [before, after] = [runtime.induce(support), runtime.adapt(support)];
    for (const [name, { data }] of Object.entries(after)) expectClose(data, before[name]!.data, 1e-5);
  });

  test.each([true, false])('adapting parts the classes (map: %s)', (map) => {
    const runtime = new HeadRuntime(weighing({ map }), D, params());
    const support = supportRows(2);
    const before = mean(ownMargins(runtime, support, runtime.induce(support)));
    expect(mean(ownMargins(runtime, support, runtime.adapt(support)))).toBeGreaterThan(before + 0.2);
  });

  test('the map moves rows as well, and keeps their length about 1', () => {
    const support = supportRows(3);
    const { rows } = new HeadRuntime(weighing({ steps: 5 }), D, params()).adapt(support);
    const plain = new HeadRuntime(weighing({ steps: 5, map: false }), D, params()).adapt(support);
    expect([...rows!.data]).not.toEqual([...plain.rows!.data]);
    const lengths = Array.from({ length: 4 }, (_, k) =>
      Math.hypot(...rows!.data.subarray(k * D, (k + 1) * D)),
    );
    for (const length of lengths) expect(Math.abs(length - 1)).toBeLessThan(0.1);
  });

  test('classes that have not adapted get the mean move of those that have', () => {
    const head = weighing({ steps: 5 });
    const runtime = new HeadRuntime(head, D, params());
    const support = supportRows(4);
    const [induced, adapted] = [runtime.induce(support), runtime.adapt(support)];
    const aligned = runtime.align(induced, induced, adapted);
    const meanOf = ({ data }: { data: Float32Array }) =>
      Array.from({ length: D }, (_, d) => mean(COUNTS.map((_, c) => data[c * D + d]!)));
    const move = meanOf(adapted.weights!).map((value, d) => value - meanOf(induced.weights!)[d]!);
    const first = [...induced.weights!.data.subarray(0, D)].map((value, d) => value + move[d]!);
    expectClose(
      aligned.weights!.data.subarray(0, D),
      first.map((value) => value / Math.hypot(...first)),
      1e-4,
    );
  });

  test('the loss takes the adapted state where there is one, and frees everything', () => {
    const head = weighing({ steps: 2 });
    const episode = () => ({
      support: { rows: a(supportRows(5).rows.slice(0, 6 * D), 3, 2, D), mask: a(Array(6).fill(1), 3, 2), names: a(Array(3 * D).fill(0), 3, D) }, // prettier-ignore
      queries: a(supportRows(6).rows.slice(0, 3 * D), 3, D),
      targets: a([1, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3),
      weights: a([1, 1, 1], 3),
    });
    const plain = episode();
    const first = head.loss(params(), plain).item();
    const other = episode();
    const adapted = head.adapt!(
      params(),
      tree.ref(other.support),
      head.induce(params(), tree.ref(other.support)),
    );
    const all = { ...other, adapted };
    expect(head.loss(params(), all).item()).not.toBeCloseTo(first, 3);
    expect(tree.leaves([all, plain]).map((array) => (array as { refCount: number }).refCount)).toEqual(
      Array(18)
        .fill(0)
        .slice(0, tree.leaves([all, plain]).length),
    );
  });
});
