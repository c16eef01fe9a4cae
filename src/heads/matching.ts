import { nn, numpy as np } from '@jax-js/jax';
import type { Head } from './head.js';
import { MASKED, rowProducts } from './ops.js';

/** tau: how sharply attention falls on the nearest support rows; chosen on validation. */
const ATTENTION_SCALE = 25;

/**
 * Matching networks, simple form f = g (Vinyals et al. 2016, eq. 1): attention a(x, x_i) = softmax_i(tau cos(x, x_i))
 * over the support rows, P(y | x, S) from the attention that falls on the rows of y.
 *
 * The paper sums it, over episodes of equally many shots. Of uneven classes the sum favours the large: here it is the
 * mean over a class's rows, the same thing where shots are equal (93.4 against 90.8 % on uneven validation episodes).
 * The logit is log (1/K_c) sum_k exp(tau cos(x, x_ck)).
 */
export const matching: Head = {
  name: 'matching',
  init: () => ({}),
  induce: (_params, { rows, mask, names }) => {
    names.dispose();
    return { rows, mask };
  },
  score: (_params, { rows, mask }, queries) => {
    const attention = rowProducts(queries, rows!).mul(ATTENTION_SCALE); // [Q, C, K]
    const shots = np.maximum(mask!.ref.sum(-1), 1); // [C]
    const padding = np.expandDims(mask!.sub(1).mul(-MASKED), 0); // [1, C, K]: 0, or MASKED
    return nn.logsumexp(attention.add(padding), -1).sub(np.expandDims(np.log(shots), 0)); // [Q, C]
  },
};
