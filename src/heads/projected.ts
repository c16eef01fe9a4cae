import { numpy as np, tree } from '@jax-js/jax';
import type { Head, Params } from './head.js';
import { project, scaledIdentity } from './layers.js';
import { crossEntropy } from './losses.js';
import { innerProducts, maskedMean, occupied } from './ops.js';
import { COSINE_SCALE } from './prototypical.js';
import {
  type Episode,
  type HeadOptions,
  resolveOptions,
  scoreLoss,
  type TrainedHead,
} from './trainedHead.js';

export type ProjectedOptions = {
  /** Whether the layer is learned; without it the embeddings are scaled, and all that can learn is the encoder. */
  readonly map: boolean;
  /** Dimensions that the embeddings are mapped to; 0 for as many as they have. */
  readonly width: number;
  /** Whether each support row is a query too, against the prototypes without it. */
  readonly leaveOneOut: boolean;
};

export type ProjectedParams = {
  /** The last layer of f, linear, on top of the encoder: `[W, D]`. Its scale is the softmax's. */
  projection?: np.Array;
};

/** Class state: v_c, `[C, W]`. */
type ProjectedState = { prototypes: np.Array };

/** What an unlearned layer multiplies by: -|s x - s v|^2 is the cosine times `COSINE_SCALE`, but for a constant. */
const START_SCALE = Math.sqrt(COSINE_SCALE / 2);

/**
 * Prototypical networks with a learned layer (Snell et al. 2017, eq. 1 and 2): f is the encoder and a linear map, v_c the
 * mean of f over the class's support rows, P(c | x) = softmax(-|f(x) - v_c|^2), trained by its negative log-likelihood.
 *
 * It starts where `prototypical-euclidean` stands.
 */
export function projected(given: HeadOptions = {}): TrainedHead {
  const defaults = { map: true, width: 0, leaveOneOut: false };
  const options = resolveOptions<ProjectedOptions>('projected', defaults, given);
  const head: Head = {
    name: 'projected',

    init: (key, D): ProjectedParams => {
      if (options.map) return { projection: scaledIdentity(key, options.width || D, D, START_SCALE) };
      key.dispose();
      return {};
    },

    induce: (params: ProjectedParams, { rows, mask, names }): ProjectedState => {
      names.dispose();
      return { prototypes: mapped(params, maskedMean(rows, mask)) }; // the mean of f: f is linear
    },

    score: (params: ProjectedParams, { prototypes }: ProjectedState, queries) =>
      squaredDistances(mapped(params, queries), prototypes).neg(), // -|f(x) - v_c|^2
  };
  const queryLoss = scoreLoss(head, crossEntropy);
  return { ...head, options, loss: options.leaveOneOut ? leaveOneOutLoss : queryLoss };
}

/**
 * Every row of an episode in turn as the query, the support rows among them: a support row is scored against its own class's
 * prototype without it. For the mean of n rows that is x - v' = n/(n-1) (x - v), so that its squared distance is known from
 * that to the whole mean. A row that is alone in its class has no prototype to belong to, and is left out.
 */
function leaveOneOutLoss(given: Params, { support, queries, targets, weights, ...rest }: Episode): np.Array {
  tree.dispose([rest.adapted ?? {}, rest.progress ?? {}]);
  const params = given as ProjectedParams;
  const { rows, mask, names } = support;
  names.dispose();
  const [C, K, D] = rows.shape as [number, number, number];
  const classes = occupied(mask.ref); // [C]
  const count = mask.ref.sum(1); // [C]
  const prototypes = mapped(tree.ref(params), maskedMean(rows.ref, mask.ref)); // [C, W]
  const points = mapped(params, np.concatenate([rows.reshape([C * K, D]), queries])); // [C K + Q, W]
  const distances = squaredDistances(points, prototypes);

  const own = ownClass(C, K); // [C K, C]
  const others = np.maximum(count.ref.sub(1), 1);
  const stretch = np.square(count.ref.div(others)).sub(1); // [C]: (n / (n - 1))^2 - 1
  const stretched = own.ref.mul(np.expandDims(stretch, 0)).add(1);
  const Q = targets.shape[0]!;
  const logits = distances.mul(np.concatenate([stretched, np.ones([Q, C])])).neg();

  const inCompany = np.expandDims(count.greater(1).astype(np.float32), 1).mul(mask); // [C, K]
  return crossEntropy(
    logits,
    np.concatenate([own, targets]),
    np.concatenate([inCompany.reshape([C * K]), weights]),
    classes,
  );
}

/** f: `[M, D]` to `[M, W]`. */
function mapped({ projection }: ProjectedParams, x: np.Array): np.Array {
  return projection === undefined ? x.mul(START_SCALE) : project(projection, x);
}

/** |x - v|^2 of all pairs: `[M, W]` and `[C, W]` to `[M, C]`. */
function squaredDistances(points: np.Array, prototypes: np.Array): np.Array {
  const squaredLengths = np
    .square(points.ref)
    .sum(1, { keepdims: true }) // [M, 1]
    .add(np.square(prototypes.ref).sum(1)); // [C]
  return squaredLengths.sub(innerProducts(points, prototypes).mul(2));
}

/** One-hot: `[C K, C]`, the class of each support row. */
function ownClass(C: number, K: number): np.Array {
  const one = np.expandDims(np.eye(C), 1); // [C, 1, C]
  return np.broadcastTo(one, [C, K, C]).reshape([C * K, C]);
}
