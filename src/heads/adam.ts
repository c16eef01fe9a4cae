import { numpy as np } from '@jax-js/jax';

/** An optimiser is a pair of functions: `init` makes its state, `update` moves state and parameters by a gradient. */
export type AdamState = { mean: np.Array; square: np.Array };

const MEAN_DECAY = 0.9;
const SQUARE_DECAY = 0.999;
/**
 * Larger than the paper's 1e-8: a coordinate whose gradient is nothing but rounding must not move by a whole step, or
 * the result would depend on the order in which rows are summed.
 */
const EPSILON = 1e-5;

/** Adam (Kingma & Ba 2015, algorithm 1) on one array. */
export const adam = {
  init: (x: np.Array): AdamState => ({ mean: np.zerosLike(x.ref), square: np.zerosLike(x) }),

  /**
   * Consumes all it is given; returns the moved array and the next state.
   * @param stepSize `[2]`, from `adamStepSize`.
   * @param epsilon what is added to the root of the mean square.
   */
  update: (
    x: np.Array,
    gradient: np.Array,
    state: AdamState,
    stepSize: np.Array,
    epsilon = EPSILON,
  ): [np.Array, AdamState] => {
    const mean = state.mean.mul(MEAN_DECAY).add(gradient.ref.mul(1 - MEAN_DECAY));
    const square = state.square.mul(SQUARE_DECAY).add(np.square(gradient).mul(1 - SQUARE_DECAY));
    const [rate, correction] = np.split(stepSize, 2) as [np.Array, np.Array];
    const move = mean.ref.div(np.sqrt(square.ref.mul(correction)).add(epsilon)).mul(rate);
    return [x.sub(move), { mean, square }];
  },
};

/**
 * The rate of step t = 1, 2, ... with the bias correction of the mean, and the bias correction of the square: `[2]`.
 * They are data, not literals, so that one compiled step serves every t.
 */
export function adamStepSize(rate: number, t: number): np.Array {
  return np.array(new Float32Array([rate / (1 - MEAN_DECAY ** t), 1 / (1 - SQUARE_DECAY ** t)]), {
    shape: [2],
  });
}
