import { grad, nn, numpy as np, random, tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  exampleWeights,
  generate,
  type Generator,
  metaNetworks,
  type MetaNetworksParams,
  verificationGradient,
} from '../../src/heads/metaNetworks.js';
import { initHeads } from '../../src/heads/runtime.js';
import { a, drawn, expectClose, values, wave } from './arrays.js';

// Fast weights: by hand, and against gradients that jax-js has worked out.

beforeAll(initHeads);

const generator = (slope: number, ...units: [input: number, bias: number, output: number][]): Generator => ({
  slope: a([slope], 1),
  input: a(
    units.map(([v]) => v),
    units.length,
  ),
  bias: a(
    units.map(([, b]) => b),
    units.length,
  ),
  output: a(
    units.map(([, , w]) => w),
    units.length,
  ),
});

describe('worked by hand', () => {
  test('a generator is the same for every coordinate', () => {
    // -2 z + 3 relu(z - 1) - relu(-z)
    const weights = generate(generator(-2, [1, -1, 3], [-1, 0, -1]), a([2, -1, 0, 0.5], 2, 2));
    expectClose(values(weights), [-4 + 3, 2 - 1, 0, -1], 1e-6);
  });

  test('example-level weights: G of the gradient in the own class less G of that in another', () => {
    // h = (1, -2), G = relu, times sqrt 2. Of two classes: relu(-h / 2) - relu(h / 2) = (-0.5, 1).
    const hidden = () => a([1, -2, 1, -2], 2, 1, 2);
    const two = exampleWeights(generator(0, [1, 0, 1]), hidden(), np.ones([2, 1]));
    const root = Math.SQRT2;
    expectClose(values(two), [-0.5 * root, root, -0.5 * root, root], 1e-5);
    // Of four: relu(-3/4 h) - relu(h / 4) = (-0.25, 1.5).
    const four = exampleWeights(generator(0, [1, 0, 1]), np.repeat(hidden(), 2, 0), np.ones([4, 1]));
    expectClose(values(four).slice(0, 2), [-0.25 * root, 1.5 * root], 1e-5);
  });

  test('scores: the attention on the rows of a class, and what their fast weights say of the query', () => {
    // f = g = identity; G(z) = -z makes phi+ = sqrt(3) (h, 1); e^tau = 4. Query (1, 0); rows (1, 0) and (0, 1): attention 4 : 1.
    const params: MetaNetworksParams = {
      representation: np.eye(2),
      base: np.eye(2),
      ofExample: generator(-1, [0, 0, 0]),
      logSharpness: a([Math.log(Math.log(4))], 1),
    };
    const head = metaNetworks({ taskLevel: false });
    const support = { rows: np.eye(2).reshape([2, 1, 2]), mask: np.ones([2, 1]), names: np.zeros([2, 2]) };
    const logits = head.score(tree.ref(params), head.induce(params, support), a([1, 0], 1, 2));
    expectClose(values(logits), [0.8 * Math.sqrt(3) * 2, 0.2 * Math.sqrt(3)], 1e-5);
  });
});

describe('against automatic differentiation', () => {
  test('the gradient of the verification loss', () => {
    const [C, K, D, W] = [3, 2, 4, 3];
    const rows = wave(1, C, K, D);
    const mask = a([1, 1, 1, 0, 1, 1], C, K);
    const [s, b] = [1.5, -0.4];
    const labels = [0, 0, 1, -1, 2, 2];
    const weightsOf = (wanted: (i: number, j: number) => boolean) => {
      const all = labels.flatMap((x, i) =>
        labels.map((y, j) => Number(x >= 0 && y >= 0 && i !== j && wanted(x, y))),
      );
      const sum = all.reduce((total, one) => total + one, 0);
      return a(
        all.map((one) => one / (2 * sum)),
        6,
        6,
      );
    };
    const loss = (theta: np.Array) => {
      const f = np.matmul(rows.ref.reshape([6, D]), np.transpose(theta));
      const z = np.matmul(f.ref, np.transpose(f)).mul(s).add(b);
      const same = weightsOf((x, y) => x === y).mul(nn.logSigmoid(z.ref));
      const different = weightsOf((x, y) => x !== y).mul(nn.logSigmoid(z.neg()));
      return same.add(different).sum().neg();
    };
    const expected = grad(loss)(wave(2, W, D)).mul(Math.sqrt(W * D) / s);
    const actual = verificationGradient(wave(2, W, D), rows.ref, mask, a([s], 1), a([b], 1));
    expectClose(values(actual), values(expected), 1e-4);
  });

  test('one row an example is all that phi+ says', () => {
    const [C, K, D] = [3, 1, 4];
    const head = metaNetworks({ width: 3, hidden: 5, units: 2, taskLevel: false });
    const params = drawn(head.init(random.key(1), D), 0.7, 3) as MetaNetworksParams;
    const support = { rows: wave(3, C, K, D), mask: np.ones([C, K]), names: np.zeros([C, D]) };
    const actual = values(
      head.score(tree.ref(params), head.induce(tree.ref(params), support), wave(4, 1, D)),
    );

    // The memory as it stands in the paper: C rows of phi+ for every example.
    const withOne = (x: np.Array) => np.concatenate([x, np.ones([x.shape[0]!, 1])], 1);
    const hidden = withOne(np.matmul(wave(3, C, D), np.transpose(params.base.ref))); // [C, H + 1]
    const query = withOne(np.matmul(wave(4, 1, D), np.transpose(params.base.ref))); // [1, H + 1]
    const unit = (x: np.Array) => x.ref.div(np.sqrt(np.square(x).sum(-1, { keepdims: true })));
    const keys = unit(np.matmul(wave(3, C, D), np.transpose(params.representation.ref)));
    const found = unit(np.matmul(wave(4, 1, D), np.transpose(params.representation.ref)));
    const cosines = np.matmul(found, np.transpose(keys)).mul(np.exp(params.logSharpness.ref));
    const attention = values(nn.softmax(cosines, -1));
    let logits = np.zeros([1, C]);
    for (let i = 0; i < C; i++) {
      const row = hidden.ref.slice([i, i + 1]); // [1, H + 1]
      const loss = (weights: np.Array) =>
        nn
          .logSoftmax(np.matmul(row.ref, np.transpose(weights)), -1)
          .mul(np.eye(C).slice([i, i + 1]))
          .sum()
          .neg();
      const slopes = grad(loss)(np.repeat(wave(5, 1, 6), C, 0)); // [C, H + 1]: all rows of the slow weights alike
      const fast = generate(tree.ref(params.ofExample), slopes.mul(Math.sqrt(6)));
      logits = logits.add(np.matmul(query.ref, np.transpose(fast)).mul(attention[i]!));
    }
    const expected = values(logits);
    // Up to what all classes have in common.
    expectClose(
      actual.map((x) => x - actual[0]!),
      expected.map((x) => x - expected[0]!),
      1e-3,
    );
    expect(Math.max(...actual) - Math.min(...actual)).toBeGreaterThan(0.05);
    tree.dispose(params);
  });
});
