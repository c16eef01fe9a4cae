import { grad, numpy as np } from '@jax-js/jax';
import { beforeAll, expect, test } from '@jest/globals';
import { crossEntropy, pairCrossEntropy, squaredError } from '../../src/heads/losses.js';
import { initHeads } from '../../src/heads/runtime.js';
import { a, expectClose, values } from './arrays.js';

// The papers' losses on values worked by hand; padding of classes, rows and queries.

beforeAll(initHeads);

const log = Math.log;

test('cross-entropy is the weighted mean of -log softmax at the target', () => {
  // P = (1/4, 3/4) with target 0 and weight 1; (1/2, 1/2) with target 1 and weight 3.
  const loss = crossEntropy(a([0, log(3), 2, 2], 2, 2), a([1, 0, 0, 1], 2, 2), a([1, 3], 2), np.ones([2]));
  expect(loss.item()).toBeCloseTo((log(4) + 3 * log(2)) / 4, 5);
});

test('cross-entropy passes over padded classes, padded queries and queries without a class', () => {
  const logits = a([0, log(3), 99, 5, 6, 7, 8, 9, 1], 3, 3);
  const targets = a([1, 0, 0, 0, 1, 0, 0, 0, 0], 3, 3); // query 1 weighs nothing, query 2 has no class
  const loss = crossEntropy(logits, targets, a([1, 0, 1], 3), a([1, 1, 0], 3));
  expect(loss.item()).toBeCloseTo(log(4), 5);
});

test('cross-entropy neither overflows nor vanishes, and its gradient is softmax less the target', () => {
  const slope = (x: np.Array) => crossEntropy(x, a([1, 0], 1, 2), np.ones([1]), np.ones([2]));
  expect(slope(a([-500, 500], 1, 2)).item()).toBeCloseTo(1000, 2);
  expectClose(values(grad(slope)(a([0, log(3)], 1, 2))), [0.25 - 1, 0.75], 1e-5);
});

test('no query at all is no loss', () => {
  const nothing = () => [np.zeros([1, 2]), np.zeros([1, 2]), np.zeros([1]), np.ones([2])] as const;
  expect(crossEntropy(...nothing()).item()).toBe(0);
  expect(squaredError(...nothing()).item()).toBe(0);
});

test('squared error is the mean of (sigma(z) - target)^2 over queries and classes that are there', () => {
  // Query 0: sigma = 1/2 and 3/4, target class 0; query 1, of weight 2, of no class: 1/4 and 1/2. Class 2 and query 2 are padding.
  const logits = a([0, log(3), 9, -log(3), 0, 9, 9, 9, 9], 3, 3);
  const targets = a([1, 0, 0, 0, 0, 0, 1, 0, 0], 3, 3);
  const loss = squaredError(logits, targets, a([1, 2, 0], 3), a([1, 1, 0], 3));
  expect(loss.item()).toBeCloseTo((1 / 4 + 9 / 16 + 2 * (1 / 16 + 1 / 4)) / 6, 5);
});

test('pair cross-entropy weighs pairs of one class and pairs of two the same', () => {
  // One query of class 0. Same: z = log 3, -log 0.75. Different: 0 and log 3, -log 0.5 and -log 0.25; the fourth row is padding.
  const logits = a([log(3), 77, 0, log(3)], 1, 2, 2);
  const loss = pairCrossEntropy(logits, a([1, 0], 1, 2), np.ones([1]), a([1, 0, 1, 1], 2, 2));
  expect(loss.item()).toBeCloseTo((-log(0.75) + (log(2) + log(4)) / 2) / 2, 5);
});

test('pair cross-entropy leaves padded queries out, and counts those without a class as different', () => {
  const logits = a([0, log(3), 50, -50], 2, 2, 1); // [Q, C, K]
  const unknown = pairCrossEntropy(logits, np.zeros([2, 2]), a([1, 0], 2), np.ones([2, 1]));
  expect(unknown.item()).toBeCloseTo((log(2) + log(4)) / 2 / 2, 5);
});

test('the losses give back what they were given', () => {
  for (const loss of [crossEntropy, squaredError]) {
    const given = [np.zeros([2, 2]), np.eye(2), np.ones([2]), np.ones([2])] as const;
    loss(...given).dispose();
    expect(given.map((x) => x.refCount)).toEqual([0, 0, 0, 0]);
  }
  const pairs = [np.zeros([2, 2, 3]), np.eye(2), np.ones([2]), np.ones([2, 3])] as const;
  pairCrossEntropy(...pairs).dispose();
  expect(pairs.map((x) => x.refCount)).toEqual([0, 0, 0, 0]);
});
