import { type numpy as np, random, tree } from '@jax-js/jax';
import { beforeAll, expect, test } from '@jest/globals';
import { lstmMetaLearner, type LstmMetaLearnerParams } from '../../../src/heads/lstmMetaLearner.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { gatesBySteps } from '../../../src/learn/diagnostics/lstmMetaLearner.js';
import { a } from '../../heads/arrays.js';
import { toyTasks } from './toyTasks.js';

beforeAll(initHeads);

const D = 4;
const OPTIONS = { steps: 3, sharpness: 20 };
const sigma = (x: number) => 1 / (1 + Math.exp(-x));

/** A head whose gates are what their biases make them, and the forget gate of what it was before. */
function paramsOf(memory: number, spread = 0): LstmMetaLearnerParams {
  const drawn = lstmMetaLearner({ units: 2 }).init(random.key(1), D) as LstmMetaLearnerParams;
  tree.dispose([drawn.forget, drawn.input]);
  return {
    ...drawn,
    forget: { weight: a([0, 0, 0, memory], 1, 4), bias: a([1], 1) },
    input: { weight: a([spread, 0, 0, 0], 1, 4), bias: a([-2], 1) },
  };
}

const supports = (classes: number) =>
  toyTasks(2, D, 5, classes).map(({ support, ...rest }) => {
    tree.dispose(rest);
    return support;
  });

test('the gates step by step', () => {
  const params = paramsOf(0.5);
  const gates = gatesBySteps(params, supports(3), OPTIONS);
  const first = sigma(1);
  const second = sigma(1 + 0.5 * first);
  const third = sigma(1 + 0.5 * second);
  expect(gates.map(({ step }) => step)).toEqual([1, 2, 3]);
  for (const [t, expected] of [first, second, third].entries()) {
    const { forget, input } = gates[t]!;
    for (const value of [forget.mean, forget.low, forget.high]) expect(value).toBeCloseTo(expected, 5);
    for (const value of [input.mean, input.low, input.high]) expect(value).toBeCloseTo(sigma(-2), 5);
  }
  expect(tree.leaves<np.Array>(params).map((array) => array.refCount)).toEqual(
    tree.leaves(params).map(() => 1),
  );
  tree.dispose(params);
});

test('a gate that differs from coordinate to coordinate has a spread, and padded classes have no part in it', () => {
  const params = paramsOf(0, 3);
  const [tight, padded] = [3, 5].map((classes) => gatesBySteps(params, supports(classes), OPTIONS));
  tree.dispose(params);
  for (const [t, { input }] of tight!.entries()) {
    expect(input.low).toBeLessThan(input.mean);
    expect(input.mean).toBeLessThan(input.high);
    expect(padded![t]!.input.mean).toBeCloseTo(input.mean, 4);
    expect(padded![t]!.input.high).toBeCloseTo(input.high, 4);
  }
});
