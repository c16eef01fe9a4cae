import type { Tensor } from '../../../heads/safetensors.js';
import type { Bert } from '../bert.js';
import type { GraphBuilder } from './graphBuilder.js';

/**
 * The parts of a transformer that depend on how numbers are kept. Values are names in a graph: states are `[B, T, D]`, a mask
 * is the number of each row's tokens, `[B]` int32, which is how onnxruntime's attention takes a padding on the right.
 */
export interface Arithmetic {
  /** Of the states. */
  readonly element: 'float32' | 'float16';

  /** The normalised sum of a token's, its position's and its type's embedding, and the mask for `attend`. */
  embed(tokens: Tokens, output: string): { readonly states: string; readonly mask: string };

  /**
   * Multi-head self-attention (Vaswani et al. 2017, eq. 1) before its output projection. Q, K and V are one multiplication,
   * side by side.
   *
   * @param layer what its parameters' names begin with.
   */
  attend(states: string, mask: string, layer: string, output: string): string;

  /** x Wᵀ for a weight `[outputs, inputs]`, by the parameter's name. */
  multiply(x: string, weight: string, output: string): string;

  /** A bias, or a part of a normalisation, by the parameter's name. */
  vector(parameter: string): string;
}

/** Names of int32 `[B, T]` values. */
export interface Tokens {
  readonly ids: string;
  readonly types: string;
  /** 1 on texts, 0 on what fills the row up. */
  readonly mask: string;
}

/** Opens an arithmetic for one model in one graph. */
export type Precision = (graph: GraphBuilder, bert: Bert) => Arithmetic;

/** The three tables of the embeddings, then the normalisation's scale and shift, in the order that the operators take. */
export const EMBEDDING_TABLES = ['word', 'position', 'token_type'].map(
  (kind) => `embeddings.${kind}_embeddings.weight`,
);
export const EMBEDDING_NORM = ['embeddings.LayerNorm.weight', 'embeddings.LayerNorm.bias'];

export const epsilonOf = ({ shape }: Bert) => ({ epsilon: { float: shape.epsilon } });
export const headsOf = ({ shape }: Bert) => ({ num_heads: { int: shape.heads } });

/** A parameter of the model. @throws RangeError for a name that it does not have. */
export function parameterOf({ tensors }: Bert, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new RangeError(`The model has no parameter ${name}`);
  return tensor;
}

/** Q, K and V of a layer, one under the other: `weight` `[3D, D]`, `bias` `[3D]`. */
export function queryKeyValue(bert: Bert, layer: string): { readonly weight: Tensor; readonly bias: Tensor } {
  const stacked = (kind: 'weight' | 'bias') =>
    stack(
      ['query', 'key', 'value'].map((name) => parameterOf(bert, `${layer}attention.self.${name}.${kind}`)),
    );
  return { weight: stacked('weight'), bias: stacked('bias') };
}

function stack(tensors: readonly Tensor[]): Tensor {
  const data = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  const [rows, ...rest] = tensors[0]!.shape as [number, ...number[]];
  return { shape: [rows * tensors.length, ...rest], data };
}

/** `[rows, columns]` to `[columns, rows]`: ONNX multiplies by weights that lie [inputs, outputs]. */
export function transposed<Values extends Float32Array | Int8Array>(values: Values, rows: number): Values {
  const columns = values.length / rows;
  const turned = values.slice() as Values;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return turned;
}
