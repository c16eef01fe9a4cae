import { numpy as np } from '@jax-js/jax';
import type { Episode } from '../../../src/heads/trainedHead.js';
import { a, supportOf } from '../../heads/arrays.js';
import { seeded, unitRows } from '../../heads/random.js';

/**
 * Tasks of three classes around random centres, of two shots and three queries each; padded to C classes. The first query is
 * of another class than it looks, so that it does not do to be too sure.
 */
export function toyTasks(count: number, D: number, seed: number, C = 3): Episode[] {
  return Array.from({ length: count }, (_, i) => {
    const { support, centres } = supportOf([2, 2, 2], 2, C, D, seed + i);
    const labels = [1, 1, 2, 0, 1, 2, 0, 1, 2];
    const targets = labels.flatMap((label) => Array.from({ length: C }, (_, c) => (c === label ? 1 : 0)));
    return {
      support,
      queries: a(unitRows(9, D, seeded(seed + i + 1000), centres), 9, D),
      targets: a(targets, 9, C),
      weights: np.ones([9]),
    };
  });
}
