import { nn, numpy as np, random, tree } from '@jax-js/jax';
import type { Head } from './head.js';
import { project, scaledIdentity } from './layers.js';
import { crossEntropy } from './losses.js';
import { innerProducts, occupied, sigmoid, unit } from './ops.js';
import { collect, deal } from './sharedState.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type MetaNetworksOptions = {
  /** W, dimensions of the representation f that examples are found by; 0 for as many as the embeddings have. */
  readonly width: number;
  /** H, dimensions that the base learner g classifies by; 0 for as many as the embeddings have. */
  readonly hidden: number;
  /** Hidden units of the networks that make fast weights of gradients. */
  readonly units: number;
  /** Whether f has fast weights; the paper's MetaNet- has none. */
  readonly taskLevel: boolean;
};

const DEFAULTS: MetaNetworksOptions = { width: 128, hidden: 0, units: 8, taskLevel: true };

/** A network of one number, the same for every coordinate of a gradient: a z + sum_u w_u relu(v_u z + b_u). */
export type Generator = {
  /** a: `[1]` */
  slope: np.Array;
  /** v, b and w: `[U]` each. */
  input: np.Array;
  bias: np.Array;
  output: np.Array;
};

export type MetaNetworksParams = {
  /** theta, slow weights of f: `[W, D]`. */
  representation: np.Array;
  /** phi, slow weights of g's hidden layer: `[H, D]`. */
  base: np.Array;
  /** G_v, which makes example-level fast weights. */
  ofExample: Generator;
  /** Logarithm of tau, the attention's scale: `[1]`. */
  logSharpness: np.Array;
  /** What makes task-level fast weights; without it there are none. */
  task?: TaskParams;
};

export type TaskParams = {
  /** F_w */
  generator: Generator;
  /** s and b of the logit that two examples are of one class, s as its logarithm: `[1]` each. */
  logPairScale: np.Array;
  pairBias: np.Array;
};

type MetaNetworksState = {
  /** R, r'_i: `[C, K, W]`, unit length. */
  keys: np.Array;
  /** M, what is left of phi+_i (`exampleWeights`): `[C, K, H + 1]`. */
  values: np.Array;
  /** `[C, K]` */
  mask: np.Array;
  /** theta+, `[W, D]`, dealt out to the classes. */
  fast: np.Array;
};

/** Where pairs' logits start: they cross 0 at a cosine of 0.5 ... */
const START_PAIR_SCALE = 10;
/** ... the attention's scale, */
const START_SHARPNESS = 2;
/** and the steps down the gradients that the generators start as. */
const START_TASK_STEP = 0.01;
const START_EXAMPLE_STEP = 250;
/** The spread of the output weights that the rest of a generator starts with, against its slope. */
const START_NOISE = 0.02;

/** Guards the division where all attention has vanished. */
const NOTHING = 1e-30;

/**
 * Meta networks (Munkhdalai & Yu 2017, section 3 and algorithm 1). Gradients on the support set are made into fast weights,
 * which stand beside the slow ones: task-level ones of the representation f that examples are found by (`taskWeights`), and
 * example-level ones of the base learner g, which an attention mixes for every query:
 * r'_i = f_{theta, theta+}(x'_i); phi+_i = G_v(grad_phi L_i); for a query r = f_{theta, theta+}(x),
 * phi+ = sum_i softmax_i(tau cos(r'_i, r)) phi+_i, and P(c | x, S) = softmax(g_{phi, phi+}(x)); cross-entropy.
 *
 * On a frozen encoder f is a linear layer, and g a linear layer and a softmax layer. The paths of slow and fast weights are
 * added, as in the paper's softmax layer, since no ReLU follows (section 3.3).
 *
 * The paper's softmax layer has a row of slow weights for each of N classes. Here all classes share one (Ye & Chao 2022, "How
 * to train your MAML to excel in few-shot classification", section 5), so that scores do not depend on the order of classes
 * and any number of them is served; what makes classes different are fast weights alone. All classes are then equally likely
 * to g before, so that the gradient of the layer below is 0 and only the softmax layer has fast weights.
 *
 * The rows of a class share the weight of one, for uneven classes.
 */
export function metaNetworks(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('meta-networks', DEFAULTS, given);
  const head: Head = {
    name: 'meta-networks',
    contextual: true,

    init: (key, D): MetaNetworksParams => {
      const [f, g, ofTask, ofExample] = [...random.split(key, 4)] as [np.Array, np.Array, np.Array, np.Array];
      const { units } = options;
      const H = options.hidden || D;
      const task = initTask(ofTask, units);
      if (!options.taskLevel) tree.dispose(task);
      return {
        representation: scaledIdentity(f, options.width || D, D),
        base: scaledIdentity(g, H, D),
        ofExample: initGenerator(ofExample, units, START_EXAMPLE_STEP / Math.sqrt(H)),
        logSharpness: np.full([1], Math.log(START_SHARPNESS)),
        ...(options.taskLevel ? { task } : {}),
      };
    },

    induce: (params: MetaNetworksParams, { rows, mask, names }): MetaNetworksState => {
      const { representation, base, ofExample, logSharpness, task } = params;
      for (const unused of [names, logSharpness]) unused.dispose();
      const C = mask.shape[0]!;
      const fast =
        task === undefined
          ? np.zerosLike(representation.ref)
          : taskWeights(task, representation.ref, rows.ref, mask.ref); // [W, D]
      return {
        keys: unit(project(representation.add(fast.ref), rows.ref)),
        values: exampleWeights(ofExample, withOne(project(base, rows)), mask.ref),
        mask,
        fast: deal(fast, C),
      };
    },

    score: (params: MetaNetworksParams, { keys, values, mask, fast }: MetaNetworksState, queries) => {
      const { representation, base, logSharpness, ...unused } = params;
      tree.dispose(unused);
      const [C, K, W] = keys.shape as [number, number, number];
      const Q = queries.shape[0]!;
      const theta = representation.ref.add(collect(fast, representation.shape)); // [W, D]
      representation.dispose();
      const found = unit(project(theta, queries.ref)); // [Q, W]
      const cosines = innerProducts(found, keys.reshape([C * K, W])); // [Q, C K]
      const shares = mask.ref.div(np.maximum(mask.sum(1, { keepdims: true }), 1)); // [C, K]
      // Shifted by tau, which no logit exceeds.
      const weights = np.exp(cosines.sub(1).mul(np.exp(logSharpness))).mul(shares.reshape([1, C * K]));
      const attention = weights.ref.div(np.maximum(weights.sum(-1, { keepdims: true }), NOTHING)); // [Q, C K]
      const outputs = innerProducts(
        withOne(project(base, queries)),
        values.reshape([C * K, values.shape[2]!]),
      );
      return attention.mul(outputs).reshape([Q, C, K]).sum(-1);
    },
  };
  return { ...head, options, loss: scoreLoss(head, crossEntropy) };
}

function initTask(key: np.Array, units: number): TaskParams {
  return {
    generator: initGenerator(key, units, START_TASK_STEP),
    logPairScale: np.full([1], Math.log(START_PAIR_SCALE)),
    pairBias: np.full([1], -START_PAIR_SCALE / 2),
  };
}

function initGenerator(key: np.Array, units: number, step: number): Generator {
  const [input, output] = [...random.split(key, 2)] as [np.Array, np.Array];
  return {
    slope: np.full([1], -step),
    input: random.normal(input, [units]),
    bias: np.zeros([units]),
    output: random.normal(output, [units]).mul(START_NOISE * step),
  };
}

/** Of every coordinate of a gradient, by itself, a fast weight: shape and shape. */
export function generate({ slope, input, bias, output }: Generator, gradient: np.Array): np.Array {
  const hidden = nn.relu(np.expandDims(gradient.ref, -1).mul(input).add(bias)); // [..., U]
  return gradient.mul(slope).add(hidden.mul(output).sum(-1));
}

/** theta+ = F_w(grad_theta L) of a support set, L the representation loss (`verificationGradient`): `[W, D]`. */
function taskWeights(
  { generator, logPairScale, pairBias }: TaskParams,
  theta: np.Array,
  rows: np.Array,
  mask: np.Array,
): np.Array {
  return generate(generator, verificationGradient(theta, rows, mask, np.exp(logPairScale), pairBias));
}

/**
 * The gradient of the representation loss in theta, f(x) = theta x: verification, sigma(s f(x_i).f(x_j) + b) that two examples
 * are of one class, binary cross-entropy over all pairs, the pairs of one class weighing as much as the others.
 * In the coordinates' order of magnitude: times sqrt(W D) / s.
 *
 * The paper draws T examples and reads their gradients with an LSTM. Scores shall not depend on an order: here it is the mean
 * over all pairs, which the paper names as the alternative.
 *
 * By formula, with F = X theta^T and E_ij = w_ij (sigma(z_ij) - t_ij), symmetric: dL/dF = 2 s E F, dL/dtheta = (dL/dF)^T X.
 *
 * @param theta `[W, D]`
 * @param rows `[C, K, D]`
 * @param mask `[C, K]`
 * @param scale s: `[1]`
 * @param bias b: `[1]`
 * @returns `[W, D]`
 */
export function verificationGradient(
  theta: np.Array,
  rows: np.Array,
  mask: np.Array,
  scale: np.Array,
  bias: np.Array,
): np.Array {
  const [C, K, D] = rows.shape as [number, number, number];
  const M = C * K;
  const x = rows.reshape([M, D]);
  const f = project(theta, x.ref); // [M, W]
  const W = f.shape[1]!;
  const present = mask.reshape([M]);
  const pairs = np.expandDims(present.ref, 0).mul(np.expandDims(present, 1)); // [M, M]
  const blocks = np.repeat(np.repeat(np.eye(C), K, 0), K, 1); // [M, M]: 1 where the class is the same
  const same = pairs.ref.mul(blocks.ref.sub(np.eye(M))); // no row is paired with itself
  const different = pairs.mul(np.ones([1, 1]).sub(blocks));
  const z = innerProducts(f.ref, f.ref).mul(scale).add(bias); // [M, M]
  const p = sigmoid(z);
  const errors = share(different)
    .mul(p.ref)
    .sub(share(same).mul(np.ones([1, 1]).sub(p))); // E
  const slopes = np.matmul(errors, f).mul(2 * Math.sqrt(W * D)); // [M, W]
  return np.matmul(np.transpose(slopes), x);
}

/** Weights that sum to a half, or are all 0. */
function share(weights: np.Array): np.Array {
  return weights.ref.div(np.maximum(weights.sum(), 1)).mul(0.5);
}

/**
 * What there is of example-level fast weights phi+_i = G_v(grad_phi L_i), L_i the cross-entropy of g at support example i.
 *
 * The gradient in the row of class c is (p_c - y_ic) h_i, and p_c = 1 / C, the classes' rows being alike: two rows are all
 * that differ, that of the example's own class and that of any other. The second is added to the scores of all classes
 * alike when it is taken from the first too; what remains is their difference, which counts for the example's class alone:
 * G_v((1 / C - 1) h_i) - G_v(h_i / C). So the memory takes one row an example, where C would be expected.
 *
 * @param hidden h_i, a 1 for the bias behind: `[C, K, H + 1]`.
 * @param mask `[C, K]`
 * @returns `[C, K, H + 1]`
 */
export function exampleWeights(generator: Generator, hidden: np.Array, mask: np.Array): np.Array {
  const chance = np.reciprocal(np.maximum(occupied(mask).sum(), 1)); // 1 / C
  const magnitude = Math.sqrt(hidden.shape.at(-1)!);
  const slopes = hidden.mul(magnitude); // [C, K, H + 1]
  const own = generate(tree.ref(generator), slopes.ref.mul(chance.ref.sub(1)));
  return own.sub(generate(generator, slopes.mul(chance)));
}

/** A 1 behind every row: `[..., H]` to `[..., H + 1]`. */
function withOne(x: np.Array): np.Array {
  const ones = np.ones([...x.shape.slice(0, -1), 1]);
  return np.concatenate([x, ones], -1);
}
