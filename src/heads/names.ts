import type { Head } from './head.js';
import { innerProducts } from './ops.js';
import { COSINE_SCALE } from './prototypical.js';

/**
 * Zero-shot classes (Snell et al. 2017, section 2.7): v_c is the embedding of the class's name or description, and
 * examples are not looked at.
 */
export const names: Head = {
  name: 'names',
  init: () => ({}),
  induce: (_params, support) => {
    support.rows.dispose();
    support.mask.dispose();
    return { names: support.names };
  },
  score: (_params, state, queries) => innerProducts(queries, state.names!).mul(COSINE_SCALE),
};
