import type { numpy as np } from '@jax-js/jax';
import { beforeAll, expect, test } from '@jest/globals';
import type { Params } from '../../src/heads/head.js';
import { initHeads } from '../../src/heads/runtime.js';
import { adamW, rateAt, type StepRule, stepNumbers } from '../../src/learn/optimiser.js';
import { a, expectClose, values } from '../heads/arrays.js';

beforeAll(initHeads);

type Toy = { weight: np.Array; bias: np.Array };

const RULE: StepRule = { step: 1, rate: 0.1, weightDecay: 0, clip: 100, batch: 1 };

/** Steps from weight [[1, 2]] and bias [1] by gradients [w1, w2, b], one a step. */
function moved(gradients: readonly (readonly number[])[], rule: Partial<StepRule> = {}): number[] {
  let params: Params = { weight: a([1, 2], 1, 2), bias: a([1], 1) };
  let state = adamW.init({ weight: a([1, 2], 1, 2), bias: a([1], 1) });
  for (const [i, [w1, w2, b]] of gradients.entries()) {
    const gradient = { weight: a([w1!, w2!], 1, 2), bias: a([b!], 1) };
    const next = adamW.update(params, gradient, state, stepNumbers({ ...RULE, ...rule, step: i + 1 }));
    params = next.params;
    state = next.state;
  }
  const { weight, bias } = params as Toy;
  return [...values(weight), ...values(bias)];
}

test('the first step goes as far as the rate, whatever the size of the gradient', () => {
  expectClose(moved([[3, -0.002, 0.5]]), [0.9, 2.1, 0.9], 1e-4);
});

test('the second step, worked by hand', () => {
  // m = 0.9 x 0.1 g1 + 0.1 g2, over 1 - 0.9^2; v = 0.999 x 0.001 g1^2 + 0.001 g2^2, over 1 - 0.999^2; g1 = 1, g2 = 2:
  // m = 0.29 / 0.19 = 1.526316, v = 0.004999 / 0.001999 = 2.500750; m / sqrt(v) = 0.965180.
  const [w1] = moved([
    [1, 1, 1],
    [2, 1, 1],
  ]);
  expect(w1).toBeCloseTo(0.9 - 0.096518, 4);
});

test('weights decay by rate x decay, biases do not', () => {
  expectClose(moved([[1, 1, 1]], { weightDecay: 0.5 }), [0.95 - 0.1, 1.9 - 0.1, 0.9], 1e-4);
});

test('a gradient is clipped by the norm of all of it, so that a later small one still counts', () => {
  // Clipped from norm 5000 to 1 the first is (0.6, 0.8, 0): as if it had been given so.
  const second = [0.3, -0.4, 0.2];
  expectClose(
    moved([[3000, 4000, 0], second], { clip: 1 }),
    moved([[0.6, 0.8, 0], second], { clip: 1e9 }),
    1e-5,
  );
});

test('a sum of gradients counts as their mean', () => {
  const second = [0.3, -0.4, 0.2];
  const summed = second.map((slope) => 4 * slope);
  expectClose(
    moved([[4, 8, 4], summed], { batch: 4, clip: 2 }),
    moved([[1, 2, 1], second], { clip: 2 }),
    1e-5,
  );
});

test('the rate rises over the warm-up and falls as half a cosine', () => {
  const plan = { rate: 0.4, warmup: 4 };
  const rates = (schedule: 'constant' | 'cosine') =>
    [1, 4, 5, 7, 9, 12].map((step) => rateAt({ ...plan, schedule }, step, 12));
  expectClose(rates('constant'), [0.1, 0.4, 0.4, 0.4, 0.4, 0.4], 1e-9);
  const last = 0.2 * (1 - Math.cos(Math.PI / 8)); // an eighth of the way is left
  expectClose(rates('cosine'), [0.1, 0.4, 0.4, 0.2 * (1 + Math.SQRT1_2), 0.2, last], 1e-9);
});
