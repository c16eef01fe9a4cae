import { grad, numpy as np, random } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  glorot,
  initLstmCell,
  linear,
  lstmInput,
  lstmStep,
  project,
  scaledIdentity,
  tensorClasses,
  tensorQueries,
} from '../../src/heads/layers.js';
import {
  bestRow,
  maskedSoftmax,
  MASKED,
  occupied,
  rowMaximum,
  sigmoid,
  softplus,
  squash,
  standardised,
} from '../../src/heads/ops.js';
import { initHeads } from '../../src/heads/runtime.js';
import { a, expectClose, values } from './arrays.js';

// The pieces and layers that heads are written with, on values worked by hand.

beforeAll(initHeads);

describe('pieces', () => {
  test('squash keeps the direction and gives the length n^2 / (1 + n^2)', () => {
    // Length 5: 25/26 of the direction (0.6, 0.8). A zero row stays zero.
    expectClose(values(squash(a([3, 4, 0, 0], 2, 2))), [(0.6 * 25) / 26, (0.8 * 25) / 26, 0, 0], 1e-6);
  });

  test('the gradient of squash is finite on a zero row', () => {
    const gradient = grad((x: np.Array) => squash(x).sum())(np.zeros([1, 3]));
    expect(values(gradient).every(Number.isFinite)).toBe(true);
  });

  test('sigmoid and softplus, also far out', () => {
    expectClose(values(sigmoid(a([0, Math.log(3), -200, 200], 4))), [0.5, 0.75, 0, 1], 1e-6);
    expectClose(values(softplus(a([0, Math.log(3), -200, 200], 4))), [Math.LN2, Math.log(4), 0, 200], 1e-5);
  });

  test('the gradients of sigmoid and softplus are finite far out', () => {
    const slope = (f: (x: np.Array) => np.Array) =>
      values(grad((x: np.Array) => f(x).sum())(a([-200, 0.5, 200], 3)));
    const p = 1 / (1 + Math.exp(-0.5));
    expectClose(slope(sigmoid), [0, p * (1 - p), 0], 1e-6);
    expectClose(slope(softplus), [0, p, 1], 1e-6);
  });

  test('standardised rows have Pearson correlations for inner products', () => {
    // (1, 2, 3) and (1, 3, 2): deviations (-1, 0, 1) and (-1, 1, 0), correlation 1/2. A constant row correlates with nothing.
    const rows = standardised(a([1, 2, 3, 1, 3, 2, 4, 4, 4], 3, 3));
    const correlations = values(np.matmul(rows.ref, np.transpose(rows)));
    expectClose(correlations, [1, 0.5, 0, 0.5, 1, 0, 0, 0, 0], 1e-5);
  });

  test('masked softmax leaves padding out, and is zero where all is padding', () => {
    const softmax = maskedSoftmax(
      a([Math.log(1), Math.log(3), 500, 1, 2, 3], 2, 3),
      a([1, 1, 0, 0, 0, 0], 2, 3),
      -1,
    );
    expectClose(values(softmax), [0.25, 0.75, 0, 0, 0, 0], 1e-6);
  });

  test('masked softmax along another axis, of logits that would overflow', () => {
    const softmax = maskedSoftmax(a([300, -300, 300, -300], 2, 2), np.ones([2, 2]), 0);
    expectClose(values(softmax), [0.5, 0.5, 0.5, 0.5], 1e-6);
  });

  test('the row maximum is a constant to a gradient', () => {
    const gradient = grad((x: np.Array) => x.ref.sub(rowMaximum(x, -1)).sum())(a([1, 5, 2], 1, 3));
    expect(values(gradient)).toEqual([1, 1, 1]);
  });

  test('occupied and bestRow pass over padding', () => {
    expect(values(occupied(a([1, 1, 0, 0, 0, 0], 3, 2)))).toEqual([1, 0, 0]);
    const best = bestRow(a([1, 4, 2, 9, 3, 5], 1, 3, 2), a([1, 1, 1, 0, 0, 0], 3, 2));
    expect(values(best)).toEqual([4, 2, expect.closeTo(MASKED, -2)]);
  });
});

describe('layers', () => {
  test('linear is W x + b, over any leading axes', () => {
    const layer = { weight: a([1, 2, 3, 4, 5, 6], 3, 2), bias: a([10, 20, 30], 3) };
    const y = linear(layer, a([1, 0, 0, 1], 2, 1, 2));
    expect(y.shape).toEqual([2, 1, 3]);
    expect(values(y)).toEqual([11, 23, 35, 12, 24, 36]);
  });

  test('scaledIdentity is the identity times the scale, or a projection that keeps lengths on average', () => {
    expect(values(scaledIdentity(random.key(0), 2, 2, 3))).toEqual([3, 0, 0, 3]);
    const projection = scaledIdentity(random.key(0), 200, 300, 2); // [200, 300]
    const lengths = values(np.square(projection).sum(0)); // of 300 unit rows, squared: 4 each but for chance
    expect(lengths.reduce((sum, x) => sum + x, 0) / 300).toBeCloseTo(4, 0);
  });

  test('Glorot draws from +- sqrt(6 / (outputs + inputs)), whatever stands before', () => {
    const draws = values(glorot(random.key(1), [5, 20, 4])).map(Math.abs); // limit 0.5
    expect(Math.max(...draws)).toBeLessThan(0.5);
    expect(Math.max(...draws)).toBeGreaterThan(0.48);
  });

  test('one step of an LSTM of one unit', () => {
    // Gates i, f, g, o: input weights 1, 2, 3, 4, recurrent weights (on two values, the second 0) 0.5 each, biases 0, 1, 0, -1;
    // x = 0.1, h = (0.2, 9), c = 0.5: 0.1 + 0.1 = 0.2, 0.2 + 0.1 + 1 = 1.3, 0.3 + 0.1 = 0.4, 0.4 + 0.1 - 1 = -0.5.
    const cell = { input: a([1, 2, 3, 4], 4, 1), bias: a([0, 1, 0, -1], 4) };
    const recurrent = a([0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0], 4, 2);
    const gates = lstmInput(cell, a([0.1], 1, 1));
    const [h, c] = lstmStep(recurrent, gates, a([0.2, 9], 1, 2), a([0.5], 1, 1));
    // sigma(0.2) = 0.549834, sigma(1.3) = 0.785835, tanh(0.4) = 0.379949, sigma(-0.5) = 0.377541.
    const next = 0.785835 * 0.5 + 0.549834 * 0.379949;
    expectClose(values(c), [next], 1e-5);
    expectClose(values(h), [0.377541 * Math.tanh(next)], 1e-5);
  });

  test('an LSTM cell starts with a forget gate that is open', () => {
    const cell = initLstmCell(random.key(2), 2, 3, 5);
    expect([cell.input.shape, cell.recurrent.shape]).toEqual([
      [8, 3],
      [8, 5],
    ]);
    expect(values(cell.bias)).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
    cell.input.dispose();
    cell.recurrent.dispose();
  });

  test('the tensor layer is c^T M^[k] q', () => {
    // M^[1] = (1 2 3; 4 5 6), M^[2] twice that, c = (1, -1): c^T M^[1] = (-3, -3, -3). q = (1, 2, 0): -9 and -18.
    const tensor = a([1, 4, 2, 5, 3, 6, 2, 8, 4, 10, 6, 12], 2, 3, 2); // axes exchanged
    const classes = tensorClasses(tensor, a([1, -1, 0, 0], 2, 2));
    expect(classes.shape).toEqual([2, 2, 3]);
    expect(values(tensorQueries(classes, a([1, 2, 0], 1, 3)))).toEqual([-9, -18, 0, 0]);
  });

  test('project gives back what it was given', () => {
    const weight = a([1, 2, 3, 4], 2, 2);
    const x = a([1, 1], 1, 2);
    project(weight, x).dispose();
    expect([weight.refCount, x.refCount]).toEqual([0, 0]);
  });
});
