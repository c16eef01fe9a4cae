import { numpy as np } from '@jax-js/jax';
import type { Support } from './head.js';
import { classMask, MASKED } from './ops.js';

/** A support set as M = C K labelled examples, as the loss of an inner loop takes them. */
export type SupportExamples = {
  /** `[M, D]` */
  rows: np.Array;
  /** `[M, C]`, one-hot. */
  targets: np.Array;
  /** `[M]`: what each example weighs in the loss; the same in sum for every class, 1 over all. */
  weights: np.Array;
  /** `[C]`: 0, or MASKED for a class that is padding. */
  padding: np.Array;
};

/** @param support consumed. */
export function supportExamples({ rows, mask, names }: Support): SupportExamples {
  const [C, K, D] = rows.shape as [number, number, number];
  const shots = mask.ref.sum(1, { keepdims: true }); // [C, 1]
  const classes = shots.ref.greater(0).astype(np.float32).sum();
  return {
    rows: rows.reshape([C * K, D]),
    targets: np.repeat(np.eye(C), K, 0),
    weights: mask.ref
      .div(np.maximum(shots, 1))
      .div(np.maximum(classes, 1))
      .reshape([C * K]),
    padding: classMask({ mask, names }).sub(1).mul(-MASKED),
  };
}
