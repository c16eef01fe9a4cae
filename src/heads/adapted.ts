import { grad, jit, numpy as np, tree } from '@jax-js/jax';
import { adam, adamStepSize, type AdamState } from './adam.js';
import type { Head, Support } from './head.js';
import { boundedCrossEntropy, classMask, innerProducts, MASKED, unit } from './ops.js';
import { cosineHead } from './prototypical.js';

export type AdaptedOptions = {
  /** Inner-loop steps. */
  readonly steps: number;
  /** Inner-loop learning rate. */
  readonly rate: number;
  /** s in the inner loop's softmax. Below the scale of the scores, so that rows that are right already still pull. */
  readonly lossScale: number;
  /** What a class is given for having few rows, times 1 / rows, in units of the cosine. */
  readonly fewRows: number;
};

/** Chosen on validation, over bots of 2 to 150 intents and 1 to 40 examples each (docs/defaults.md). */
const DEFAULTS: AdaptedOptions = { steps: 20, rate: 0.01, lossScale: 10, fewRows: 0.2 };

/**
 * A linear head that adapts to the support set, as the inner loop of Proto-MAML does (Triantafillou et al. 2020): class
 * rows w_c start at the prototypes and take a few steps of Adam down the cross-entropy of softmax_c(s cos(w_c, x)) over
 * the support set, full batch, every class weighing the same. A class's score is cos(w_c, x), and something for having
 * few rows (`cosineHead`, whose state it starts from).
 */
export function adaptedHead(options: Partial<AdaptedOptions> = {}): Head {
  const { steps, rate, lossScale, fewRows } = { ...DEFAULTS, ...options };
  const step = jit((weights: np.Array, moments: AdamState, stepSize: np.Array, examples: Examples) =>
    innerStep(weights, moments, stepSize, examples, lossScale),
  );
  return {
    ...cosineHead('adapted', fewRows),

    adapt: (_params, support, state) => {
      const examples = examplesOf(support);
      let weights = state.prototypes!;
      let moments = adam.init(weights.ref);
      for (let t = 1; t <= steps; t++) {
        [weights, moments] = step(weights, moments, adamStepSize(rate, t), tree.ref(examples));
      }
      tree.dispose([examples, moments]);
      return { ...state, prototypes: weights };
    },

    // Adaptation moves all rows away from what classes have in common, by 0.3 in cosine. A fresh prototype would win
    // texts of every adapted class for not having moved: it is given their mean move.
    align: (fresh, induced, adapted) => {
      const move = adapted.prototypes!.sub(induced.prototypes!).mean(0, { keepdims: true }); // [1, D]
      tree.dispose([adapted.bonus!, induced.bonus!]);
      return { ...fresh, prototypes: unit(fresh.prototypes!.add(move)) };
    },
  };
}

/** The support set as M = C K labelled examples. */
export type Examples = {
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

/** One step of the inner loop: down the gradient, then back to unit length. */
function innerStep(
  weights: np.Array,
  moments: AdamState,
  stepSize: np.Array,
  examples: Examples,
  scale: number,
): [np.Array, AdamState] {
  const gradient = grad((w: np.Array) => supportLoss(w, examples, scale))(weights.ref);
  const [moved, next] = adam.update(weights, gradient, moments, stepSize);
  return [unit(moved), next];
}

/** Cross-entropy of softmax_c(s cos(w_c, x)) over the support set: a scalar. */
export function supportLoss(weights: np.Array, examples: Examples, scale: number): np.Array {
  const cosines = innerProducts(examples.rows, unit(weights)); // [M, C]
  const logits = cosines.mul(scale).add(examples.padding);
  return boundedCrossEntropy(logits, examples.targets, examples.weights, scale);
}
