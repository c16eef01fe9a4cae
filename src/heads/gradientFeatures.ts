import { numpy as np } from '@jax-js/jax';

/** p: magnitudes below e^-p count as nothing. */
const P = 10;
const SMALLEST = Math.exp(-P);

/**
 * A gradient or a loss as networks read it, order of magnitude and sign apart (Andrychowicz et al. 2016, appendix A; Ravi &
 * Larochelle 2017, section 3.2), p = 10:
 *
 *   (ln|g| / p, sgn g) where |g| >= e^-p, and (-1, e^p g) elsewhere.
 *
 * @returns `[..., 2]` of `[...]`.
 */
export function gradientFeatures(g: np.Array): np.Array {
  const magnitude = np.log(np.maximum(np.absolute(g.ref), SMALLEST)).div(P); // -1 elsewhere
  const sign = np.clip(g.div(SMALLEST), -1, 1);
  return np.stack([magnitude, sign], -1);
}
