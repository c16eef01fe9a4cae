import { numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { gradientFeatures } from '../../src/heads/gradientFeatures.js';
import type { StepRule } from '../../src/heads/innerLoop.js';
import type { LstmCell } from '../../src/heads/layers.js';
import {
  learnedOptimiser,
  type LearnedOptimiserParams,
  networkStep,
  type OptimiserState,
} from '../../src/heads/learnedOptimiser.js';
import {
  coordinates,
  descend,
  fromCoordinates,
  prototypeStart,
  truncated,
} from '../../src/heads/learnedRule.js';
import type { LinearLearner } from '../../src/heads/linearLearner.js';
import { gatedStep, lstmMetaLearner, type LstmMetaLearnerParams } from '../../src/heads/lstmMetaLearner.js';
import { initHeads } from '../../src/heads/runtime.js';
import { a, expectClose, supportOf, values } from './arrays.js';

// The heads whose inner loop's rule is learned, worked by hand. sigma is the logistic function.

beforeAll(initHeads);

const sigma = (x: number) => 1 / (1 + Math.exp(-x));
/** A layer that gives its bias, whatever it is given. */
const constant = (inputs: number, bias: number) => ({ weight: np.zeros([1, inputs]), bias: a([bias], 1) });
/** A cell of one unit that reads its first input alone: h = sigma(o) tanh(sigma(i) tanh(x_1) + sigma(f) c). */
const cell = (inputs: number, [i, f, o]: [number, number, number]): LstmCell => ({
  input: a(
    [0, 0, 1, 0].flatMap((w) => [w, ...Array<number>(inputs - 1).fill(0)]),
    4,
    inputs,
  ),
  recurrent: np.zeros([4, 1]),
  bias: a([i, f, 0, o], 4),
});
const learner = (...[one, two, bias]: [number, number, number]): LinearLearner => ({
  rows: a([one, two], 1, 2),
  bias: a([bias], 1),
});
const zeros = (): np.Array => np.zeros([3, 1]);

test('gradients are read as order of magnitude and sign', () => {
  const p = Math.exp(10);
  const read = values(gradientFeatures(a([1, -Math.E, Math.exp(-5), 0, 0.5 / p, -0.25 / p, -1 / p], 7)));
  expectClose(read, [0, 1, 0.1, -1, -0.5, 1, -1, 0, -1, 0.5, -1, -0.25, -1, -1], 1e-5);
});

test('coordinates are rows with their biases, and back', () => {
  const all = coordinates({ rows: a([1, 2, 3, 4], 2, 2), bias: a([8, 9], 2) });
  expect(all.shape).toEqual([6, 1]);
  expect(values(all.ref)).toEqual([1, 2, 8, 3, 4, 9]);
  const { rows, bias } = fromCoordinates(all, 2);
  expect([values(rows), values(bias)]).toEqual([
    [1, 2, 3, 4],
    [8, 9],
  ]);
});

test('the prototypes as a linear classifier: -|x - v|^2 / 2 but for -|x|^2 / 2', () => {
  // v = (1, 3): -|v|^2 / 2 = -5.
  const support = { rows: a([1, 2, 1, 4, 9, 9], 1, 3, 2), mask: a([1, 1, 0], 1, 3), names: np.zeros([1, 2]) };
  const { rows, bias } = prototypeStart(support);
  expect([values(rows), values(bias)]).toEqual([[1, 3], [-5]]);
});

describe('LSTM meta-learner', () => {
  const params = (forget: LstmMetaLearnerParams['forget'], input: LstmMetaLearnerParams['input']) => ({
    reader: cell(4, [2, 1, 3]),
    forget,
    input,
  });
  const start = () => ({ hidden: zeros(), memory: zeros(), forget: np.full([3, 1], 0.5), input: zeros() });
  const slope = () => ({ loss: np.array(Math.E), gradient: learner(1, -2, 0.5) });

  test('a step with given gates: f theta - i dL', () => {
    // f = 0.75, i = 0.25: (4, 8, -4) goes to (3 - 0.25, 6 + 0.5, -3 - 0.125).
    const ln3 = Math.log(3);
    const [next, state] = gatedStep(
      params(constant(3, ln3), constant(3, -ln3)),
      learner(4, 8, -4),
      slope(),
      start(),
    );
    expectClose(values(coordinates(next)), [2.75, 6.5, -3.125], 1e-5);
    expectClose(values(state.forget), [0.75, 0.75, 0.75], 1e-6);
    expectClose(values(state.input), [0.25, 0.25, 0.25], 1e-6);
    tree.dispose([state.hidden, state.memory]);
  });

  test('gates see what was read, the coordinate and the gate before', () => {
    // The reader sees ln|dL| / 10.
    const h = [1, 2, 0.5].map((g) => sigma(3) * Math.tanh(sigma(2) * Math.tanh(Math.log(g) / 10)));
    const theta = [4, 8, -4];
    const forget = { weight: a([6, 0.2, 0.4], 1, 3), bias: a([0.1], 1) };
    const input = { weight: a([3, 0, 7], 1, 3), bias: a([-1], 1) };
    const [next, state] = gatedStep(params(forget, input), learner(4, 8, -4), slope(), start());
    tree.dispose([next, state.memory]);
    expectClose(values(state.hidden), h, 1e-5);
    expectClose(
      values(state.forget),
      theta.map((x, n) => sigma(6 * h[n]! + 0.2 * x + 0.4 * 0.5 + 0.1)),
      1e-5,
    );
    expectClose(
      values(state.input),
      h.map((x) => sigma(3 * x - 1)),
      1e-5,
    );
  });

  test('the loss is read too', () => {
    // ln L / 10 = 0.1 is the third input.
    const weights = [0, 0, 1, 0].flatMap((w) => [0, 0, w, 0]);
    const { bias, recurrent } = cell(4, [2, 1, 3]);
    const reader = { input: a(weights, 4, 4), recurrent, bias };
    const given = { ...params(constant(3, 0), constant(3, 0)), reader };
    const [next, { hidden, ...rest }] = gatedStep(given, learner(4, 8, -4), slope(), start());
    tree.dispose([next, rest]);
    const h = sigma(3) * Math.tanh(sigma(2) * Math.tanh(0.1));
    expectClose(values(hidden), [h, h, h], 1e-5);
  });

  test('starts as gradient descent at a small rate', () => {
    const head = lstmMetaLearner();
    const { reader, forget, input, ...row } = head.init(random.key(1), 2) as LstmMetaLearnerParams;
    const state = { hidden: np.zeros([3, 20]), memory: np.zeros([3, 20]), forget: zeros(), input: zeros() };
    const [next, after] = gatedStep({ reader, forget, input }, learner(4, 8, -4), slope(), state);
    tree.dispose([next, after.hidden, after.memory, row]);
    for (const f of values(after.forget)) expect(f).toBeGreaterThan(0.98);
    for (const i of values(after.input)) expect(i).toBeLessThan(0.03);
  });
});

describe('learned optimiser', () => {
  test('a step is a tenth of what two layers of LSTM make of the gradient', () => {
    // Both layers read their first input alone; output 4 h.
    const params: LearnedOptimiserParams = {
      first: cell(2, [2, 1, 3]),
      second: cell(1, [1, 0, 2]),
      output: a([4], 1, 1),
    };
    const memory = [0.5, 0, -1];
    const state: OptimiserState = {
      firstHidden: zeros(),
      firstMemory: a(memory, 3, 1),
      secondHidden: zeros(),
      secondMemory: zeros(),
    };
    const [next, after] = networkStep(params, learner(4, 8, -4), learner(1, -2, 0.5), state);
    const c = [1, 2, 0.5].map((g, n) => sigma(2) * Math.tanh(Math.log(g) / 10) + sigma(1) * memory[n]!);
    const h = c.map((x) => sigma(3) * Math.tanh(x));
    const second = h.map((x) => sigma(2) * Math.tanh(sigma(1) * Math.tanh(x)));
    expectClose(values(after.firstMemory), c, 1e-5);
    expectClose(values(after.firstHidden), h, 1e-5);
    expectClose(values(after.secondHidden), second, 1e-5);
    expectClose(
      values(coordinates(next)),
      [4, 8, -4].map((x, n) => x + 0.4 * second[n]!),
      1e-5,
    );
    after.secondMemory.dispose();
  });

  test('where its output is zero it stays where it starts', () => {
    const head = learnedOptimiser({ units: 3, steps: 2, prototypes: true });
    const params = head.init(random.key(1), 4) as LearnedOptimiserParams;
    const still = { ...params, output: np.zeros([1, 3]) };
    tree.dispose(params.output);
    const { support } = supportOf([2, 1], 2, 2, 4, 3);
    const induced = head.induce(tree.ref(still), tree.ref(support));
    const adapted = head.adapt!(still, support, tree.ref(induced));
    expect(values(adapted.weights!)).toEqual(values(induced.weights!));
    expect(values(adapted.bias!)).toEqual(values(induced.bias!));
  });
});

test('truncated back-propagation: the values of all steps, the slopes of the last ones', () => {
  /** Every step adds k to the bias, and to what every later step adds: k, 2 k, 3 k. */
  const growing = (k: np.Array): StepRule<LinearLearner, { x: np.Array }> => ({
    init: (start) => {
      tree.dispose(start);
      return { x: np.zeros([1]) };
    },
    update: ({ rows, bias }, slope, { x }) => {
      tree.dispose(slope);
      const next = x.add(k.ref);
      return [{ rows, bias: bias.add(next.ref) }, { x: next }];
    },
  });
  const endOf = (k: np.Array, every: number) => {
    const { support } = supportOf([1], 1, 1, 2, 4);
    const rule = truncated(growing(k), every);
    const { rows, bias } = descend(support, learner(0, 0, 1), rule, { steps: 3, sharpness: 1 });
    tree.dispose([rows, k]);
    return bias.sum();
  };
  for (const [every, slope] of [
    [3, 6],
    [2, 1], // step 3 alone
    [1, 1],
  ] as const) {
    const [value, gradient] = valueAndGrad((k: np.Array) => endOf(k, every))(a([2], 1));
    expect([value.item(), values(gradient)]).toEqual([13, [slope]]);
  }
});
