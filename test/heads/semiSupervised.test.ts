import { beforeAll, describe, expect, test } from '@jest/globals';
import { defaultDevice, init, numpy as np, tree } from '@jax-js/jax';
import type { Head, Support } from '../../src/heads/head.js';
import { HeadRuntime, type SupportRows } from '../../src/heads/runtime.js';
import { semiSupervisedHead } from '../../src/heads/semiSupervised.js';
import { softAssignments, softKMeansHead } from '../../src/heads/softKMeans.js';
import { seeded, unitRows } from './random.js';

beforeAll(async () => {
  await init('wasm');
  defaultDevice('wasm');
});

const D = 16;
const C = 3;

/** A task whose few examples are noisy, with texts of its classes and of others: the axes beyond C. */
function task(seed: number, texts: number, strangers = 0) {
  const random = seeded(seed);
  const centres = new Float32Array((C + 2) * D);
  for (let c = 0; c < C + 2; c++) centres[c * D + c] = 1;
  const ofBot = centres.subarray(0, C * D);
  const strange = unitRows(strangers, D, random, centres.subarray(C * D), 1.5);
  const own = unitRows(texts, D, random, ofBot, 2.2);
  const support: SupportRows = {
    counts: [2, 1, 2],
    rows: unitRows(5, D, random, centresOf(centres, [0, 0, 1, 2, 2]), 3.2),
    names: new Float32Array(C * D),
  };
  return {
    support,
    unlabelled: Float32Array.from([...own, ...strange]),
    queries: unitRows(300, D, random, ofBot, 2.2),
  };
}

function centresOf(centres: Float32Array, classes: readonly number[]): Float32Array {
  return Float32Array.from(classes.flatMap((c) => [...centres.subarray(c * D, (c + 1) * D)]));
}

function logits(head: Head, support: SupportRows, queries: Float32Array): Float32Array {
  const runtime = new HeadRuntime(head, D);
  const state = runtime.load(runtime.adapt(support));
  const scores = runtime.score(state, queries);
  state.dispose();
  runtime.dispose();
  return scores;
}

/** Query i is of class i modulo C. */
function accuracy(head: Head, support: SupportRows, queries: Float32Array): number {
  const scores = logits(head, support, queries);
  const right = Array.from({ length: 300 }, (_, q) => {
    const own = [...scores.subarray(q * C, (q + 1) * C)];
    return own.indexOf(Math.max(...own)) === q % C;
  });
  return right.filter(Boolean).length / 300;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function expectClose(actual: Float32Array, expected: Float32Array, tolerance = 5e-3): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(tolerance));
}

describe('soft assignments', () => {
  const rows = (values: number[][]) => np.array(values);

  test('go by the cosines, and to the distractor what is far from all', () => {
    // Cosines 1, 0.6 and 0, 0.8 at scale 20, the threshold 0.7: exp(-6) and exp(-8) beside 1; exp(-4) beside exp(-6).
    const z = softAssignments(rows([[1, 0]]), rows([[1, 0], [0.6, 0.8], [0, 0]]), np.ones([1]), { threshold: 0.7 }); // prettier-ignore
    const [sure, unsure, padding] = z.dataSync() as Float32Array;
    expect(sure).toBeCloseTo(1 / (1 + Math.exp(-6)), 5);
    expect(unsure).toBeCloseTo(1 / (1 + Math.exp(2)), 5);
    expect(padding).toBe(0);
  });

  test('without a distractor every text is of some class, and none of a padded one', () => {
    const z = softAssignments(rows([[1, 0], [0.8, 0.6], [0, 0]]), rows([[0.6, 0.8]]), np.array([1, 1, 0]), {}); // prettier-ignore
    const [first, second, padding] = z.dataSync() as Float32Array; // cosines 0.6, 0.96
    expect(first).toBeCloseTo(1 / (1 + Math.exp(7.2)), 5);
    expect(second).toBeCloseTo(1 / (1 + Math.exp(-7.2)), 5);
    expect(padding).toBe(0);
  });
});

test('soft k-means: the mean of examples and assigned texts', () => {
  const support: SupportRows = {
    counts: [1, 1],
    rows: Float32Array.from([1, 0, 0, 0, 1, 0]),
    names: new Float32Array(6),
    unlabelled: Float32Array.from([0.6, 0, 0.8]),
  };
  const runtime = new HeadRuntime(softKMeansHead({ threshold: 0.7 }), 3);
  const { data } = runtime.adapt(support).prototypes!;
  // The text goes to the first class with z = exp(12) / (exp(12) + exp(0) + exp(14)).
  const z = Math.exp(12) / (Math.exp(12) + 1 + Math.exp(14));
  const length = Math.hypot(1 + 0.6 * z, 0.8 * z);
  [(1 + 0.6 * z) / length, 0, (0.8 * z) / length].forEach((x, d) => expect(data[d]).toBeCloseTo(x, 5));
  expect(data[4]).toBeCloseTo(1, 5);
  runtime.dispose();
});

describe('semi-supervised', () => {
  // One of each, so that what they compile is compiled once.
  const served = semiSupervisedHead();
  const trusting = semiSupervisedHead({ threshold: undefined });
  const seeds = [1, 2, 3, 4];
  const gain = (texts: number, strangers: number, head = served) =>
    mean(
      seeds.map((seed) => {
        const { support, unlabelled, queries } = task(seed, texts, strangers);
        return accuracy(head, { ...support, unlabelled }, queries) - accuracy(served, support, queries);
      }),
    );

  test('texts without labels help', () => {
    expect(gain(60, 0, trusting)).toBeGreaterThan(0.03);
  });

  test('texts of no class do no harm', () => {
    const ofServed = gain(0, 60);
    expect(ofServed).toBeGreaterThan(-0.01);
    expect(ofServed).toBeGreaterThan(gain(0, 60, trusting));
  });

  test('how many rows it is padded to changes nothing', () => {
    const { support, unlabelled, queries } = task(1, 20);
    const padded = Float32Array.from([...unlabelled, ...new Float32Array(30 * D)]);
    expectClose(
      logits(served, { ...support, unlabelled: padded }, queries),
      logits(served, { ...support, unlabelled }, queries),
    );
  });

  test('no texts and none but padding are the same', () => {
    const { support, queries } = task(2, 0);
    const without = logits(served, support, queries);
    expectClose(logits(served, { ...support, unlabelled: new Float32Array(0) }, queries), without, 1e-6);
    expectClose(logits(served, { ...support, unlabelled: new Float32Array(8 * D) }, queries), without);
  });

  test('the order of the texts changes nothing', () => {
    const { support, unlabelled, queries } = task(3, 12);
    const turned = Float32Array.from(
      Array.from({ length: 12 }, (_, row) => [...unlabelled.subarray((11 - row) * D, (12 - row) * D)]).flat(),
    );
    expectClose(
      logits(served, { ...support, unlabelled: turned }, queries),
      logits(served, { ...support, unlabelled }, queries),
    );
  });

  test.each([
    ['semi-supervised', served],
    ['soft k-means', softKMeansHead()],
  ])('%s leaves no array behind', (_, head) => {
    const support: Support = {
      rows: np.ones([2, 2, 4]).mul(0.5),
      mask: np.array([[1, 1], [1, 0]]), // prettier-ignore
      names: np.zeros([2, 4]),
      unlabelled: np.ones([3, 4]).mul(0.5),
    };
    const given = Object.values(support);
    const start = head.induce({}, tree.ref(support));
    const begun = Object.values(start);
    const state = head.adapt!({}, support, start);
    expect(given.map((array) => array.refCount)).toEqual(given.map(() => 0));
    tree.dispose(state);
    expect(begun.map((array) => array.refCount)).toEqual(begun.map(() => 0));
  });
});
