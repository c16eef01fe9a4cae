import { numpy as np } from '@jax-js/jax';
import type { Support } from './head.js';
import { project, scaledIdentity } from './layers.js';
import { pairCrossEntropy } from './losses.js';
import { bestRow } from './ops.js';
import { type HeadOptions, resolveOptions, type TrainedHead } from './trainedHead.js';

export type SiameseOptions = {
  /** Dimensions that f maps the encoder's embeddings to; 0 for as many as they have. */
  readonly width: number;
};

export type SiameseParams = {
  /** f, a linear map on top of the encoder: `[W, D]`. */
  embedding: np.Array;
  /** w: `[W]`. */
  weights: np.Array;
  /** b: `[1]`. */
  bias: np.Array;
};

type SiameseState = {
  /** f of the support rows: `[C, K, W]`. */
  rows: np.Array;
  /** `[C, K]` */
  mask: np.Array;
};

/** Where w and b start: z = START (1 - |x - y|) on average, which crosses 0 at a cosine of 0.5 between unit rows. */
const START = 16;

/**
 * Siamese network (Koch et al. 2015, section 3.1): p(x_i, x_j) = sigma(w.|f(x_i) - f(x_j)| + b) says whether two texts are
 * of one class; a query's class is that of the support row with the largest p.
 *
 * A class's logit is max_k z of its rows, where p = sigma(z): the largest p has the largest z, and exp(z) = p / (1 - p), so
 * that the softmax over classes is the probability that just this pair is one, given that just one is.
 *
 * It learns over pairs (`pairCrossEntropy`), not from the maximum. f has no bias: it would cancel.
 */
export function siamese(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions<SiameseOptions>('siamese', { width: 0 }, given);
  return {
    name: 'siamese',
    options,

    init: (key, D): SiameseParams => {
      const width = options.width || D;
      // |x - y| has W components of about sqrt(2 / (pi W)) of its length.
      const weight = -START * Math.sqrt(Math.PI / 2 / width);
      return {
        embedding: scaledIdentity(key, width, D),
        weights: np.full([width], weight),
        bias: np.full([1], START),
      };
    },

    induce: (params: SiameseParams, support) => induce(params, support),

    score: (params: SiameseParams, { rows, mask }: SiameseState, queries) =>
      bestRow(pairLogits(params, rows, queries), mask),

    loss: (params: SiameseParams, { support, queries, targets, weights, progress }) => {
      progress?.dispose();
      const { rows, mask } = induce(refRows(params), support);
      return pairCrossEntropy(pairLogits(params, rows, queries), targets, weights, mask);
    },
  };
}

function refRows(params: SiameseParams): SiameseParams {
  return { embedding: params.embedding.ref, weights: params.weights.ref, bias: params.bias.ref };
}

function induce({ embedding, weights, bias }: SiameseParams, { rows, mask, names }: Support): SiameseState {
  for (const unused of [weights, bias, names]) unused.dispose();
  return { rows: project(embedding, rows), mask };
}

/** z = w.|f(x) - f(x_ck)| + b for queries `[Q, D]` and rows `[C, K, W]`: `[Q, C, K]`. */
function pairLogits(
  { embedding, weights, bias }: SiameseParams,
  rows: np.Array,
  queries: np.Array,
): np.Array {
  const embedded = np.expandDims(project(embedding, queries), [1, 2]); // [Q, 1, 1, W]
  const distances = np.absolute(embedded.sub(np.expandDims(rows, 0))); // [Q, C, K, W]
  return distances.mul(weights).sum(-1).add(bias);
}
