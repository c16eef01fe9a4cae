import { grad, numpy as np, tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Params } from '../../src/heads/head.js';
import { gradientDescent, innerLoop, seenThrough, type Slope } from '../../src/heads/innerLoop.js';
import { linearLogits, type LinearLearner } from '../../src/heads/linearLearner.js';
import { crossEntropy } from '../../src/heads/losses.js';
import { maml, MAML_METHODS, type MamlName, type MamlParams } from '../../src/heads/maml.js';
import type { Episode, HeadOptions } from '../../src/heads/trainedHead.js';
import { expectFiniteDifferences, f64, inFloat64, initFloat64, numbers } from './float64.js';
import { seeded, unitRows } from './random.js';

beforeAll(initFloat64);

describe('the inner loop', () => {
  // L(theta) = theta^2 / 2, whose slope is theta, at a rate of 0.8: each step leaves a fifth.
  const slopeAt = ({ theta }: { theta: np.Array }): Slope<{ theta: np.Array }> => ({
    loss: np.square(theta.ref).sum().mul(0.5),
    gradient: { theta },
  });
  const loop = (theta: np.Array, steps: number, order: 0 | 1 | np.Array, visit?: (at: number) => void) =>
    innerLoop(
      { theta },
      (at) => seenThrough(slopeAt(at), order),
      gradientDescent<{ theta: np.Array }>(() => ({ theta: f64([0.8], 1) })),
      steps,
      (at) => visit?.(at.theta.item()),
    ).theta;
  const outer = (theta: np.Array, steps: number, order: 0 | 1 | np.Array) =>
    np
      .square(loop(theta, steps, order))
      .sum()
      .mul(0.5);

  test('two steps by hand: 4, 0.8, 0.16', () => {
    const way: number[] = [];
    const end = loop(f64([4], 1), 2, 1, (at) => way.push(at));
    expect(end.item()).toBeCloseTo(0.16, 12);
    expect(way.map((at) => at.toFixed(12))).toEqual(['0.800000000000', '0.160000000000']);
  });

  test('the outer gradient through one step: 0.8 x 0.2 to second order, 0.8 to first, between when annealed', () => {
    // d/dtheta (theta - 0.8 theta)^2 / 2 = theta' (1 - 0.8); first order takes 0.8 theta for a constant.
    const slope = (order: 0 | 1 | np.Array) =>
      grad((theta: np.Array) => outer(theta, 1, order))(f64([4], 1)).item();
    expect(slope(1)).toBeCloseTo(0.16, 12);
    expect(slope(0)).toBeCloseTo(0.8, 12);
    expect(slope(f64([0.25], 1))).toBeCloseTo(0.8 * (1 - 0.25 * 0.8), 12);
  });
});

const D = 2;
const C = 2;
const SHOTS = [2, 1];

/** Two classes, unevenly filled, one more that is padding; queries among which one belongs to no class. */
function episode(progress: number): Episode {
  const draw = seeded(3);
  const centres = unitRows(C, D, draw);
  const K = Math.max(...SHOTS);
  const rows = new Float64Array((C + 1) * K * D);
  const mask = new Float64Array((C + 1) * K);
  SHOTS.forEach((n, c) => {
    rows.set(unitRows(n, D, draw, centres.subarray(c * D, (c + 1) * D)), c * K * D);
    mask.fill(1, c * K, c * K + n);
  });
  const targets = new Float64Array(4 * (C + 1));
  [0, 1, 1].forEach((c, q) => (targets[q * (C + 1) + c] = 1));
  return {
    support: {
      rows: f64(rows, C + 1, K, D),
      mask: f64(mask, C + 1, K),
      names: f64(new Float64Array((C + 1) * D), C + 1, D),
    },
    queries: f64(unitRows(4, D, draw, centres), 4, D),
    targets: f64(targets, 4, C + 1),
    weights: f64([1, 2, 1, 1], 4),
    progress: f64([progress], 1),
  };
}

/** Parameters away from where they start; the logits small, as it is where slopes are large. */
function paramsOf(name: MamlName, options: HeadOptions): MamlParams {
  const draw = seeded(8);
  const start = inFloat64(maml(name, options).init(np.zeros([2]), D)) as MamlParams;
  const move = (x: np.Array): np.Array => {
    const shape = x.shape;
    return x.mul(0.5).add(
      f64(
        Array.from({ length: x.size }, () => 0.1 * (draw() - 0.5)),
        ...shape,
      ),
    );
  };
  return tree.map<np.Array, np.Array, MamlParams>(move, start);
}

const lossAt = (name: MamlName, options: HeadOptions, progress: number) => {
  const head = maml(name, options);
  return (params: Params) => head.loss(params, episode(progress));
};

describe('the gradient of the outer loss equals finite differences, in double precision', () => {
  const SECOND_ORDER = (Object.keys(MAML_METHODS) as MamlName[]).filter(
    (name) => MAML_METHODS[name].order !== 1,
  );
  const CASES = SECOND_ORDER.flatMap((name) => [1, 3, 5].map((steps) => [name, steps] as const));

  test.each(CASES)('%s through %d inner steps', (name, steps) => {
    const options = {
      steps,
      rowRate: 750,
      bodyRate: 250,
      ...(name === 'proto-maml' && { cosine: steps === 3 }),
    };
    // MAML++ is of second order, and sums up the losses of several steps, only on the way.
    const progress = name === 'maml-plus-plus' ? 0.5 : 1;
    const loss = lossAt(name, options, progress);
    const params = paramsOf(name, options) as Params;
    const gradient = grad(loss)(tree.ref(params));
    const { compared, largest } = expectFiniteDifferences(params, gradient, loss);
    expect(compared).toBeGreaterThanOrEqual(D * D);
    expect(largest).toBeGreaterThan(0.01);
    tree.dispose(params);
  });

  test('proto-maml that learns rates alone: the same slopes, and none of the body', () => {
    const options = { steps: 2, rowRate: 750, bodyRate: 250, cosine: true };
    const params = paramsOf('proto-maml', options);
    const slopes = (learnsBody: boolean) =>
      grad(lossAt('proto-maml', { ...options, learnsBody }, 1))(tree.ref(params)) as MamlParams;
    const [all, alone] = [slopes(true), slopes(false)];
    expect(numbers(alone.body)).toEqual([0, 0, 0, 0]);
    expect(numbers(alone.rates!.rows)).toEqual(numbers(all.rates!.rows));
    expect(Math.max(...numbers(alone.fewRows!).map(Math.abs))).toBeGreaterThan(1e-4);
    tree.dispose(params);
  });

  test('maml-plus-plus sums up the losses of all steps at first: there to first order', () => {
    // Of rates alone: to first order nothing but theta_t = theta_0 - sum alpha_s g_s depends on them.
    const options = { steps: 1 };
    const loss = lossAt('maml-plus-plus', options, 0);
    const params = paramsOf('maml-plus-plus', options);
    const { rates, ...others } = params;
    const slopes = grad((r: Params) => loss({ ...tree.ref(others), rates: r }))(tree.ref(rates!));
    expectFiniteDifferences(rates!, slopes, (r) => loss({ ...tree.ref(others), rates: r }));
    tree.dispose(params);
  });
});

describe('methods that take inner gradients for constants', () => {
  const STEPS = 3;
  const options = { steps: STEPS, rowRate: 750, bodyRate: 250 };

  /** theta_0, and theta_k, by gradient descent that is written out here with `grad`. */
  function trajectory(params: MamlParams): [Required<LinearLearner>, Required<LinearLearner>] {
    const { support } = episode(1);
    const K = support.mask.shape[1]!;
    const weights = Array.from({ length: (C + 1) * K }, (_, i) => {
      const [c, k] = [Math.floor(i / K), i % K];
      return k < (SHOTS[c] ?? 0) ? 1 / (SHOTS[c]! * C) : 0;
    });
    const targets = () => f64(Array.from({ length: (C + 1) * K * (C + 1) }, (_, i) => (Math.floor(i / (K * (C + 1))) === i % (C + 1) ? 1 : 0)), (C + 1) * K, C + 1); // prettier-ignore
    const supportLoss = (at: Required<LinearLearner>) =>
      crossEntropy(
        linearLogits(at, support.rows.ref.reshape([(C + 1) * K, D])),
        targets(),
        f64(weights, (C + 1) * K),
        f64([1, 1, 0], C + 1),
      );
    const start = {
      body: params.body.ref,
      rows: f64(new Float64Array((C + 1) * D), C + 1, D),
      bias: f64(new Float64Array(C + 1), C + 1),
    };
    let at = tree.ref(start);
    for (let t = 0; t < STEPS; t++) {
      const slope = grad(supportLoss)(tree.ref(at));
      at = {
        body: at.body.sub(slope.body.mul(0.25)),
        rows: at.rows.sub(slope.rows.mul(0.75 * C)),
        bias: at.bias.sub(slope.bias.mul(0.75 * C)),
      };
    }
    return [start, at];
  }

  test('fomaml: the gradient at theta_k stands for the one at theta_0', () => {
    const params = paramsOf('fomaml', options);
    const [start, end] = trajectory(params);
    const { queries, targets, weights } = episode(1);
    const atEnd = grad((at: Required<LinearLearner>) =>
      crossEntropy(linearLogits(at, queries.ref), targets.ref, weights.ref, f64([1, 1, 0], C + 1)),
    )(end);
    const slope = grad(lossAt('fomaml', options, 1))(params) as MamlParams;
    const close = (a: np.Array, b: np.Array) => {
      const expected = numbers(b);
      numbers(a).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 9));
    };
    close(slope.body, atEnd.body);
    tree.dispose([atEnd.rows, atEnd.bias]);
    tree.dispose(start);
  });

  test('reptile: the gradient is theta_0 - theta_k', () => {
    const params = paramsOf('reptile', options);
    const [start, end] = trajectory(params);
    const slope = grad(lossAt('reptile', options, 1))(params) as MamlParams;
    const expected = numbers(start.body.sub(end.body));
    numbers(slope.body).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 9));
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.01);
  });
});

describe('proto-maml', () => {
  test('starts at the prototypes: logits of 2 v.x - |v|^2, as of the squared distance', () => {
    const head = maml('proto-maml', { steps: 1 });
    const params = {
      ...(inFloat64(head.init(np.zeros([2]), 2)) as MamlParams),
      body: f64([1, 0, 0, 2], 2, 2),
    };
    // f of class 0: (1, 0) and (0, 2), v = (0.5, 1), |v|^2 = 1.25; of class 1: (-1, 0), |v|^2 = 1.
    const support = {
      rows: f64([1, 0, 0, 1, -1, 0, 0, 0], 2, 2, 2),
      mask: f64([1, 1, 1, 0], 2, 2),
      names: f64([0, 0, 0, 0], 2, 2),
    };
    const state = head.induce(tree.ref(params), support);
    const scores = head.score(params, state, f64([0.6, 0.8], 1, 2)); // f = (0.6, 1.6)
    expect(numbers(scores).map((score) => score.toFixed(6))).toEqual([
      (2 * (0.3 + 1.6) - 1.25).toFixed(6),
      (2 * -0.6 - 1).toFixed(6),
    ]);
  });

  test('what has not adapted yet is moved as the others were on average', () => {
    const head = maml('proto-maml');
    const leaf = (weights: number[], bias: number[]) => ({
      weights: f64(weights, bias.length, 2),
      bias: f64(bias, bias.length),
    });
    const moved = head.align!(leaf([1, 1], [5]), leaf([0, 0, 2, 0], [0, 1]), leaf([1, 0, 4, 1], [1, 4]));
    expect(numbers(moved.weights!)).toEqual([2.5, 1.5]);
    expect(numbers(moved.bias!)).toEqual([7]);
  });
});
