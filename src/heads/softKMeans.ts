import { numpy as np } from '@jax-js/jax';
import type { Head } from './head.js';
import { innerProducts, MASKED, occupied, unit } from './ops.js';
import { COSINE_SCALE, cosineHead } from './prototypical.js';

export type SoftKMeansOptions = {
  /** The cosine to every prototype at which a text is as likely of no class as of the nearest; without it all are of some class. */
  readonly threshold?: number | undefined;
};

/**
 * What texts belong to which class, as far as prototypes can say: soft k-means with a distractor cluster (Ren et al. 2018,
 * eq. 6 and 7). On unit rows |x - p|^2 = 2 - 2 cos, so that with s for the scale
 *
 *   z_jc = exp(s cos(x_j, p_c)) / (exp(s theta) + sum_c' exp(s cos(x_j, p_c'))).
 *
 * The distractor lies at the origin, which every unit row is equally far from: its length-scale r_0 comes down to the one
 * number theta. Without a threshold it is the soft k-means of eq. 5.
 *
 * @param prototypes `[C, D]`, unit length.
 * @param unlabelled `[U, D]`, unit length; a zero row is padding.
 * @param classes `[C]`: 0 for padding.
 * @returns `[U, C]`; what a row lacks to 1 is of no class.
 */
export function softAssignments(
  prototypes: np.Array,
  unlabelled: np.Array,
  classes: np.Array,
  { threshold }: SoftKMeansOptions,
): np.Array {
  const there = present(unlabelled.ref); // [U, 1]
  const cosines = innerProducts(unlabelled, prototypes).add(np.expandDims(classes.sub(1).mul(-MASKED), 0));
  const near = np.exp(cosines.sub(1).mul(COSINE_SCALE)); // [U, C]: at most 1
  const none = threshold === undefined ? 1e-30 : Math.exp(COSINE_SCALE * (threshold - 1));
  return near.ref.div(near.sum(1, { keepdims: true }).add(none)).mul(there);
}

/** 1 for a text, 0 for padding: `[U, D]` to `[U, 1]`. */
export function present(unlabelled: np.Array): np.Array {
  return np.square(unlabelled).sum(1, { keepdims: true }).greater(0).astype(np.float32);
}

/**
 * Prototypes that are refined by texts without a label, as the paper has it: one step of soft k-means,
 *
 *   p_c = (sum_k x_ck + sum_j z_jc x_j) / (n_c + sum_j z_jc)        (Ren et al. 2018, eq. 5)
 *
 * and scored like `prototypical`. An experiment's baseline; the server offers `semi-supervised`.
 */
export function softKMeansHead(options: SoftKMeansOptions = {}): Head {
  return {
    ...cosineHead('soft-k-means', 0.12),
    readsUnlabelled: true,
    induce: (params, { unlabelled, ...labelled }) => {
      unlabelled?.dispose();
      return prototypes.induce(params, labelled);
    },
    adapt: (_params, { rows, mask, names, unlabelled }, { prototypes, bonus }) => {
      names.dispose();
      if (unlabelled === undefined) {
        rows.dispose();
        mask.dispose();
        return { prototypes: prototypes!, bonus: bonus! };
      }
      const z = softAssignments(prototypes!, unlabelled.ref, occupied(mask.ref), options); // [U, C]
      const labelled = rows.mul(np.expandDims(mask, 2)).sum(1); // [C, D]
      const sums = labelled.add(np.matmul(np.transpose(z), unlabelled)); // the division leaves the direction as it is
      return { prototypes: unit(sums), bonus: bonus! };
    },
  };
}

const prototypes = cosineHead('prototypes', 0.12);
