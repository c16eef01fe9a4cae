import { numpy as np, random, tree } from '@jax-js/jax';
import type { Params, Support } from '../../src/heads/head.js';
import type { Episode } from '../../src/heads/trainedHead.js';
import { seeded, unitRows } from './random.js';

// Arrays of jax-js for the tests of heads.

export function a(values: ArrayLike<number>, ...shape: number[]): np.Array {
  return np.array(Float32Array.from(values), { shape });
}

export function values(array: np.Array): number[] {
  return [...(array.dataSync() as Float32Array)];
}

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, not ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    const off = Math.abs(actual[i]! - expected[i]!);
    if (!(off <= tolerance)) throw new Error(`value ${i} is ${actual[i]}, not ${expected[i]}`);
  }
}

/** 0.8 sin(1.3 i + seed): the inputs of the goldens. */
export function wave(seed: number, ...shape: number[]): np.Array {
  const size = shape.reduce((product, n) => product * n, 1);
  return a(
    Array.from({ length: size }, (_, i) => 0.8 * Math.sin(1.3 * i + seed)),
    ...shape,
  );
}

/** Parameters as `init` gives them, every one moved by noise of the given spread. */
export function moved(params: Params, spread: number, seed: number): Params {
  let next = seed;
  const move = (x: np.Array) => x.add(random.normal(random.key(next++), x.shape).mul(spread));
  return tree.map<np.Array, np.Array, Params>(move, params);
}

/** Parameters of the same shapes that are nothing but noise. */
export function drawn(params: Params, spread: number, seed: number): Params {
  const nothing = tree.map<np.Array, np.Array, Params>((x) => np.zerosLike(x), params);
  return moved(nothing, spread, seed);
}

/** A support set of the given shots around random centres, padded to K rows a class and C classes. */
export function supportOf(
  shots: readonly number[],
  K: number,
  C: number,
  D: number,
  seed: number,
): { support: Support; centres: Float32Array } {
  const draw = seeded(seed);
  const centres = unitRows(shots.length, D, draw);
  const rows = new Float32Array(C * K * D);
  const mask = new Float32Array(C * K);
  shots.forEach((count, c) => {
    rows.set(unitRows(count, D, draw, centres.subarray(c * D, (c + 1) * D)), c * K * D);
    mask.fill(1, c * K, c * K + count);
  });
  return { support: { rows: a(rows, C, K, D), mask: a(mask, C, K), names: np.zeros([C, D]) }, centres };
}

/** An episode with padding of every kind: rows, a class, a query; and a query that belongs to no class. */
export function paddedEpisode(D: number, seed: number): Episode {
  const [Q, C] = [5, 3];
  const { support, centres } = supportOf([2, 1], 3, C, D, seed);
  const targets = new Float32Array(Q * C);
  for (let q = 0; q < 3; q++) targets[q * C + (q % 2)] = 1;
  return {
    support,
    queries: a(unitRows(Q, D, seeded(seed + 1), centres), Q, D),
    targets: a(targets, Q, C),
    weights: a([1, 2, 1, 1, 0], Q), // query 3 belongs to no class, query 4 is padding
  };
}
