import { numpy as np, tree } from '@jax-js/jax';
import { adam, adamStepSize } from '../heads/adam.js';
import type { Params } from '../heads/head.js';

/** Moments of the gradient, each a tree like the parameters. */
export type AdamWState = { mean: Params; square: Params };

/** What one step goes by. */
export interface StepRule {
  /** t = 1, 2, ... */
  readonly step: number;
  readonly rate: number;
  /** Decoupled weight decay, times the rate. */
  readonly weightDecay: number;
  /** Largest norm of the whole gradient. */
  readonly clip: number;
  /** Gradients that were summed; the step goes by their mean. */
  readonly batch: number;
}

/** As in the paper: over many steps a coordinate of small gradients should learn as fast as one of large ones. */
const EPSILON = 1e-8;
/** Guards the division by the norm of a gradient that is zero. */
const NO_NORM = 1e-12;

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2) on a tree of parameters, the gradient clipped by its norm over all of them
 * (Pascanu et al. 2013, algorithm 1). Only arrays of two axes and more decay: biases and scales do not overfit.
 */
export const adamW = {
  /** @param params consumed. */
  init: (params: Params): AdamWState => {
    const zeros = (tensor: np.Array) => np.zerosLike(tensor);
    return { mean: tree.map(zeros, tree.ref(params)), square: tree.map(zeros, params) };
  },

  /**
   * Consumes all it is given.
   *
   * @param gradient summed over `StepRule.batch` episodes.
   * @param rule `[5]`, from `stepNumbers`.
   */
  update: (
    params: Params,
    gradient: Params,
    state: AdamWState,
    rule: np.Array,
  ): { params: Params; state: AdamWState } => {
    const [rate, correction, decay, clip, share] = np.split(rule, 5) as [
      np.Array,
      np.Array,
      np.Array,
      np.Array,
      np.Array,
    ];
    const stepSize = np.concatenate([rate, correction]);
    const [tensors, structure] = tree.flatten<np.Array>(params);
    const slopes = tree.leaves<np.Array>(gradient).map((slope) => slope.mul(share.ref));
    share.dispose();
    const means = tree.leaves<np.Array>(state.mean);
    const squares = tree.leaves<np.Array>(state.square);
    const scale = np.minimum(clip.div(np.maximum(globalNorm(slopes), NO_NORM)), 1); // [1]

    const moved = tensors.map((tensor, i) => {
      const shrunk = tensor.ndim < 2 ? tensor : tensor.ref.sub(tensor.mul(decay.ref));
      const moments = { mean: means[i]!, square: squares[i]! };
      return adam.update(shrunk, slopes[i]!.mul(scale.ref), moments, stepSize.ref, EPSILON);
    });
    for (const done of [stepSize, decay, scale]) done.dispose();
    const collect = (of: (one: (typeof moved)[number]) => np.Array): Params =>
      tree.unflatten(structure, moved.map(of));
    return {
      params: collect(([tensor]) => tensor),
      state: { mean: collect(([, { mean }]) => mean), square: collect(([, { square }]) => square) },
    };
  },
};

/** The numbers of a step, as data and not literals, so that one compiled step serves all: `[5]`. */
export function stepNumbers({ step, rate, weightDecay, clip, batch }: StepRule): np.Array {
  return np.concatenate([
    adamStepSize(rate, step),
    np.array(new Float32Array([rate * weightDecay, clip, 1 / batch]), { shape: [3] }),
  ]);
}

export interface Schedule {
  readonly rate: number;
  /** Steps of linear warm-up. */
  readonly warmup: number;
  /** What follows it: the full rate, or half a cosine towards zero, which comes after the last step (Loshchilov & Hutter 2017, eq. 5). */
  readonly schedule: 'constant' | 'cosine';
}

/** The rate of step t = 1, 2, ... of so many. */
export function rateAt({ rate, warmup, schedule }: Schedule, step: number, steps: number): number {
  if (step <= warmup) return (rate * step) / warmup;
  if (schedule === 'constant') return rate;
  const done = (step - 1 - warmup) / (steps - warmup);
  return (rate / 2) * (1 + Math.cos(Math.PI * done));
}

/** `[1]`: consumes nothing. */
function globalNorm(tensors: readonly np.Array[]): np.Array {
  const squares = tensors.map((tensor) => np.square(tensor.ref).sum().reshape([1]));
  return np.sqrt(squares.reduce((sum, square) => sum.add(square)));
}
