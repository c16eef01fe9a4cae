import { type BertShape, LAYER_PARTS, type LayerPart, partShape } from '../bert.js';
import { GraphBuilder } from './graphBuilder.js';
import type { ModelProto } from './schema.js';
import { type NamedPair, Tape } from './tape.js';

/** What a graph is given besides the parameters. */
export const UPPER_INPUTS = { states: 'states', mask: 'mask', pooling: 'pooling', slope: 'slope' } as const;
export const UPPER_EMBEDDINGS = 'embeddings';

/** Below any score, yet nothing that makes a row of padding alone undefined. */
const OUT_OF_REACH = -1e4;

/** The name of a parameter as an input of the graph. */
export function parameterInput(layer: number, part: LayerPart, kind: 'weight' | 'bias'): string {
  return `${layer}.${part}.${kind}`;
}

/** The output that has the slope of a parameter. */
export function slopeOutput(parameter: string): string {
  return `slope of ${parameter}`;
}

/**
 * The last layers of a BERT and the pooling behind them, with the parameters as inputs: what they give changes while they learn.
 *
 * Inputs: `states` float16 `[B, T, D]`, what leaves the layer below; `mask` `[B, T]`, 1 for a token; `pooling` `[B, S, T]`, what of
 * each token is in each part of a text; the parameters. Output `embeddings` `[B, S, D]`: each part's mean, of length 1 / √S, so
 * that the parts of a text, joined, are of unit length.
 *
 * @param parts S.
 * @param backward whether the graph gives, instead, the slopes of the parameters for the input `slope` `[B, S, D]`: that of a
 *   loss with respect to the embeddings.
 */
export function upperLayersModel(
  shape: BertShape,
  layers: number,
  parts: number,
  backward: boolean,
): ModelProto {
  const { width: D, heads, epsilon } = shape;
  const graph = new GraphBuilder();
  const tape = new Tape(graph);
  const parameters = new Map<string, readonly number[]>();
  const layerParameters = (layer: number): Record<LayerPart, NamedPair> => {
    const pair = (part: LayerPart): NamedPair => {
      const dims = partShape(shape, part);
      const parameter = (kind: 'weight' | 'bias', own: readonly number[]) => {
        const name = parameterInput(layer, part, kind);
        parameters.set(name, own);
        return tape.parameter(name, own);
      };
      return { weight: parameter('weight', dims), bias: parameter('bias', dims.slice(0, 1)) };
    };
    const pairs = (Object.keys(LAYER_PARTS) as LayerPart[]).map((part) => [part, pair(part)]);
    return Object.fromEntries(pairs) as Record<LayerPart, NamedPair>;
  };

  const halves = graph.input(UPPER_INPUTS.states, 'float16', ['B', 'T', D]);
  const states = graph.cast(halves, 'float32', 'states.float32');
  const mask = graph.input(UPPER_INPUTS.mask, 'float32', ['B', 'T']);
  const pooling = graph.input(UPPER_INPUTS.pooling, 'float32', ['B', parts, 'T']);
  const bias = outOfReach(graph, mask);

  /** Scaled dot-product attention (Vaswani et al. 2017, eq. 1) on rows `[B T, D]`. */
  const attention = (rows: string, { query, key, value }: Record<LayerPart, NamedPair>) => {
    const byHead = (part: NamedPair) => {
      const tokens = tape.shapedAs(tape.linear(rows, part), states); // [B, T, D]
      return tape.transpose(tape.reshape(tokens, [0, 0, heads, D / heads]), [0, 2, 1, 3]); // [B, H, T, D / H]
    };
    const turnedKeys = tape.transpose(byHead(key), [0, 1, 3, 2]);
    const scores = tape.scale(tape.multiply(byHead(query), turnedKeys, 4), Math.sqrt(heads / D)); // [B, H, T, T]
    const attended = tape.multiply(tape.softmax(scores, bias), byHead(value), 4);
    return tape.reshape(tape.transpose(attended, [0, 2, 1, 3]), [-1, D]);
  };

  let rows = tape.reshape(states, [-1, D]);
  for (let layer = 0; layer < layers; layer++) {
    const p = layerParameters(layer);
    const attended = tape.linear(attention(rows, p), p.context);
    const mixed = tape.layerNorm(tape.add(attended, rows), p.contextNorm, epsilon);
    const widened = tape.gelu(tape.linear(mixed, p.inner));
    rows = tape.layerNorm(tape.add(tape.linear(widened, p.outer), mixed), p.outerNorm, epsilon);
  }
  const pooled = tape.multiply(pooling, tape.shapedAs(rows, states), 3); // [B, S, D]
  const embeddings = tape.scale(tape.unit(pooled), 1 / Math.sqrt(parts));
  if (!backward) {
    graph.node('Identity', [embeddings], UPPER_EMBEDDINGS);
    graph.output(UPPER_EMBEDDINGS, 'float32', ['B', parts, D]);
    return graph.model('upper-layers');
  }
  const slopeOf = tape.backward(embeddings, graph.input(UPPER_INPUTS.slope, 'float32', ['B', parts, D]));
  for (const [parameter, dims] of parameters) {
    graph.node('Identity', [slopeOf(parameter)], slopeOutput(parameter));
    graph.output(slopeOutput(parameter), 'float32', dims);
  }
  return graph.model('upper-layers-backward');
}

/** `[B, T]` to `[B, 1, 1, T]`: 0 for a token, far below any score for padding. */
function outOfReach(graph: GraphBuilder, mask: string): string {
  const one = graph.constant('one', 'float32', [], Float32Array.of(1));
  const far = graph.constant('out of reach', 'float32', [], Float32Array.of(OUT_OF_REACH));
  const padding = graph.node('Mul', [graph.node('Sub', [one, mask], 'padding'), far], 'padding.score');
  const axes = graph.constant('heads and queries', 'int64', [2], BigInt64Array.of(1n, 2n));
  return graph.node('Unsqueeze', [padding, axes], 'padding.bias');
}
