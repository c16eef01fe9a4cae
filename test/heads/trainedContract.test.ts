import { grad, jit, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adam, type AdamState, adamStepSize } from '../../src/heads/adam.js';
import type { Params, Support } from '../../src/heads/head.js';
import { HeadRuntime, initHeads, type LoadedState, type SupportRows } from '../../src/heads/runtime.js';
import { createTrainedHead, type TrainedHeadName } from '../../src/heads/trained.js';
import type { Episode, HeadOptions } from '../../src/heads/trainedHead.js';
import { a, drawn, expectClose, moved, paddedEpisode, supportOf, values } from './arrays.js';
import { centralDifferences } from './centralDifferences.js';
import { seeded, unitRows } from './random.js';

// What every trained head promises, with parameters away from where they start: the promises of src/heads/head.ts, exact
// gradients, arrays given back, and that it learns.

const HEADS: [string, TrainedHeadName, HeadOptions][] = [
  ['siamese', 'siamese', { width: 6 }],
  ['matching-fce', 'matching-fce', { steps: 2 }],
  ['projected', 'projected', { width: 6 }],
  ['projected, leaving one out', 'projected', { width: 6, leaveOneOut: true }],
  ['projected without a map', 'projected', { map: false, leaveOneOut: true }],
  ['relation', 'relation', { hidden: 64 }],
  ['induction', 'induction', { slices: 5, width: 6 }],
  ['dmin', 'dmin', { memory: 5, capsules: 2 }],
  ['dmin with a residual', 'dmin', { memory: 5, capsules: 2, residual: true }],
  ['weighing', 'weighing', { steps: 3 }],
  ['mann', 'mann', { width: 4, slots: 5 }],
  ['meta-networks', 'meta-networks', { width: 5, hidden: 6, units: 3 }],
  // By default inner gradients count as constants, and the outer ones are not those of the loss.
  ['lstm-meta-learner', 'lstm-meta-learner', { steps: 2, units: 3, sharpness: 2, secondOrder: true }],
  [
    'learned-optimiser',
    'learned-optimiser',
    { steps: 2, units: 3, unroll: 2, sharpness: 20, secondOrder: true },
  ],
  ...(['maml', 'fomaml', 'reptile', 'meta-sgd', 'maml-plus-plus', 'anil', 'proto-maml'] as const).map(
    (name): [string, TrainedHeadName, HeadOptions] => [name, name, { steps: 2, rowRate: 200, bodyRate: 100 }],
  ),
  ['proto-maml by the cosine', 'proto-maml', { steps: 2, rowRate: 200, bodyRate: 100, cosine: true }],
];

/** Promises that a method, or a case above, does not make, and why. */
const IN_DOUBLE = 'test/heads/maml.test.ts holds them to finite differences in double precision';
const NOTHING = 'it has no parameters: test/heads/leaveOneOut.test.ts has the slopes of the embeddings';
const EXEMPT: Readonly<Record<string, { readonly gradients: string; readonly learning?: string }>> = {
  'projected without a map': { gradients: NOTHING, learning: NOTHING },
  maml: { gradients: IN_DOUBLE },
  fomaml: { gradients: 'takes inner gradients for constants: test/heads/maml.test.ts has what it shall be' },
  reptile: {
    gradients: 'as of fomaml',
    learning: 'goes down a distance that says nothing of the queries',
  },
  'meta-sgd': { gradients: IN_DOUBLE },
  'maml-plus-plus': { gradients: IN_DOUBLE },
  anil: { gradients: IN_DOUBLE },
  'proto-maml': { gradients: IN_DOUBLE },
};
const D = 8;
const SHOTS = [2, 1, 3];
const C = SHOTS.length;
const TOLERANCE = 2e-3;
/** Of the training that is tried; a relation network has more to find out, and gates that are all but shut move slowly. */
const TRAINING = {
  relation: { steps: 150, rate: 0.005 },
  'lstm-meta-learner': { steps: 12, rate: 0.1 },
  maml: { steps: 60, rate: 0.03 },
  fomaml: { steps: 60, rate: 0.03 },
  anil: { steps: 60, rate: 0.03 },
  'proto-maml': { steps: 60, rate: 0.03 },
  others: { steps: 12, rate: 0.03 },
};

beforeAll(initHeads);

describe.each(HEADS)('trained head %s', (title, name, options) => {
  const head = createTrainedHead(name, options);
  const params = (): Params => moved(head.init(random.key(5), D), 0.3, 50);
  let runtime: HeadRuntime;
  beforeAll(() => {
    runtime = new HeadRuntime(head, D, params());
  });

  function task(seed: number): { classes: Float32Array[][]; queries: Float32Array } {
    const draw = seeded(seed);
    const centres = unitRows(C, D, draw);
    const classes = SHOTS.map((n, c) => {
      const rows = unitRows(n, D, draw, centres.subarray(c * D, (c + 1) * D));
      return Array.from({ length: n }, (_, k) => rows.slice(k * D, (k + 1) * D));
    });
    return { classes, queries: unitRows(9, D, draw, centres) };
  }

  function loaded(classes: readonly Float32Array[][]): LoadedState {
    const support: SupportRows = {
      counts: classes.map((rows) => rows.length),
      rows: Float32Array.from(classes.flat().flatMap((row) => [...row])),
      names: new Float32Array(classes.length * D),
    };
    return runtime.load(runtime.induce(support));
  }

  describe('of one task', () => {
    const { classes, queries } = task(1);
    let state: LoadedState;
    let expected: Float32Array;
    beforeAll(() => {
      state = loaded(classes);
      expected = runtime.score(state, queries);
    });
    afterAll(() => state.dispose());

    function logits(changed: readonly Float32Array[][]): Float32Array {
      const other = loaded(changed);
      const scores = runtime.score(other, queries);
      other.dispose();
      return scores;
    }

    test('permuting the classes permutes the scores', () => {
      const order = [2, 0, 1];
      expectClose(
        logits(order.map((c) => classes[c]!)),
        Array.from(expected, (_, i) => expected[i - (i % C) + order[i % C]!]!),
        TOLERANCE,
      );
    });

    test('permuting the support rows of a class changes nothing', () => {
      expectClose(logits(classes.map((rows) => [...rows].reverse())), expected, TOLERANCE);
    });

    test('a query scores the same alone as among others', () => {
      const alone = runtime.score(state, queries.slice(4 * D, 5 * D));
      expectClose(alone, expected.subarray(4 * C, 5 * C), TOLERANCE);
    });
  });

  test('padding of rows and classes changes nothing', () => {
    const { queries } = task(4);
    const scoresOf = (K: number, classes: number) => {
      const { support } = supportOf(SHOTS, K, classes, D, 5);
      const all = params();
      return values(head.score(all, head.induce(tree.ref(all), support), a(queries, 9, D)));
    };
    const tight = scoresOf(3, C);
    const wide = scoresOf(4, C + 1);
    expectClose(
      tight,
      tight.map((_, i) => wide[Math.floor(i / C) * (C + 1) + (i % C)]!),
      TOLERANCE,
    );
  });

  test('padding changes nothing in the loss either', () => {
    const lossAt = (K: number, classes: number, extraQueries: number) => {
      const { support, centres } = supportOf([2, 1], K, classes, D, 6);
      const Q = 2 + extraQueries;
      const targets = new Float32Array(Q * classes);
      for (let q = 0; q < 2; q++) targets[q * classes + q] = 1;
      const weights = Array.from({ length: Q }, (_, q) => (q < 2 ? 1 : 0));
      const queries = a(unitRows(Q, D, seeded(7), centres), Q, D);
      return head
        .loss(params(), { support, queries, targets: a(targets, Q, classes), weights: a(weights, Q) })
        .item();
    };
    expect(lossAt(3, 3, 2)).toBeCloseTo(lossAt(2, 2, 0), 4);
  });

  const { gradients, learning } = EXEMPT[title] ?? EXEMPT[name] ?? {};
  (gradients === undefined ? test : test.skip)(
    'gradients equal finite differences, for every parameter',
    () => {
      const size = 6; // of the embeddings; every tensor is tried
      // The numbers of `weighing` are logarithms: at the others' spread its logits are too small to have slopes.
      const spread = name === 'weighing' ? 1.5 : 0.6;
      const start = drawn(head.init(random.key(5), size), spread, 70);
      const episode = paddedEpisode(size, 8);
      const lossOf = (p: Params) => head.loss(p, tree.ref(episode));
      const gradient = jit(grad(lossOf))(tree.ref(start));

      const slopes = tree.leaves<np.Array>(gradient).map(values);
      const strideOf = (length: number) => Math.max(1, Math.floor(length / 5));
      const differences = centralDifferences(start, lossOf, 4e-3, strideOf);
      tree.dispose(episode);
      const largest = slopes.map((slope) => Math.max(...slope.map(Math.abs)));
      for (const x of largest) expect(x).toBeGreaterThan(2e-4); // the comparison says something
      for (const { tensor, i, slope: difference } of differences) {
        const off = Math.abs(slopes[tensor]![i]! - difference);
        if (!(off <= 0.02 * largest[tensor]! + 5e-5)) {
          throw new Error(
            `tensor ${tensor}, element ${i}: gradient ${slopes[tensor]![i]}, difference ${difference}`,
          );
        }
      }
    },
  );

  test('gives back every array that it is given', () => {
    const counts = (...given: (Params | Support | Episode)[]) =>
      given.flatMap((part) => tree.leaves<np.Array>(part)).map((array) => array.refCount);
    const all = params();
    const before = tree.leaves<np.Array>(all).map(() => 1);

    const episode = paddedEpisode(D, 9);
    head.loss(tree.ref(all), episode).dispose();
    expect(counts(episode)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(counts(all)).toEqual(before);

    const { support } = supportOf(SHOTS, 3, C, D, 10);
    const state = head.induce(tree.ref(all), support);
    const queries = np.ones([2, D]);
    head.score(all, state, queries).dispose();
    expect(counts(support)).toEqual([0, 0, 0]);
    expect(counts(all)).toEqual(before.map(() => 0));
    expect(counts(state, queries)).toEqual([...Object.keys(state).map(() => 0), 0]);
  });

  test('init gives the same parameters for the same key, and its class state has the class first', () => {
    const drawn = () => tree.leaves<np.Array>(head.init(random.key(11), D)).map(values);
    expect(drawn()).toEqual(drawn());
    const state = head.induce(params(), supportOf(SHOTS, 3, C, D, 12).support);
    expect(Object.values(state).map((array) => array.shape[0])).toEqual(Object.keys(state).map(() => C));
    tree.dispose(state);
  });

  (learning === undefined ? test : test.skip)(
    'a few steps of Adam lower the loss on episodes that it has not seen',
    () => {
      const slopeOf = jit((p: Params, e: Episode) => valueAndGrad((q: Params) => head.loss(q, e))(p));
      const update = jit(
        (p: Params, gradient: Params, moments: AdamState[], stepSize: np.Array): [Params, AdamState[]] => {
          const slopes = tree.leaves<np.Array>(gradient);
          const [leaves, structure] = tree.flatten<np.Array>(p);
          const next = leaves.map((x, i) => adam.update(x, slopes[i]!, moments[i]!, stepSize.ref));
          stepSize.dispose();
          const arrays = next.map(([x]) => x);
          return [tree.unflatten(structure, arrays), next.map(([, state]) => state)];
        },
      );

      const held = [0, 1, 2, 3].map((seed) => noisyEpisode(100 + seed));
      const measure = (p: Params) =>
        held.reduce((sum, e) => {
          const [value, gradient] = slopeOf(tree.ref(p), tree.ref(e));
          tree.dispose(gradient);
          return sum + value.item();
        }, 0);
      let current = head.init(random.key(13), D);
      let moments = tree.leaves<np.Array>(current).map((x) => adam.init(x.ref));
      const before = measure(current);
      const { steps, rate } = TRAINING[name as keyof typeof TRAINING] ?? TRAINING.others;
      for (let t = 1; t <= steps; t++) {
        const [value, gradient] = slopeOf(tree.ref(current), noisyEpisode(t));
        [current, moments] = update(current, gradient, moments, adamStepSize(rate, t));
        value.item(); // as a trainer does: what waits to be computed gets dearer with every step that waits too
      }
      expect(measure(current)).toBeLessThan(0.9 * before);
      tree.dispose([current, moments, held]);
    },
  );
});

/** Three classes that differ in their first three dimensions alone; the others are louder, and noise. */
function noisyEpisode(seed: number): Episode {
  const draw = seeded(seed);
  const noise = () => draw() + draw() + draw() - 1.5;
  const centres = Array.from({ length: 3 }, () => Array.from({ length: 3 }, () => 1.5 * noise()));
  const row = (c: number) => {
    const x = Array.from({ length: D }, (_, d) => (d < 3 ? centres[c]![d]! + 0.3 * noise() : 1.5 * noise()));
    return x.map((value) => value / Math.hypot(...x));
  };
  const rows = (n: number) => Array.from({ length: 3 }, (_, c) => Array.from({ length: n }, () => row(c)));
  return {
    support: { rows: a(rows(2).flat(2), 3, 2, D), mask: np.ones([3, 2]), names: np.zeros([3, D]) },
    queries: a(rows(4).flat(2), 12, D),
    targets: np.repeat(np.eye(3), 4, 0),
    weights: np.ones([12]),
  };
}
