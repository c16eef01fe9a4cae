import { grad, type numpy as np } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { adam, adamStepSize } from '../../src/heads/adam.js';
import { adaptedHead } from '../../src/heads/adapted.js';
import { supportLoss } from '../../src/heads/cosineLearner.js';
import { boundedCrossEntropy, unit } from '../../src/heads/ops.js';
import { createHead } from '../../src/heads/registry.js';
import { gatherClasses, HeadRuntime, initHeads } from '../../src/heads/runtime.js';
import { a, values } from './arrays.js';
import { seeded, unitRows } from './random.js';

// Small cases worked by hand, and gradients against finite differences.

beforeAll(initHeads);

/** Class 0 holds (1, 0) and (0, 1), class 1 holds (0, -1); names point along the classes; the query is (0.6, 0.8). */
const SUPPORT = {
  counts: [2, 1],
  rows: Float32Array.from([1, 0, 0, 1, 0, -1]),
  names: Float32Array.from([1, 0, 0, -1]),
};
const QUERY = Float32Array.from([0.6, 0.8]);

function logits(head: Parameters<typeof createHead>[0]): number[] {
  const runtime = new HeadRuntime(createHead(head), 2);
  const loaded = runtime.load(runtime.induce(SUPPORT));
  return [...runtime.score(loaded, QUERY)];
}

describe('scores worked by hand', () => {
  test('prototypical: 20 times the cosine to the mean', () => {
    // v_0 = (0.5, 0.5), direction (1, 1)/sqrt 2: cosine 1.4/sqrt 2; v_1 = (0, -1): cosine -0.8.
    const [first, second] = logits('prototypical');
    // Two rows are given 0.12 / 2 for being few, one row 0.12.
    expect(first).toBeCloseTo(20 * (1.4 / Math.SQRT2 + 0.06), 4);
    expect(second).toBeCloseTo(20 * (-0.8 + 0.12), 4);
  });

  test('prototypical-euclidean: -10 |x - v|^2, short of a constant', () => {
    // |x - v_0|^2 = 0.1^2 + 0.3^2 = 0.1; |x - v_1|^2 = 0.6^2 + 1.8^2 = 3.6. The constant left out is |x|^2 = 1.
    const [first, second] = logits('prototypical-euclidean');
    expect(first).toBeCloseTo(-10 * (0.1 - 1), 4);
    expect(second).toBeCloseTo(-10 * (3.6 - 1), 4);
  });

  test('matching: the mean attention that falls on the rows of a class', () => {
    // Attention logits 25 cos: 15 and 20 on class 0, -20 on class 1.
    const [first, second] = logits('matching');
    expect(first).toBeCloseTo(Math.log((Math.exp(15) + Math.exp(20)) / 2), 4);
    expect(second).toBeCloseTo(-20, 4);
  });

  test('names: the cosine to the name, examples unseen', () => {
    const [first, second] = logits('names');
    expect(first).toBeCloseTo(12, 4);
    expect(second).toBeCloseTo(-16, 4);
  });

  test('adapted, before it has adapted: 20 times the cosine to the prototype, and something for few rows', () => {
    const [first, second] = logits('adapted');
    expect(first).toBeCloseTo(20 * (1.4 / Math.SQRT2 + 0.1), 4);
    expect(second).toBeCloseTo(20 * (-0.8 + 0.2), 4);
  });
});

describe('the inner loop', () => {
  test('bounded cross-entropy is -sum a_i log softmax(l_i)[y_i]', () => {
    // Row 0: logits (1, 3), target 0: -log(e/(e + e^3)) = 2.126928; row 1: (2, 2), target 1: log 2. Weights 0.75, 0.25.
    const loss = boundedCrossEntropy(a([1, 3, 2, 2], 2, 2), a([1, 0, 0, 1], 2, 2), a([0.75, 0.25], 2), 20);
    expect(loss.item()).toBeCloseTo(0.75 * 2.126928 + 0.25 * Math.LN2, 4);
  });

  test('its gradient equals finite differences', () => {
    const [C, M, D] = [3, 6, 4] as const;
    const random = seeded(11);
    const weights = unitRows(C, D, random);
    const targets = Array.from({ length: M * C }, (_, i) => (Math.floor(i / C) % C === i % C ? 1 : 0));
    const embedded = unitRows(M, D, random).map((value, i) => value * (1 + (i % 3))); // of any length
    const examples = () => ({
      targets: a(targets, M, C),
      weights: a(Array<number>(M).fill(1 / M), M),
      padding: a([0, 0, 0], C),
    });
    const lossAt = (w: Float32Array, x: Float32Array) =>
      supportLoss({ weights: a([...w], C, D), embedded: a([...x], M, D) }, examples(), 20).item();
    const slopes = grad((outer: { weights: np.Array; embedded: np.Array }) =>
      supportLoss(outer, examples(), 20),
    )({ weights: a([...weights], C, D), embedded: a([...embedded], M, D) });
    const gradient = values(slopes.weights);
    const ofEmbedded = values(slopes.embedded);
    const h = 1e-2;
    const difference = (i: number, x: Float32Array, lossOf: (moved: Float32Array) => number) =>
      (lossOf(x.with(i, x[i]! + h)) - lossOf(x.with(i, x[i]! - h))) / (2 * h);
    gradient.forEach((slope, i) =>
      expect(slope).toBeCloseTo(
        difference(i, weights, (w) => lossAt(w, embedded)),
        1,
      ),
    );
    ofEmbedded.forEach((slope, i) =>
      expect(slope).toBeCloseTo(
        difference(i, embedded, (x) => lossAt(weights, x)),
        1,
      ),
    );
    const largest = Math.max(...gradient.map(Math.abs));
    expect(largest).toBeGreaterThan(0.5); // the comparison above says something
  });

  test('Adam: the first step is the rate against the sign of the gradient, the second worked by hand', () => {
    let x = a([1, 1], 2);
    let state = adam.init(x.ref);
    [x, state] = adam.update(x, a([0.5, -2], 2), state, adamStepSize(0.1, 1));
    const once = x.ref.dataSync() as Float32Array;
    expect(once[0]).toBeCloseTo(0.9, 5);
    expect(once[1]).toBeCloseTo(1.1, 5);
    // Second gradient (0.5, 2): mean (0.095, 0)/0.19 for (0.5, 0); of the second coordinate 0.9 * -0.2 + 0.2 = 0.02.
    [x, state] = adam.update(x, a([0.5, 2], 2), state, adamStepSize(0.1, 2));
    const twice = x.dataSync() as Float32Array;
    expect(twice[0]).toBeCloseTo(0.8, 5);
    expect(twice[1]).toBeCloseTo(1.1 - (0.1 * (0.02 / 0.19)) / 2, 5);
    state.mean.dispose();
    state.square.dispose();
  });

  test('adapting separates what prototypes confuse, and keeps class rows at unit length', () => {
    // Classes differ along the third axis alone, and little; both share a large common part.
    const rows = [
      [1, 0.3, 0.15],
      [1, -0.2, 0.2],
      [1, 0.4, -0.15],
      [1, 0, -0.2],
    ].map((row) => row.map((x) => x / Math.hypot(...row)));
    const support = { counts: [2, 2], rows: Float32Array.from(rows.flat()), names: new Float32Array(6) };
    const runtime = new HeadRuntime(adaptedHead(), 3);
    const margin = (state: ReturnType<typeof runtime.induce>) => {
      const [first, second] = runtime.score(runtime.load(state), support.rows.subarray(0, 3));
      return first! - second!;
    };
    const adapted = runtime.adapt(support);
    expect(margin(adapted)).toBeGreaterThan(margin(runtime.induce(support)));
    const { data } = adapted.prototypes!;
    expect(Math.hypot(...data.subarray(0, 3))).toBeCloseTo(1, 5);
    expect(Math.hypot(...data.subarray(3, 6))).toBeCloseTo(1, 5);
  });

  test('a fresh prototype is moved as the adapted ones were, on average', () => {
    const runtime = new HeadRuntime(adaptedHead(), 2);
    const state = (...rows: number[]) => ({
      prototypes: { shape: [rows.length / 2, 2], data: Float32Array.from(rows) },
      bonus: { shape: [rows.length / 2], data: new Float32Array(rows.length / 2) },
    });
    // Moves (-0.4, 0.8) and (0, -0.4), on average (-0.2, 0.2): (1, 0) goes to (0.8, 0.2), at unit length.
    const aligned = runtime.align(state(1, 0), state(1, 0, 0, 1), state(0.6, 0.8, 0, 0.6));
    const length = Math.hypot(0.8, 0.2);
    expect(aligned.prototypes!.data[0]).toBeCloseTo(0.8 / length, 5);
    expect(aligned.prototypes!.data[1]).toBeCloseTo(0.2 / length, 5);
  });

  test('unit keeps a zero row zero', () => {
    expect(
      [...(unit(a([3, 4, 0, 0], 2, 2)).dataSync() as Float32Array)].map((x) => Math.round(x * 1e5) / 1e5),
    ).toEqual([0.6, 0.8, 0, 0]);
  });
});

describe('gatherClasses', () => {
  const leaf = (...values: number[]) => ({ shape: [values.length / 2, 2], data: Float32Array.from(values) });

  test('takes each class from where it is told', () => {
    const fresh = { weights: leaf(1, 1, 2, 2) };
    const former = { weights: leaf(7, 7, 8, 8) };
    const picks = [
      { state: former, at: 1 },
      { state: fresh, at: 1 },
      { state: former, at: 0 },
    ];
    expect(gatherClasses(picks)).toEqual({ weights: leaf(8, 8, 2, 2, 7, 7) });
  });

  test('pads what keeps fewer support rows', () => {
    const of = (rows: number[], mask: number[]) => ({
      rows: { shape: [1, mask.length, 2], data: Float32Array.from(rows) },
      mask: { shape: [1, mask.length], data: Float32Array.from(mask) },
    });
    const [narrow, wide] = [of([1, 2], [1]), of([5, 6, 7, 8], [1, 1])];
    const both = gatherClasses([
      { state: narrow, at: 0 },
      { state: wide, at: 0 },
    ]);
    expect(both).toEqual({
      rows: { shape: [2, 2, 2], data: Float32Array.from([1, 2, 0, 0, 5, 6, 7, 8]) },
      mask: { shape: [2, 2], data: Float32Array.from([1, 0, 1, 1]) },
    });
    expect(gatherClasses([{ state: narrow, at: 0 }], wide)).toEqual(of([1, 2, 0, 0], [1, 0]));
  });

  test('gives nothing of nothing, and refuses states of different heads', () => {
    expect(gatherClasses([])).toBeUndefined();
    const other = { weights: { shape: [1, 2, 3], data: new Float32Array(6) } };
    const picks = [
      { state: { weights: leaf(1, 2) }, at: 0 },
      { state: other, at: 0 },
    ];
    expect(() => gatherClasses(picks)).toThrow(RangeError);
  });
});
