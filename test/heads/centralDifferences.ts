import { numpy as np, tree, vmap } from '@jax-js/jax';
import type { Params } from '../../src/heads/head.js';

type Floats = Float32Array | Float64Array;

/** The slope of a function along one number of its parameters. */
export interface Difference {
  /** Which of the parameters' arrays, and which of its numbers. */
  readonly tensor: number;
  readonly i: number;
  readonly slope: number;
}

/**
 * Central differences of a scalar function, number by number, in the precision of its parameters.
 *
 * @param params consumed.
 * @param valueAt consumes its argument. Called once, for all differences: an operation costs much, a number little.
 * @param strideOf of an array of so many numbers, one in how many is tried; by default each.
 */
export function centralDifferences(
  params: Params,
  valueAt: (params: Params) => np.Array,
  step: number,
  strideOf: (length: number) => number = () => 1,
): Difference[] {
  const [leaves, structure] = tree.flatten<np.Array>(params);
  const tensors = leaves.map((leaf) => ({ shape: leaf.shape, data: leaf.dataSync() as Floats }));
  const places = tensors.flatMap(({ data }, tensor) => {
    const stride = strideOf(data.length);
    return [...data.keys()].filter((i) => i % stride === 0).map((i) => ({ tensor, i }));
  });
  // All parameters once for each number that is tried and each side of it: [2 numbers, ...shape]
  const moved = tensors.map(({ shape, data }, at) => {
    const rows = new (data.constructor as new (length: number) => Floats)(2 * places.length * data.length);
    for (const [place, { tensor, i }] of places.entries()) {
      for (const [side, by] of [step, -step].entries()) {
        const from = (2 * place + side) * data.length;
        rows.set(data, from);
        if (tensor === at) rows[from + i]! += by;
      }
    }
    return np.array(rows, { shape: [2 * places.length, ...shape] });
  });
  const found = vmap(valueAt)(tree.unflatten(structure, moved)).dataSync() as Floats;
  return places.map((place, at) => ({ ...place, slope: (found[2 * at]! - found[2 * at + 1]!) / (2 * step) }));
}
