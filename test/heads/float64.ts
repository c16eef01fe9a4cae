import { defaultDevice, init, numpy as np, tree } from '@jax-js/jax';
import type { Params } from '../../src/heads/head.js';
import { centralDifferences } from './centralDifferences.js';

// Double precision, for gradients that are held to finite differences: on jax-js's interpreter, whose exp and log are
// those of JavaScript, where its WebAssembly backend has approximations of single precision.

/** To be awaited once, instead of `initHeads`. */
export async function initFloat64(): Promise<void> {
  // jax-js asks for it by name; Node.js has it from version 24 on.
  const host = globalThis as { Float16Array?: unknown };
  host.Float16Array ??= class {};
  await init('cpu');
  defaultDevice('cpu');
}

export function f64(values: ArrayLike<number>, ...shape: number[]): np.Array {
  return np.array(Float64Array.from(values), { shape });
}

export function inFloat64<Tree extends Params>(params: Tree): Tree {
  return tree.map<np.Array, np.Array, Tree>((x) => x.astype(np.float64), params);
}

export function numbers(array: np.Array): number[] {
  return [...(array.dataSync() as Float64Array)];
}

/**
 * Holds a gradient to central differences of its function, number by number.
 *
 * @param params not consumed, and @param gradient of them; consumed.
 * @param valueAt as of `centralDifferences`.
 * @returns how many numbers were compared, and the largest slope among them.
 */
export function expectFiniteDifferences(
  params: Params,
  gradient: Params,
  valueAt: (params: Params) => np.Array,
  { step = 1e-5, tolerance = 1e-7 } = {},
): { compared: number; largest: number } {
  const slopes = tree.leaves<np.Array>(gradient).map(numbers);
  const differences = centralDifferences(tree.ref(params), valueAt, step);
  let largest = 0;
  for (const { tensor, i, slope: expected } of differences) {
    const slope = slopes[tensor]![i]!;
    if (!(Math.abs(slope - expected) <= tolerance * Math.max(1, Math.abs(expected)))) {
      throw new Error(`number ${i} of tensor ${tensor}: the slope is ${slope}, not ${expected}`);
    }
    largest = Math.max(largest, Math.abs(slope));
  }
  return { compared: differences.length, largest };
}
