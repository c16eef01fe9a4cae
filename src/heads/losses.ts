import { numpy as np } from '@jax-js/jax';
import { MASKED, rowMaximum, sigmoid, softplus } from './ops.js';

// The losses of the papers, each the mean over what is not padding. Every argument is consumed.

/** Where there is nothing to take a mean over, the mean is 0. */
const NOTHING = 1e-12;

/**
 * Cross-entropy of softmax_c(logits): the weighted mean of -log P(target). A query that belongs to no class has no part in
 * it.
 *
 * @param logits `[Q, C]`
 * @param targets `[Q, C]`, one-hot; a row of zeros for a query without a class.
 * @param weights `[Q]`
 * @param classes `[C]`: 1, or 0 for a class that is padding.
 */
export function crossEntropy(
  logits: np.Array,
  targets: np.Array,
  weights: np.Array,
  classes: np.Array,
): np.Array {
  const padded = logits.add(classes.sub(1).mul(-MASKED)); // [Q, C]
  const shifted = padded.ref.sub(rowMaximum(padded, -1)); // at most 0
  const normaliser = np.log(np.exp(shifted.ref).sum(-1)); // [Q]
  const target = shifted.mul(targets.ref).sum(-1); // [Q]
  return weightedMean(normaliser.sub(target), weights.mul(targets.sum(-1)));
}

/**
 * Squared error of sigma(logits) against 1 for the right class and 0 for the others (Sung et al. 2018, eq. 2): the
 * weighted mean over queries and classes. A query that belongs to no class pulls every score to 0. Arguments as in
 * `crossEntropy`.
 */
export function squaredError(
  logits: np.Array,
  targets: np.Array,
  weights: np.Array,
  classes: np.Array,
): np.Array {
  const errors = np.square(sigmoid(logits).sub(targets)); // [Q, C]
  return weightedMean(errors, np.expandDims(weights, 1).mul(np.expandDims(classes, 0)));
}

/**
 * Binary cross-entropy over pairs of a query and a support row, same class or different (Koch et al. 2015, section 3.2).
 * The two kinds weigh the same, as in the paper's batches: of all pairs of an N-way episode but 1 in N is of one class.
 *
 * @param logits `[Q, C, K]`, of the probability that the pair is of one class.
 * @param targets `[Q, C]`, one-hot; a row of zeros for a query without a class.
 * @param weights `[Q]`
 * @param mask `[C, K]`: 1 for an example, 0 for padding.
 */
export function pairCrossEntropy(
  logits: np.Array,
  targets: np.Array,
  weights: np.Array,
  mask: np.Array,
): np.Array {
  const pairs = np.expandDims(mask, 0).mul(weights.reshape([weights.size, 1, 1])); // [Q, C, K]
  const same = np.expandDims(targets, 2).mul(pairs.ref); // [Q, C, K]
  const different = pairs.sub(same.ref);
  const ofSame = weightedMean(softplus(logits.ref.neg()), same); // -log sigma(z)
  const ofDifferent = weightedMean(softplus(logits), different); // -log (1 - sigma(z))
  return ofSame.add(ofDifferent).mul(0.5);
}

/** sum w x / sum w over all elements, of arrays of one shape. */
function weightedMean(values: np.Array, weights: np.Array): np.Array {
  return values.mul(weights.ref).sum().div(np.maximum(weights.sum(), NOTHING));
}
