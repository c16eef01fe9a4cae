import { numpy as np, tree } from '@jax-js/jax';
import type { Head, Support } from './head.js';
import {
  COSINE_DESCENT,
  cosineDescent,
  type CosineLearner,
  mapped,
  meanLength,
  seenUnmapped,
  withMeanMove,
} from './cosineLearner.js';
import { crossEntropy } from './losses.js';
import { fewRowsBonus, innerProducts, maskedMean, maskedSoftmax, rowProducts, unit } from './ops.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type WeighingOptions = {
  /** Steps of the inner loop. */
  readonly steps: number;
  /** Whether the inner loop moves a linear layer on top of the encoder, too. */
  readonly map: boolean;
};

const DEFAULTS: WeighingOptions = { steps: COSINE_DESCENT.steps, map: true };

export type WeighingParams = {
  /** What each similarity weighs, before the softmax over the four, in a class of one row: `[4]`. */
  share: np.Array;
  /** And what each ln(rows) adds: `[4]`. */
  shareByRows: np.Array;
  /** tau of the nearest rows, its logarithm: `[1]`. */
  logSharpness: np.Array;
  /** What a class is given for having few rows, times 1 / rows, in units of the cosine: `[1]`. */
  fewRows: np.Array;
  /** What the similarity is multiplied by to make a logit, its logarithm: `[1]`. */
  logScale: np.Array;
};

/**
 * Class state. All rows stand behind the inner loop's map: a query is never mapped, since q.(x + A x) = (q + A^T q).x, and
 * the length that the map gives to a query, which all classes share, is taken to be that of a support row.
 */
type WeighingState = {
  /** w_c: `[C, D]`; the prototypes until it has adapted. */
  weights: np.Array;
  /** v_c: `[C, D]`. */
  prototypes: np.Array;
  /** `[C, K, D]` */
  rows: np.Array;
  /** `[C, K]` */
  mask: np.Array;
  /** `[C, D]`, zero where there is none. */
  names: np.Array;
};

/** The first weights: adapted rows most, nearest rows half as much, hardly anything to prototype and name. */
const START_SHARE = [0, -0.7, -3, -3];
const START_SHARPNESS = 25;
const START_FEW_ROWS = 0.13;
const START_SCALE = 20;

/** Keeps the logarithm of nothing finite. */
const TINY = 1e-30;

/**
 * Learns, over episodes of uneven shots, how to weigh what a support set says about a query x: the cosine to the class row
 * w_c that the inner loop has adapted, to the nearest of the class's rows, to its prototype and to its name,
 *
 *   s_c = scale (sum_f pi_f(r) sim_f(c, x) + b / r),   pi(r) = softmax(a + a' ln r),   r the rows of c.
 *
 * The nearest rows count as in matching networks (Vinyals et al. 2016, eq. 1), (1/tau) ln mean_k exp(tau cos(x, x_ck)).
 * pi sums to 1, so that classes of few rows and of many are scored on one scale.
 *
 * The inner loop adapts class rows and, unlike `adapted`, a linear layer on top of the encoder that all classes share. What
 * is learned offline are 11 numbers; their gradient does not go through the inner loop.
 */
export function weighing(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('weighing', DEFAULTS, given);
  const learn = cosineDescent({ ...COSINE_DESCENT, steps: options.steps });

  const head: Head = {
    name: 'weighing',

    init: (key): WeighingParams => {
      key.dispose();
      return {
        share: np.array(START_SHARE),
        shareByRows: np.zeros([START_SHARE.length]),
        logSharpness: np.full([1], Math.log(START_SHARPNESS)),
        fewRows: np.full([1], START_FEW_ROWS),
        logScale: np.full([1], Math.log(START_SCALE)),
      };
    },

    induce: (params, support): WeighingState => {
      tree.dispose(params);
      const { rows, mask, names } = support;
      const prototypes = unit(maskedMean(rows.ref, mask.ref));
      return { weights: prototypes.ref, prototypes, rows, mask, names };
    },

    adapt: (params, support, state) => {
      const { weights, ...rest } = state as WeighingState;
      tree.dispose([params, rest]);
      const D = weights.shape[1]!;
      const start: CosineLearner = options.map ? { weights, map: np.zeros([D, D]) } : { weights };
      return behindMap(learn(tree.ref(support), start), support);
    },

    align: (fresh, induced, adapted) =>
      aligned(fresh as WeighingState, induced as WeighingState, adapted as WeighingState),

    score: (params, state, queries) => score(params as WeighingParams, state as WeighingState, queries),
  };

  return {
    ...head,
    options,
    adaptsAlike: true,
    // The map takes D x D numbers through every step; class rows alone take a few milliseconds.
    ...(options.map && { local: weighing({ ...options, map: false }) }),
    loss: scoreLoss(head, crossEntropy),
  };
}

/** s_c for every query: `[Q, C]`. */
function score(params: WeighingParams, state: WeighingState, queries: np.Array): np.Array {
  const { share, shareByRows, logSharpness, fewRows, logScale } = params;
  const { weights, prototypes, rows, mask, names } = state;
  const counts = np.maximum(mask.ref.sum(1), 1); // [C]
  const logits = np.expandDims(np.log(counts), 1).mul(shareByRows).add(share); // [C, 4]
  const shares = maskedSoftmax(logits, present(names.ref), 1);
  const [ofWeights, ofNearest, ofPrototypes, ofNames] = np.split(shares, 4, 1) as [
    np.Array,
    np.Array,
    np.Array,
    np.Array,
  ]; // [C, 1] each

  // Three of the four are inner products with x, so that their mixture is one.
  const mixture = weights.mul(ofWeights).add(prototypes.mul(ofPrototypes)).add(names.mul(ofNames)); // [C, D]
  const near = nearest(rowProducts(queries.ref, rows), mask.ref, np.exp(logSharpness)); // [Q, C]
  return innerProducts(queries, mixture)
    .add(near.mul(np.transpose(ofNearest)))
    .add(np.expandDims(fewRowsBonus(mask, fewRows), 0))
    .mul(np.exp(logScale));
}

/** Which of the four similarities a class has: `[C, 4]`; without a name not the last. */
function present(names: np.Array): np.Array {
  const named = np.square(names).sum(1, { keepdims: true }).greater(0).astype(np.float32); // [C, 1]
  return np.concatenate([np.ones([named.shape[0]!, 3]), named], 1);
}

/**
 * (1/tau) ln mean_k exp(tau z_ck): `[Q, C, K]` to `[Q, C]`, between the mean and the largest of a class's values, which
 * are cosines.
 */
function nearest(cosines: np.Array, mask: np.Array, tau: np.Array): np.Array {
  const counts = np.maximum(mask.ref.sum(1), 1); // [C]
  const weights = np.exp(cosines.sub(1).mul(tau.ref)).mul(np.expandDims(mask, 0)); // [Q, C, K]
  const mean = weights.sum(-1).div(np.expandDims(counts, 0)); // [Q, C]
  return np.log(mean.add(TINY)).div(tau).add(1);
}

/** The state that the inner loop's outcome makes of a support set; both are consumed. */
function behindMap({ weights, map }: CosineLearner, { rows, mask, names }: Support): WeighingState {
  if (map === undefined)
    return { weights, prototypes: unit(maskedMean(rows.ref, mask.ref)), rows, mask, names };
  const moved = mapped(map.ref, rows); // [C, K, D]: x + A x
  const length = meanLength(moved, mask);
  const seen = (z: np.Array) => seenUnmapped(map, length, z);
  const ends = unit(moved);
  const state = {
    weights: seen(weights),
    prototypes: seen(unit(maskedMean(ends.ref, mask.ref))),
    rows: seen(ends),
    mask,
    names: seen(unit(mapped(map.ref, names))),
  };
  tree.dispose([map, length]);
  return state;
}

/** As in `adapted`: what has not been through the inner loop is given the mean move of what has. */
function aligned(fresh: WeighingState, induced: WeighingState, adapted: WeighingState): WeighingState {
  const shots = np.expandDims(induced.mask.ref, 2); // [C, K, 1]
  const count = induced.mask.ref.sum();
  const rowMove = adapted.rows.sub(induced.rows).mul(shots).sum([0, 1]).div(count); // [D]
  tree.dispose([induced.mask, adapted.mask, induced.names, adapted.names]);
  const present = np.expandDims(fresh.mask.ref, 2);
  return {
    weights: withMeanMove(fresh.weights, induced.weights, adapted.weights),
    prototypes: withMeanMove(fresh.prototypes, induced.prototypes, adapted.prototypes),
    rows: unit(fresh.rows.add(rowMove)).mul(present),
    mask: fresh.mask,
    names: fresh.names,
  };
}
