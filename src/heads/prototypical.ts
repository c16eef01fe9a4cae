import { numpy as np } from '@jax-js/jax';
import type { Head } from './head.js';
import { fewRowsBonus, innerProducts, maskedMean, unit } from './ops.js';

/** What a cosine is multiplied by to make a logit, in every head that scores with cosines. */
export const COSINE_SCALE = 20;

/**
 * Prototypical networks (Snell et al. 2017, eq. 1 and 2): a class is the mean v_c of its support embeddings,
 * P(c | x) = softmax(-d(f(x), v_c)), d squared Euclidean.
 *
 * On unit rows -|x - v|^2 = 2 x.v - |v|^2 - 1: the constant cancels in the softmax and is left out, so that a
 * padded class (v = 0) scores 0.
 */
export const prototypicalEuclidean: Head = {
  name: 'prototypical-euclidean',
  init: () => ({}),
  induce: (_params, { rows, mask, names }) => {
    names.dispose();
    return { prototypes: maskedMean(rows, mask) }; // [C, D]
  },
  score: (_params, { prototypes }, queries) => {
    const squaredLength = np.square(prototypes!.ref).sum(1); // [C]
    const distances = squaredLength.sub(innerProducts(queries, prototypes!).mul(2)); // [Q, C]: d - 1
    return distances.mul(-COSINE_SCALE / 2);
  },
};

/**
 * The same with the cosine for a distance, P(c | x) = softmax(s (cos(f(x), v_c) + b_c)): the length of v_c is left out,
 * and b_c makes up for few rows (`fewRowsBonus`).
 *
 * @param fewRows what a class is given for having few rows, times 1 / rows, in units of the cosine.
 */
export function cosineHead(name: string, fewRows: number): Head {
  return {
    name,
    init: () => ({}),
    induce: (_params, { rows, mask, names }) => {
      names.dispose();
      return { prototypes: unit(maskedMean(rows, mask.ref)), bonus: fewRowsBonus(mask, fewRows) }; // [C, D], [C]
    },
    score: (_params, { prototypes, bonus }, queries) =>
      innerProducts(queries, prototypes!).add(np.expandDims(bonus!, 0)).mul(COSINE_SCALE),
  };
}

/** Chosen on validation (docs/defaults.md). */
export const prototypical: Head = cosineHead('prototypical', 0.12);
