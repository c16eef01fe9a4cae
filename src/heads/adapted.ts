import { tree } from '@jax-js/jax';
import type { Head } from './head.js';
import { COSINE_DESCENT, cosineDescent, withMeanMove } from './cosineLearner.js';
import { cosineHead } from './prototypical.js';

export type AdaptedOptions = {
  /** Inner-loop steps. */
  readonly steps: number;
  /** Inner-loop learning rate. */
  readonly rate: number;
  /** s in the inner loop's softmax. */
  readonly lossScale: number;
  /** What a class is given for having few rows, times 1 / rows, in units of the cosine. */
  readonly fewRows: number;
};

const { steps, rate, lossScale } = COSINE_DESCENT;
const DEFAULTS: AdaptedOptions = { steps, rate, lossScale, fewRows: 0.2 };

/**
 * A linear head that adapts to the support set: class rows w_c start at the prototypes and go through the inner loop
 * (`cosineDescent`). A class's score is cos(w_c, x), and something for having few rows (`cosineHead`, whose state it starts
 * from).
 */
export function adaptedHead(options: Partial<AdaptedOptions> = {}): Head {
  const { fewRows, ...loop } = { ...DEFAULTS, ...options };
  const learn = cosineDescent({ ...loop, mapRate: 0 });
  return {
    ...cosineHead('adapted', fewRows),

    adapt: (_params, support, state) => {
      const { weights } = learn(support, { weights: state.prototypes! });
      return { ...state, prototypes: weights };
    },

    // Adaptation moves all rows away from what classes have in common, by 0.3 in cosine. A fresh prototype would win
    // texts of every adapted class for not having moved: it is given their mean move.
    align: (fresh, induced, adapted) => {
      tree.dispose([adapted.bonus!, induced.bonus!]);
      return {
        ...fresh,
        prototypes: withMeanMove(fresh.prototypes!, induced.prototypes!, adapted.prototypes!),
      };
    },
  };
}
