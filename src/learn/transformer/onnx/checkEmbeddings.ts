import { KshotError } from '../../../errors.js';
import { inner } from '../../../heads/cosines.js';

/** How near embeddings are to those that they stand for. */
export interface Agreement {
  readonly meanCosine: number;
  readonly smallestCosine: number;
  /** The largest difference of a component. */
  readonly deviation: number;
}

/** @param a `[n, D]` of unit length, and so is `b`. */
export function agreementOf(a: Float32Array, b: Float32Array, D: number): Agreement {
  const cosines = Array.from({ length: a.length / D }, (_, row) => inner(a, row * D, b, row * D, D));
  return {
    meanCosine: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
    smallestCosine: cosines.reduce((least, cosine) => Math.min(least, cosine), Infinity),
    deviation: a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0),
  };
}

/** @throws KshotError `encoder_unavailable`, if the embeddings that `what` gives are further off than is allowed. */
export function requireAgreement(
  what: string,
  found: Agreement,
  allowed: Pick<Agreement, 'meanCosine' | 'deviation'>,
): void {
  // Written so that a number that is none does not pass.
  if (found.meanCosine >= allowed.meanCosine && found.deviation <= allowed.deviation) return;
  const figures = `mean cosine ${found.meanCosine.toFixed(5)}, smallest ${found.smallestCosine.toFixed(5)}, largest difference ${found.deviation.toExponential(1)}`;
  const bound =
    found.meanCosine >= allowed.meanCosine
      ? `a difference of ${allowed.deviation} at most`
      : `a mean cosine of ${allowed.meanCosine} at least`;
  throw new KshotError(
    'encoder_unavailable',
    `${what} is too far from the embeddings in float32 (${figures}; needed is ${bound}), so nothing was exported`,
  );
}
