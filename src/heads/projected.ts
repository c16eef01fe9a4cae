import { numpy as np } from '@jax-js/jax';
import type { Head } from './head.js';
import { project, scaledIdentity } from './layers.js';
import { crossEntropy } from './losses.js';
import { innerProducts, maskedMean } from './ops.js';
import { COSINE_SCALE } from './prototypical.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type ProjectedOptions = {
  /** Dimensions that the embeddings are mapped to; 0 for as many as they have. */
  readonly width: number;
};

export type ProjectedParams = {
  /** The last layer of f, linear, on top of the encoder: `[W, D]`. Its scale is the softmax's. */
  projection: np.Array;
};

/** Class state: v_c, `[C, W]`. */
type ProjectedState = { prototypes: np.Array };

/**
 * Prototypical networks with a learned layer (Snell et al. 2017, eq. 1 and 2): f is the encoder and a linear map, v_c the
 * mean of f over the class's support rows, P(c | x) = softmax(-|f(x) - v_c|^2), trained by its negative log-likelihood.
 *
 * It starts where `prototypical-euclidean` stands.
 */
export function projected(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions<ProjectedOptions>('projected', { width: 0 }, given);
  const head: Head = {
    name: 'projected',

    init: (key, D): ProjectedParams => ({
      projection: scaledIdentity(key, options.width || D, D, Math.sqrt(COSINE_SCALE / 2)),
    }),

    induce: ({ projection }: ProjectedParams, { rows, mask, names }): ProjectedState => {
      names.dispose();
      return { prototypes: project(projection, maskedMean(rows, mask)) }; // the mean of f: f is linear
    },

    score: ({ projection }: ProjectedParams, { prototypes }: ProjectedState, queries) => {
      const embedded = project(projection, queries); // [Q, W]
      const squaredLengths = np
        .square(embedded.ref)
        .sum(1, { keepdims: true }) // [Q, 1]
        .add(np.square(prototypes.ref).sum(1)); // [Q, C]
      return innerProducts(embedded, prototypes).mul(2).sub(squaredLengths); // -|f(x) - v_c|^2
    },
  };
  return { ...head, options, loss: scoreLoss(head, crossEntropy) };
}
