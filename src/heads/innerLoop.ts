import { grad, jit, numpy as np, tree } from '@jax-js/jax';
import { adam, type AdamState, adamStepSize } from './adam.js';
import type { Support } from './head.js';
import { project } from './layers.js';
import { boundedCrossEntropy, classMask, innerProducts, inverseLength, MASKED, unit } from './ops.js';

/** What a head that adapts moves by gradient steps on a bot's support set. */
export type Learner = {
  /** Class rows w_c: `[C, D]`, unit length. */
  weights: np.Array;
  /** A of f(x) = (x + A x) / |x + A x|, a linear layer on top of the encoder: `[D, D]`. Without it f(x) = x. */
  map?: np.Array;
};

export type InnerLoop = {
  readonly steps: number;
  /** Learning rate of the class rows. */
  readonly rate: number;
  /** Learning rate of the map. */
  readonly mapRate: number;
  /** s in the loss's softmax. Below the scale of the scores, so that rows that are right already still pull. */
  readonly lossScale: number;
};

/**
 * The inner loop of Proto-MAML (Triantafillou et al. 2020), with Adam in place of plain gradient descent: a few full-batch
 * steps down the cross-entropy of softmax_c(s cos(w_c, f(x))) over the support set, every class weighing the same; class
 * rows keep unit length.
 *
 * @returns a function of a support set and of where to start, that gives where the steps lead to; both are consumed.
 */
export function innerLoop({ steps, rate, mapRate, lossScale }: InnerLoop) {
  const moveWeights = jit((weights: np.Array, moments: AdamState, size: np.Array, examples: Examples) => {
    const loss = (w: np.Array) => supportLoss({ weights: w, embedded: examples.rows }, examples, lossScale);
    return movedRows(weights, grad(loss)(weights.ref), moments, size);
  });

  // With a map the gradient is taken in two parts, d loss / d f(x) and then, by the chain rule, d loss / d A: one compiled
  // function of both would work out every f(x) anew for every entry of A, and take seventy times as long.
  const embed = jit(mapped);
  const slopes = jit((outer: Outer, examples: Examples) =>
    grad((o: Outer) => supportLoss(o, examples, lossScale))(outer),
  );
  const ofMap = jit((slope: np.Array, rows: np.Array) => np.matmul(np.transpose(slope), rows)); // [D, D]
  const moveBoth = jit(
    (learner: Required<Learner>, slope: Required<Learner>, moments: Moments, sizes: Sizes) => {
      const [weights, ofWeights] = movedRows(learner.weights, slope.weights, moments.weights, sizes.weights);
      const [map, ofTheMap] = adam.update(learner.map, slope.map, moments.map!, sizes.map!);
      return [
        { weights, map },
        { weights: ofWeights, map: ofTheMap },
      ] as [Required<Learner>, Moments];
    },
  );

  const step = (learner: Learner, moments: Moments, sizes: Sizes, examples: Examples): [Learner, Moments] => {
    const { weights, map } = learner;
    if (map === undefined) {
      const [next, ofWeights] = moveWeights(weights, moments.weights, sizes.weights, examples);
      return [{ weights: next }, { weights: ofWeights }];
    }
    const embedded = embed(map.ref, examples.rows.ref); // [M, D]
    const slope = slopes({ weights: weights.ref, embedded }, tree.ref(examples));
    const { rows, ...rest } = examples;
    tree.dispose(rest);
    const both = { weights: slope.weights, map: ofMap(slope.embedded, rows) };
    return moveBoth({ weights, map }, both, moments, sizes);
  };

  return (support: Support, start: Learner): Learner => {
    const examples = examplesOf(support);
    let learner = start;
    let moments: Moments = {
      weights: adam.init(start.weights.ref),
      ...(start.map && { map: adam.init(start.map.ref) }),
    };
    for (let t = 1; t <= steps; t++) {
      const sizes = {
        weights: adamStepSize(rate, t),
        ...(start.map && { map: adamStepSize(mapRate, t) }),
      };
      [learner, moments] = step(learner, moments, sizes, tree.ref(examples));
    }
    tree.dispose([examples, moments]);
    return learner;
  };
}

type Moments = { weights: AdamState; map?: AdamState };
type Sizes = { weights: np.Array; map?: np.Array };

/** What the loss is a function of, the map apart. */
type Outer = {
  /** `[C, D]` */
  weights: np.Array;
  /** x + A x of the support rows: `[M, D]`, of any length. */
  embedded: np.Array;
};

/** Class rows a step on, back at unit length. */
function movedRows(
  weights: np.Array,
  slope: np.Array,
  moments: AdamState,
  size: np.Array,
): [np.Array, AdamState] {
  const [next, state] = adam.update(weights, slope, moments, size);
  return [unit(next), state];
}

/** The support set as M = C K labelled examples. */
type Examples = {
  /** `[M, D]` */
  rows: np.Array;
  /** `[M, C]`, one-hot. */
  targets: np.Array;
  /** `[M]`: what each example weighs in the loss; the same in sum for every class, 1 over all. */
  weights: np.Array;
  /** `[C]`: 0, or MASKED for a class that is padding. */
  padding: np.Array;
};

function examplesOf(support: Support): Examples {
  const [C, K, D] = support.rows.shape as [number, number, number];
  const shots = support.mask.ref.sum(1, { keepdims: true }); // [C, 1]
  const classes = shots.ref.greater(0).astype(np.float32).sum();
  return {
    rows: support.rows.ref.reshape([C * K, D]),
    targets: np.repeat(np.eye(C), K, 0),
    weights: support.mask.ref
      .div(np.maximum(shots, 1))
      .div(np.maximum(classes, 1))
      .reshape([C * K]),
    padding: classMask(support).sub(1).mul(-MASKED),
  };
}

/** Cross-entropy of softmax_c(s cos(w_c, f(x))) over the support set: a scalar. Arguments are consumed. */
export function supportLoss({ weights, embedded }: Outer, examples: Omit<Examples, 'rows'>, scale: number) {
  const { targets, padding, weights: ofExamples } = examples;
  const shrink = inverseLength(embedded.ref); // [M, 1]
  const cosines = innerProducts(embedded, unit(weights)).mul(shrink); // [M, C]
  return boundedCrossEntropy(cosines.mul(scale).add(padding), targets, ofExamples, scale);
}

/** x + A x: `[..., D]` to `[..., D]`. */
export function mapped(map: np.Array, x: np.Array): np.Array {
  return project(map, x.ref).add(x);
}

/**
 * Class vectors that have not been through the loop, given the mean move of others that have: at unit length, `[C, D]`.
 *
 * @param induced others as they started, and
 * @param adapted as they have ended.
 */
export function withMeanMove(fresh: np.Array, induced: np.Array, adapted: np.Array): np.Array {
  return unit(fresh.add(adapted.sub(induced).mean(0)));
}
