import { numpy as np, random } from '@jax-js/jax';
import { sigmoid } from './ops.js';

// Layers: what is learned (a type), how it starts (`init...`), and the function that it parametrises. Weights lie
// [outputs, inputs], so that a product runs along the contiguous axis of both operands.

/** Glorot's uniform draw (Glorot & Bengio 2010, eq. 16): `[outputs, inputs]`, or `[..., outputs, inputs]`. */
export function glorot(key: np.Array, shape: number[]): np.Array {
  const [outputs, inputs] = shape.slice(-2) as [number, number];
  const limit = Math.sqrt(6 / (outputs + inputs));
  return random.uniform(key, shape, { minval: -limit, maxval: limit });
}

/**
 * A map that starts by changing nothing but the scale: `scale` times the identity; to fewer dimensions, a random
 * projection that keeps inner products on average.
 */
export function scaledIdentity(key: np.Array, outputs: number, inputs: number, scale = 1): np.Array {
  if (outputs === inputs) {
    key.dispose();
    return np.eye(outputs).mul(scale);
  }
  return random.normal(key, [outputs, inputs]).mul(scale / Math.sqrt(outputs));
}

/** `[..., I]` rows by a weight matrix `[O, I]` to `[..., O]`. */
export function project(weight: np.Array, x: np.Array): np.Array {
  const shape = x.shape;
  const inputs = shape.at(-1)!;
  const outputs = weight.shape[0]!;
  const rows = x.reshape([x.size / inputs, inputs]);
  return np.matmul(rows, np.transpose(weight)).reshape([...shape.slice(0, -1), outputs]);
}

export type Linear = {
  /** `[O, I]` */
  weight: np.Array;
  /** `[O]` */
  bias: np.Array;
};

/** W x + b: `[..., I]` to `[..., O]`. */
export function linear({ weight, bias }: Linear, x: np.Array): np.Array {
  return project(weight, x).add(bias);
}

/** A cell of H units whose input has I values and whose recurrent input R; R is H unless something is joined to h. */
export type LstmCell = {
  /** `[4 H, I]`: the gates in the order input, forget, candidate, output. */
  input: np.Array;
  /** `[4 H, R]` */
  recurrent: np.Array;
  /** `[4 H]` */
  bias: np.Array;
};

/** Weights as Glorot draws them; the forget gate's bias is 1, so that the cell remembers to begin with. */
export function initLstmCell(key: np.Array, units: number, inputs: number, recurrents = units): LstmCell {
  const [inputKey, recurrentKey] = [...random.split(key, 2)] as [np.Array, np.Array];
  return {
    input: glorot(inputKey, [4 * units, inputs]),
    recurrent: glorot(recurrentKey, [4 * units, recurrents]),
    bias: np.concatenate([np.zeros([units]), np.ones([units]), np.zeros([2 * units])]),
  };
}

/** The part of the gates that the input alone decides, for all steps at once: `[B, I]` to `[B, 4 H]`. */
export function lstmInput({ input, bias }: Pick<LstmCell, 'input' | 'bias'>, x: np.Array): np.Array {
  return project(input, x).add(bias);
}

/**
 * One step (Hochreiter & Schmidhuber 1997, with forget gates): i, f, g, o = gates + W_r h;
 * c' = sigma(f) c + sigma(i) tanh(g); h' = sigma(o) tanh(c').
 *
 * @param gates `[B, 4 H]`, from `lstmInput`.
 * @param hidden `[B, R]`
 * @param cell `[B, H]`
 * @returns h' and c', `[B, H]` each.
 */
export function lstmStep(
  recurrent: np.Array,
  gates: np.Array,
  hidden: np.Array,
  cell: np.Array,
): [np.Array, np.Array] {
  const all = gates.add(project(recurrent, hidden)); // [B, 4 H]
  const [i, f, g, o] = np.split(all, 4, 1) as [np.Array, np.Array, np.Array, np.Array];
  const next = sigmoid(f)
    .mul(cell)
    .add(sigmoid(i).mul(np.tanh(g)));
  return [sigmoid(o).mul(np.tanh(next.ref)), next];
}

/**
 * The class's half of a neural tensor layer (Socher et al. 2013, eq. 1), c^T M^[1:h]: `[C, D]` and the tensor `[h, D, D]` to
 * `[C, h, D]`. It is the costly half, and knows no query.
 *
 * @param tensor slice k holds M^[k] with its axes exchanged, `[query's, class's]`.
 */
export function tensorClasses(tensor: np.Array, classes: np.Array): np.Array {
  const [slices, D, inputs] = tensor.shape as [number, number, number];
  return project(tensor.reshape([slices * D, inputs]), classes).reshape([classes.shape[0]!, slices, D]);
}

/** The query's half, (c^T M^[1:h]) q: `[C, h, D]` and `[Q, D]` to `[Q, C, h]`. */
export function tensorQueries(classes: np.Array, queries: np.Array): np.Array {
  const [C, slices, D] = classes.shape as [number, number, number];
  const Q = queries.shape[0]!;
  return project(classes.reshape([C * slices, D]), queries).reshape([Q, C, slices]);
}
