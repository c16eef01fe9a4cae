import { numpy as np, tree } from '@jax-js/jax';
import type { ClassState } from './head.js';
import type { Slope } from './innerLoop.js';
import { project } from './layers.js';
import { innerProducts, rowMaximum } from './ops.js';
import type { SupportExamples } from './supportExamples.js';

/** The learner of MAML and its family: a linear layer f(x) = P x on the frozen embedding, and a linear classifier on it. */
export type LinearLearner = {
  /** P: `[W, D]`. Absent where it stays as it is, and rows have been through it already. */
  body?: np.Array;
  /** w_c: `[C, W]`. */
  rows: np.Array;
  /** b_c: `[C]`. */
  bias: np.Array;
};

/** The classifier without its body, as it is once the body is folded into it. Axis 0 is the class. */
export type LinearClassifier = {
  /** `[C, D]` */
  weights: np.Array;
  /** `[C]` */
  bias: np.Array;
};

/** P x . w_c + b_c for every x: `[Q, D]` to `[Q, C]`. */
export function linearLogits({ body, rows, bias }: LinearLearner, x: np.Array): np.Array {
  return innerProducts(featuresOf(body, x), rows).add(bias);
}

function featuresOf(body: np.Array | undefined, x: np.Array): np.Array {
  return body === undefined ? x : project(body, x);
}

/** The learner as one layer: P x . w_c = x . (P^T w_c). */
export function folded({ body, rows, bias }: Required<LinearLearner>): LinearClassifier {
  return { weights: np.matmul(rows, body), bias }; // [C, W] [W, D]
}

export function classifierLogits({ weights, bias }: LinearClassifier, queries: np.Array): np.Array {
  return innerProducts(queries, weights).add(bias);
}

/** `Head.align`: classes that have not adapted yet are moved as others were on average. */
export function alignClassifiers(
  fresh: ClassState,
  induced: ClassState,
  adapted: ClassState,
): LinearClassifier {
  const moved = (part: keyof LinearClassifier) =>
    fresh[part]!.add(adapted[part]!.sub(induced[part]!).mean(0));
  return { weights: moved('weights'), bias: moved('bias') };
}

/**
 * Cross-entropy of softmax_c(s (w_c . P x + b_c)) over a support set, every class weighing the same, and its slope.
 *
 * The gradient of a mean over N classes is 1/N for the row of one of them. It is given N-fold for rows and biases, so that a
 * rate which was learned on episodes of a few classes moves the rows of a bot of hundreds just as far.
 *
 * The gradient is written out, not taken by `grad`: what an outer loop differentiates is then products of matrices, where
 * jax-js makes an outer product of three axes of the gradient's gradient (18 times as long at 128 rows of 384).
 *
 * @param examples not consumed.
 * @param sharpness s: `[1]`; not consumed.
 */
export function linearSlope(examples: SupportExamples, sharpness: np.Array) {
  return ({ body, rows, bias }: LinearLearner): Slope<LinearLearner> => {
    const { rows: x, targets, padding, weights } = tree.ref(examples);
    const features = featuresOf(body, x.ref); // [M, W]
    const logits = innerProducts(features.ref, rows.ref).add(bias).mul(sharpness.ref).add(padding.ref); // [M, C]
    const shifted = logits.ref.sub(rowMaximum(logits, -1)); // at most 0
    const likelihoods = np.exp(shifted.ref);
    const normaliser = likelihoods.ref.sum(-1, { keepdims: true }); // [M, 1]
    const wrong = likelihoods.div(normaliser.ref).sub(targets.ref); // [M, C]: p - y
    const losses = np.log(normaliser).sub(shifted.mul(targets).sum(-1, { keepdims: true })); // [M, 1]
    const ofExamples = np.expandDims(weights, 1);
    const loss = losses.mul(ofExamples.ref).sum();

    const ofLogits = wrong.mul(ofExamples).mul(sharpness.ref); // [M, C]: dL / d (w_c . P x + b_c)
    const classes = padding.equal(0).astype(np.float32).sum();
    const last = {
      rows: np.matmul(np.transpose(ofLogits.ref), features).mul(classes.ref), // [C, W]
      bias: ofLogits.ref.sum(0).mul(classes), // [C]
    };
    if (body === undefined) {
      tree.dispose([ofLogits, rows, x]);
      return { loss, gradient: last };
    }
    const ofFeatures = np.matmul(ofLogits, rows); // [M, W]
    return { loss, gradient: { body: np.matmul(np.transpose(ofFeatures), x), ...last } };
  };
}
