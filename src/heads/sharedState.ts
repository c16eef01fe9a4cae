import { numpy as np } from '@jax-js/jax';

// Axis 0 of a class state is the class. What all classes share is dealt out to them, and collected again to score.

/** A tensor of n numbers dealt out to C classes in order: `[C, ceil(n / C)]`, zeros behind. */
export function deal(x: np.Array, classes: number): np.Array {
  const each = Math.ceil(x.size / classes);
  const padding = np.zeros([classes * each - x.size]);
  return np.concatenate([x.flatten(), padding]).reshape([classes, each]);
}

/** What was dealt out, in its shape again; classes that are padding may have come behind. */
export function collect(dealt: np.Array, shape: number[]): np.Array {
  const size = shape.reduce((product, n) => product * n, 1);
  return dealt.flatten().slice([0, size]).reshape(shape);
}
