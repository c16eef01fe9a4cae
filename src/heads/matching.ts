import { nn, numpy as np } from '@jax-js/jax';
import type { Head } from './head.js';
import { MASKED, rowProducts } from './ops.js';

/** tau: how sharply attention falls on the nearest support rows. */
const ATTENTION_SCALE = 20;

/**
 * Matching networks, simple form f = g (Vinyals et al. 2016, eq. 1): attention a(x, x_i) = softmax_i(tau cos(x, x_i))
 * over all support rows, P(y | x, S) = sum of a over the rows of y. As a logit: log sum_i exp(tau cos(x, x_i)) over
 * the rows of a class, whose softmax over classes is that very sum.
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
    const padding = np.expandDims(mask!.sub(1).mul(-MASKED), 0); // [1, C, K]: 0, or MASKED
    return nn.logsumexp(attention.add(padding), -1); // [Q, C]
  },
};
