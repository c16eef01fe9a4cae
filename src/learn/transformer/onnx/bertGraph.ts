import { type Bert, layerPrefix } from '../bert.js';
import { type Arithmetic, epsilonOf, type Precision, type Tokens } from './arithmetic.js';
import { fp32 } from './floatingPoint.js';
import { GraphBuilder } from './graphBuilder.js';
import type { ModelProto } from './schema.js';

/*
 * BERT (Devlin et al. 2019) as a graph of ONNX and onnxruntime's own operators for it. Inputs are `input_ids`,
 * `attention_mask` and `token_type_ids`, int64 `[B, T]`; rows are filled up on the right.
 */

/** One state a token, `[B, T, D]`. */
export const TOKEN_STATES = 'last_hidden_state';
/** `[B, D]` */
export const EMBEDDING = 'sentence_embedding';

const B = 'batch_size';
const T = 'sequence_length';

/** Below any length of a mean that is not zero; it stands in for zero, which nothing can be divided by. */
const SHORTEST = 1e-12;

/**
 * A sentence encoder.
 *
 * @returns a graph with the outputs `last_hidden_state` and `sentence_embedding`, the mean over the tokens of unit length;
 *   both float32.
 */
export function encoderModel(bert: Bert, precision: Precision): ModelProto {
  return encoder(bert, precision).model('encoder');
}

/**
 * The encoder in float32, that gives besides every state that is multiplied by a weight: what int8 arithmetic has to know
 * the ranges of.
 *
 * @returns the graph, and the names of those outputs; each is float32 `[B, T, D]` or `[B, T, F]`.
 */
export function observedModel(bert: Bert): {
  readonly model: ModelProto;
  readonly points: readonly string[];
} {
  const points = new Set<string>();
  const graph = encoder(bert, observing(fp32, points));
  for (const point of points) graph.output(point, 'float32', [B, T, `${point}.width`]);
  return { model: graph.model('encoder'), points: [...points] };
}

/**
 * The lower part of the encoder: its embeddings and first layers.
 *
 * @param layers 0 to all.
 * @param element of the output.
 * @returns a graph in float32 with the one output `last_hidden_state`, what layer `layers` gives.
 * @throws RangeError for more layers than there are.
 */
export function lowerLayersModel(bert: Bert, layers: number, element: 'float32' | 'float16'): ModelProto {
  if (!Number.isInteger(layers) || layers < 0 || layers > bert.shape.layers) {
    throw new RangeError(`${layers} layers of ${bert.shape.layers}`);
  }
  const graph = new GraphBuilder();
  const tokens = tokenInputs(graph);
  const { states } = transformer(graph, bert, fp32, tokens, layers);
  give(graph, states, 'float32', element);
  graph.output(TOKEN_STATES, element, [B, T, bert.shape.width]);
  return graph.model(`layers-${layers}`);
}

function encoder(bert: Bert, precision: Precision): GraphBuilder {
  const graph = new GraphBuilder();
  const tokens = tokenInputs(graph);
  const { states, element } = transformer(graph, bert, precision, tokens, bert.shape.layers);
  const { width } = bert.shape;
  const hidden = give(graph, states, element, 'float32');
  graph.output(TOKEN_STATES, 'float32', [B, T, width]);
  unitMean(graph, hidden, tokens.mask);
  graph.output(EMBEDDING, 'float32', [B, width]);
  return graph;
}

function tokenInputs(graph: GraphBuilder): Tokens {
  const input = (name: string) => graph.cast(graph.input(name, 'int64', [B, T]), 'int32', `${name}.int32`);
  const ids = input('input_ids');
  const mask = input('attention_mask');
  return { ids, mask, types: input('token_type_ids') };
}

function transformer(
  graph: GraphBuilder,
  bert: Bert,
  precision: Precision,
  tokens: Tokens,
  layers: number,
): { readonly states: string; readonly element: Arithmetic['element'] } {
  const arithmetic = precision(graph, bert);
  const embedded = arithmetic.embed(tokens, 'embeddings');
  const { mask } = embedded;
  let { states } = embedded;

  /** LayerNorm(x Wᵀ + b + residual) (post-norm, as BERT has it). */
  const project = (x: string, block: string, residual: string) => {
    const product = arithmetic.multiply(x, `${block}.dense.weight`, `${block}.dense`);
    const norm = [
      arithmetic.vector(`${block}.LayerNorm.weight`),
      arithmetic.vector(`${block}.LayerNorm.bias`),
    ];
    const inputs = [product, residual, ...norm, arithmetic.vector(`${block}.dense.bias`)];
    return graph.fused('SkipLayerNormalization', inputs, block, epsilonOf(bert));
  };

  for (let i = 0; i < layers; i++) {
    const layer = layerPrefix(i);
    const context = arithmetic.attend(states, mask, layer, `${layer}attention.self`);
    const attended = project(context, `${layer}attention.output`, states);
    const inner = arithmetic.multiply(
      attended,
      `${layer}intermediate.dense.weight`,
      `${layer}intermediate.dense`,
    );
    const activated = graph.fused(
      'BiasGelu',
      [inner, arithmetic.vector(`${layer}intermediate.dense.bias`)],
      `${layer}intermediate`,
    );
    states = project(activated, `${layer}output`, attended);
  }
  return { states, element: arithmetic.element };
}

/** Gives the states as `last_hidden_state`. */
function give(
  graph: GraphBuilder,
  states: string,
  from: Arithmetic['element'],
  to: Arithmetic['element'],
): string {
  return from === to ? graph.node('Identity', [states], TOKEN_STATES) : graph.cast(states, to, TOKEN_STATES);
}

/** The mean's direction is the sum's: `embedding = sum / |sum|` over the tokens that are no padding. */
function unitMean(graph: GraphBuilder, states: string, mask: string): void {
  const axis = (name: string, value: number) =>
    graph.constant(name, 'int64', [1], BigInt64Array.of(BigInt(value)));
  const real = graph.cast(mask, 'float32', 'mask.float32'); // [B, T]
  const counted = graph.node('Unsqueeze', [real, axis('last', -1)], 'mask'); // [B, T, 1]
  const unmasked = graph.node('Mul', [states, counted], 'counted'); // [B, T, D]
  const sum = graph.node('ReduceSum', [unmasked, axis('tokens', 1)], 'sum', { keepdims: { int: 0 } }); // [B, D]
  const length = graph.node('ReduceL2', [sum], 'sum.length', { axes: { ints: [-1] }, keepdims: { int: 1 } }); // [B, 1]
  const shortest = graph.constant('shortest', 'float32', [], Float32Array.of(SHORTEST));
  graph.node('Div', [sum, graph.node('Max', [length, shortest], 'sum.divisor')], EMBEDDING);
}

/** An arithmetic that notes what is multiplied. */
function observing(precision: Precision, points: Set<string>): Precision {
  return (graph, bert) => {
    const arithmetic = precision(graph, bert);
    return {
      ...arithmetic,
      attend: (states, ...rest) => arithmetic.attend(noted(states, points), ...rest),
      multiply: (x, ...rest) => arithmetic.multiply(noted(x, points), ...rest),
    };
  };
}

function noted(value: string, points: Set<string>): string {
  points.add(value);
  return value;
}
