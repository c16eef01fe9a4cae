import { numpy as np, random, tree } from '@jax-js/jax';
import { beforeAll, expect, test } from '@jest/globals';
import { learnedOptimiser, type LearnedOptimiserParams } from '../../../src/heads/learnedOptimiser.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { compareOptimisers, rmsprop } from '../../../src/learn/diagnostics/learnedOptimiser.js';
import { a, values } from '../../heads/arrays.js';
import { toyTasks } from './toyTasks.js';

beforeAll(initHeads);

const D = 6;

/** An optimiser that stays where it is. */
function still(): LearnedOptimiserParams {
  const drawn = learnedOptimiser({ units: 2 }).init(random.key(1), D) as LearnedOptimiserParams;
  tree.dispose(drawn.output);
  return { ...drawn, output: np.zeros([1, 2]) };
}

test('all optimisers start alike, and each but the learned one has the rate that was best on other tasks', () => {
  const params = still();
  const [tuning, held] = [toyTasks(3, D, 1), toyTasks(4, D, 100)];
  const curves = compareOptimisers({
    params,
    options: { steps: 3, prototypes: false, sharpness: 20 },
    tuning,
    held,
    rates: [1e-6, 0.01, 100],
  });
  expect(curves.map(({ optimiser }) => optimiser)).toEqual(['learned', 'SGD', 'RMSprop', 'Adam']);
  expect(curves.map(({ rate }) => rate)).toEqual([undefined, 0.01, 0.01, 0.01]);
  for (const { losses } of curves) {
    expect(losses).toHaveLength(4);
    expect(losses[0]!.value).toBeCloseTo(Math.log(3), 4); // three classes alike
  }
  const [learned, ...others] = curves.map(({ losses }) => losses.at(-1)!);
  expect(learned!.value).toBeCloseTo(Math.log(3), 4); // it stays where it is
  for (const { value, low, high } of others) {
    expect(value).toBeLessThan(0.9 * Math.log(3));
    expect(low).toBeLessThan(value);
    expect(value).toBeLessThan(high);
  }
  const arrays = tree.leaves<np.Array>([params, ...tuning, ...held]);
  expect(arrays.every((array) => array.refCount === 1)).toBe(true);
  tree.dispose(arrays);
});

test('RMSprop: theta - rate g / sqrt(s), s = 0.9 s + 0.1 g^2', () => {
  const learner = (x: number) => ({ rows: a([x], 1, 1), bias: a([0], 1) });
  const rate = a([0.1], 1);
  const rule = rmsprop(rate);
  const slope = (g: number) => ({ loss: np.array(0), gradient: learner(g) });
  // s = 0.1 * 4 = 0.4; then 0.36 + 0.1 = 0.46.
  const [once, first] = rule.update(learner(1), slope(2), rule.init(learner(1)), 1);
  expect(values(once.rows.ref)[0]).toBeCloseTo(1 - 0.2 / Math.sqrt(0.4), 5);
  const [twice, second] = rule.update(once, slope(-1), first, 2);
  expect(values(twice.rows)[0]).toBeCloseTo(1 - 0.2 / Math.sqrt(0.4) + 0.1 / Math.sqrt(0.46), 5);
  tree.dispose([twice.bias, second, rate]);
});
