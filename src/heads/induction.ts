import { nn, numpy as np, random } from '@jax-js/jax';
import type { Head } from './head.js';
import { glorot, linear, type Linear, scaledIdentity, tensorClasses, tensorQueries } from './layers.js';
import { squaredError } from './losses.js';
import { maskedSoftmax, squash } from './ops.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type InductionOptions = {
  /** Dimensions of the class vectors; 0 for as many as the embeddings have, as in the paper. */
  readonly width: number;
  /** h, slices of the relation's tensor. */
  readonly slices: number;
  /** r, routing iterations. */
  readonly iterations: number;
};

const DEFAULTS: InductionOptions = { width: 0, slices: 100, iterations: 3 };

export type InductionParams = {
  /** W_s and b_s: `[W, D]`, `[W]`. */
  transform: Linear;
  /** M^[1:h], each slice with its axes exchanged (`tensorClasses`): `[h, D, W]`. */
  tensor: np.Array;
  /** W_r and b_r: `[1, h]`, `[1]`. */
  relation: Linear;
};

/** Class state: c^T M^[1:h], `[C, h, D]`, of which a query's scores are but inner products. */
type InductionState = { tensor: np.Array };

/** The first transform's scale: long enough vectors that squash does not shorten them much. */
const START_SCALE = 2;
/** The slope of the first scores in c.q, and where they cross 0. */
const START_SLOPE = 20;
const START_MIDDLE = 0.2;
/** Glorot's noise, which tells the slices apart, times this: at full strength a few slices of it drown the cosines. */
const START_NOISE = 0.1;

/**
 * Induction network (Geng et al. 2019, eq. 4 to 10): support rows e_cj are transformed, squashed and routed into a class
 * vector c (`route`); relation by neural tensor layer, v(c, q) = ReLU(c^T M^[1:h] q), r = sigma(W_r v + b_r); squared error.
 *
 * The logits are z with r = sigma(z), as in `relation`. W_s starts as a multiple of the identity and every slice as its
 * transpose and a little of Glorot's noise, so that the first scores are about cosines to the prototypes.
 */
export function induction(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('induction', DEFAULTS, given);
  const head: Head = {
    name: 'induction',

    init: (key, D): InductionParams => {
      const { slices } = options;
      const width = options.width || D;
      const [transformKey, tensorKey] = [...random.split(key, 2)] as [np.Array, np.Array];
      const transform = scaledIdentity(transformKey, width, D);
      return {
        transform: { weight: transform.ref.mul(START_SCALE), bias: np.zeros([width]) },
        tensor: glorot(tensorKey, [slices, D, width]).mul(START_NOISE).add(np.transpose(transform)),
        relation: {
          weight: np.full([1, slices], START_SLOPE / slices),
          bias: np.full([1], -START_SLOPE * START_MIDDLE),
        },
      };
    },

    induce: ({ transform, tensor, relation }: InductionParams, { rows, mask, names }): InductionState => {
      for (const unused of [relation.weight, relation.bias, names]) unused.dispose();
      const capsules = squash(linear(transform, rows)); // [C, K, W]
      return { tensor: tensorClasses(tensor, route(capsules, mask, options.iterations)) };
    },

    score: ({ transform, tensor, relation }: InductionParams, state: InductionState, queries) => {
      for (const unused of [transform.weight, transform.bias, tensor]) unused.dispose();
      const v = nn.relu(tensorQueries(state.tensor, queries)); // [Q, C, h]
      return v.mul(relation.weight).sum(-1).add(relation.bias); // [Q, C]
    },
  };
  return { ...head, options, loss: scoreLoss(head, squaredError) };
}

/**
 * Dynamic routing (Geng et al. 2019, algorithm 1): b_c = 0, then `iterations` times d_c = softmax_j(b_c),
 * c = squash(sum_j d_cj e_cj), b_cj += e_cj.c.
 *
 * @param capsules `[C, K, W]`: transformed and squashed support rows.
 * @param mask `[C, K]`: padding has no part in the softmax.
 * @returns `[C, W]`
 */
export function route(capsules: np.Array, mask: np.Array, iterations: number): np.Array {
  let logits = np.zerosLike(mask.ref); // [C, K]
  for (let left = iterations; ; left--) {
    const last = left <= 1;
    const couplings = np.expandDims(maskedSoftmax(logits.ref, last ? mask : mask.ref, 1), 2); // [C, K, 1]
    const classes = squash(capsules.ref.mul(couplings).sum(1)); // [C, W]
    if (last) {
      logits.dispose();
      capsules.dispose();
      return classes;
    }
    logits = logits.add(capsules.ref.mul(np.expandDims(classes, 1)).sum(2));
  }
}
