import { numpy as np, random, tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { dmin, type DminParams, withMemory } from '../../src/heads/dmin.js';
import type { Params, Support } from '../../src/heads/head.js';
import { induction, route } from '../../src/heads/induction.js';
import { matchingFce } from '../../src/heads/matchingFce.js';
import { projected } from '../../src/heads/projected.js';
import { relation } from '../../src/heads/relation.js';
import { initHeads } from '../../src/heads/runtime.js';
import { siamese } from '../../src/heads/siamese.js';
import { createTrainedHead } from '../../src/heads/trained.js';
import type { TrainedHead } from '../../src/heads/trainedHead.js';
import { a, expectClose, values, wave } from './arrays.js';
import { DMIN, DMIN_RESIDUAL, INDUCTION, MATCHING_FCE } from './goldens.js';

// Scores of the trained heads: small cases worked by hand, the larger against NumPy.

beforeAll(initHeads);

/** Class 0 holds (1, 0) and (0, 1), class 1 holds (0, -1) and padding. */
const support = (): Support => ({
  rows: a([1, 0, 0, 1, 0, -1, 0, 0], 2, 2, 2),
  mask: a([1, 1, 1, 0], 2, 2),
  names: np.zeros([2, 2]),
});
const query = () => a([0.6, 0.8], 1, 2);

function scores(head: TrainedHead, params: Params, given = support(), queries = query()): number[] {
  return values(head.score(params, head.induce(tree.ref(params), given), queries));
}

describe('worked by hand', () => {
  test('siamese: the largest w.|f(x) - f(x_k)| + b', () => {
    // f doubles: |x - x_k| are (0.8, 1.6), (1.2, 0.4) and (1.2, 3.6). w = (-1, -2), b = 5: 1, 3, -3.4.
    const params = { embedding: np.eye(2).mul(2), weights: a([-1, -2], 2), bias: a([5], 1) };
    expectClose(scores(siamese(), params), [3, -3.4], 1e-5);
  });

  test('projected: -|W x - v_c|^2', () => {
    // W = (2 0; 0 1; 1 1): W x = (1.2, 0.8, 1.4); v_0 = (1, 0.5, 1), v_1 = (0, -1, -1).
    const params = { projection: a([2, 0, 0, 1, 1, 1], 3, 2) };
    expectClose(
      scores(projected({ width: 3 }), params),
      [-(0.04 + 0.09 + 0.16), -(1.44 + 3.24 + 5.76)],
      1e-5,
    );
  });

  test('projected starts as prototypes with the squared Euclidean distance', () => {
    // |x - v_0|^2 = 0.1, |x - v_1|^2 = 3.6, as in values.test.ts.
    const head = projected();
    expectClose(scores(head, head.init(random.key(0), 2)), [-1, -36], 1e-4);
  });

  test('relation: W_2 relu(W_1 [v_c ; q] + b_1) + b_2', () => {
    // v_0 = (0.5, 0.5), v_1 = (0, -1). Unit 1: v[0] + q[1] - 1, unit 2: v[1] - q[0], unit 3: v[1] + q[1] + 1, unit 4: 0.
    // Class 0: relu(0.3, -0.1, 2.3); class 1: relu(-0.2, -1.6, 0.8). Out: 2, 5, 1 and bias -1.
    const params = {
      ofClass: { weight: a([1, 0, 0, 1, 0, 1, 0, 0], 4, 2), bias: a([-1, 0, 1, 0], 4) },
      ofQuery: a([0, 1, -1, 0, 0, 1, 0, 0], 4, 2),
      output: { weight: a([2, 5, 1, 7], 1, 4), bias: a([-1], 1) },
    };
    expectClose(scores(relation({ hidden: 4 }), params), [0.6 + 2.3 - 1, 0.8 - 1], 1e-5);
  });

  test('relation starts as a similarity', () => {
    const head = relation({ hidden: 2048 });
    const rows = a([1, 0, 0, 0.8, 0.6, 0, 0, 1, 0, -1, 0, 0], 4, 1, 3);
    const given = { rows, mask: np.ones([4, 1]), names: np.zeros([4, 3]) };
    const [same, near, apart, opposite] = scores(
      head,
      head.init(random.key(3), 3),
      given,
      a([1, 0, 0], 1, 3),
    );
    expect(same).toBeGreaterThan(near! + 1);
    expect(near).toBeGreaterThan(apart! + 1);
    expect(apart).toBeGreaterThan(opposite! + 1);
  });

  test('routing: one iteration is the squashed mean, and the second leans to the rows that agree', () => {
    // Rows (1, 0), (1, 0), (0, 1) and padding. Mean (2/3, 1/3), squared length 5/9, squash times sqrt(5)/3 / (14/9).
    const rows = () => a([1, 0, 1, 0, 0, 1, 9, 9], 1, 4, 2);
    const factor = Math.sqrt(5) / 3 / (14 / 9);
    const once = [(2 / 3) * factor, (1 / 3) * factor];
    expectClose(values(route(rows(), a([1, 1, 1, 0], 1, 4), 1)), once, 1e-5);
    // b is then c's components: d = (e^x, e^x, e^y) / (2 e^x + e^y).
    const [x, y] = once.map(Math.exp) as [number, number];
    const sum = [(2 * x) / (2 * x + y), y / (2 * x + y)];
    const squared = sum[0]! ** 2 + sum[1]! ** 2;
    const twice = sum.map((s) => (s * Math.sqrt(squared)) / (1 + squared));
    expectClose(values(route(rows(), a([1, 1, 1, 0], 1, 4), 2)), twice, 1e-5);
  });

  test('matching-fce with LSTMs that do nothing is matching', () => {
    // tau = 5; cosines 0.6, 0.8 and -0.8.
    const cell = (R: number) => ({
      input: np.zeros([8, 2]),
      recurrent: np.zeros([8, R]),
      bias: np.zeros([8]),
    });
    const params = { forward: cell(2), backward: cell(2), attention: cell(4), logScale: a([Math.log(5)], 1) };
    expectClose(scores(matchingFce(), params), [Math.log((Math.exp(3) + Math.exp(4)) / 2), -4], 1e-4);
  });

  test('dmin: a single memory, capsule and row leave the direction of the memory', () => {
    // With one capsule d = 1 and 1 + p > 0, however often it is routed: e' is along m, and so is e_c.
    const identity = () => ({ weight: np.eye(3), bias: np.zeros([3]) });
    const params = {
      memory: a([0, 0.6, 0.8], 1, 3),
      adaptation: identity(),
      induction: identity(),
      logScale: a([Math.log(10)], 1),
    };
    const head = dmin({ memory: 1, capsules: 1 });
    const one = { rows: a([0.6, 0, 0.8], 1, 1, 3), mask: np.ones([1, 1]), names: np.zeros([1, 3]) };
    expectClose(scores(head, params, one, a([0.48, 0.6, 0.64], 1, 3)), [10 * (0.36 + 0.512)], 1e-4);
  });
});

describe('against NumPy', () => {
  const threeShots = (K: number, D: number, ...shots: number[]): Support => ({
    rows: wave(1, shots.length, K, D),
    mask: a(
      shots.flatMap((n) => Array.from({ length: K }, (_, k) => (k < n ? 1 : 0))),
      shots.length,
      K,
    ),
    names: np.zeros([shots.length, D]),
  });

  test('induction', () => {
    const params = {
      transform: { weight: wave(3, 3, 4), bias: wave(4, 3) },
      tensor: np.transpose(wave(5, 2, 3, 4), [0, 2, 1]),
      relation: { weight: wave(6, 1, 2), bias: wave(7, 1) },
    };
    const head = induction({ width: 3, slices: 2 });
    expectClose(scores(head, params, threeShots(3, 4, 3, 1, 2), wave(2, 2, 4)), INDUCTION, 1e-5);
  });

  const dminParams = () => ({
    memory: wave(3, 4, 6),
    adaptation: { weight: wave(4, 6, 6), bias: wave(5, 6) },
    induction: { weight: wave(6, 6, 6), bias: wave(7, 6) },
    logScale: a([Math.log(3)], 1),
  });

  test('dmin', () => {
    const head = dmin({ memory: 4, capsules: 2 });
    expectClose(scores(head, dminParams(), threeShots(3, 6, 3, 2), wave(2, 2, 6)), DMIN, 1e-4);
  });

  test('dmin with a residual', () => {
    const head = dmin({ memory: 4, capsules: 2, residual: true });
    const params = { ...dminParams(), gate: a([0.3], 1) };
    expectClose(scores(head, params, threeShots(3, 6, 3, 2), wave(2, 2, 6)), DMIN_RESIDUAL, 1e-4);
  });

  test('matching-fce', () => {
    const cell = (seed: number, R: number) => ({
      input: wave(seed, 12, 3),
      recurrent: wave(seed + 1, 12, R),
      bias: wave(seed + 2, 12),
    });
    const params = {
      forward: cell(3, 3),
      backward: cell(6, 3),
      attention: cell(9, 6),
      logScale: a([Math.log(5)], 1),
    };
    const head = matchingFce({ steps: 2 });
    expectClose(scores(head, params, threeShots(3, 3, 3, 2), wave(2, 2, 3)), MATCHING_FCE, 1e-4);
  });
});

describe('what is refused', () => {
  test('an unknown head, an unknown option, a value that is not of its kind', () => {
    const refusal = (make: () => unknown, message: string) =>
      expect(make).toThrow(
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(message) }),
      );
    refusal(() => createTrainedHead('transformer'), 'no trained head "transformer"');
    refusal(() => createTrainedHead('toString'), 'no trained head');
    refusal(() => createTrainedHead('relation', { width: 3 }), 'no option "width"');
    refusal(() => createTrainedHead('dmin', { memory: 1.5 }), 'whole number for "memory"');
    refusal(() => createTrainedHead('dmin', { residual: 1 }), 'true or false for "residual"');
    refusal(() => createTrainedHead('relation', { hidden: 6 }), 'multiple of 4');
    refusal(() => dmin({ capsules: 4 }).init(random.key(0), 6), '4 capsules cannot share 6 dimensions');
  });

  test('a support set too large for matching-fce', () => {
    const head = matchingFce({ maxRows: 3 });
    expect(() => head.induce(head.init(random.key(0), 2), support())).toThrow(/at most 3 rows: 2 classes/);
  });

  test('a memory of another shape', () => {
    const head = dmin({ memory: 3, capsules: 1 });
    const params = head.init(random.key(0), 2) as DminParams;
    expect(() => withMemory(params, np.zeros([4, 2]))).toThrow(RangeError);
    const changed = withMemory(params, a([1, 2, 3, 4, 5, 6], 3, 2));
    expect(values(changed.memory)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

test('options are known with the defaults filled in', () => {
  expect(induction({ width: 8 }).options).toEqual({ width: 8, slices: 100, iterations: 3 });
  expect(siamese().options).toEqual({ width: 0 });
});
