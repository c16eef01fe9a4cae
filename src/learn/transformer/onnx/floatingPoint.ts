import { toFloat16 } from '../../../heads/float16.js';
import type { Tensor } from '../../../heads/safetensors.js';
import {
  EMBEDDING_NORM,
  EMBEDDING_TABLES,
  epsilonOf,
  headsOf,
  parameterOf,
  type Precision,
  queryKeyValue,
  transposed,
} from './arithmetic.js';
import type { GraphBuilder } from './graphBuilder.js';
import { quantiseRows } from './quantise.js';

/** How the parameters lie in the file; each gives a value of the states' element. */
interface Storage {
  readonly element: 'float32' | 'float16';
  vector(name: string, tensor: Tensor): string;
  /** For a weight `[outputs, inputs]`: `[inputs, outputs]`. */
  matrix(name: string, tensor: Tensor): string;
  /** For an embedding table, `[entries, D]` as it is. */
  table(name: string, tensor: Tensor): string;
}

/** As the model is: weights and states in float32. */
export const fp32: Precision = floatingPoint((graph) => ({
  element: 'float32',
  vector: (name, { shape, data }) => graph.constant(name, 'float32', shape, data),
  matrix: (name, { shape, data }) => {
    const [outputs, inputs] = shape as [number, number];
    return graph.constant(name, 'float32', [inputs, outputs], transposed(data, outputs));
  },
  table: (name, { shape, data }) => graph.constant(name, 'float32', shape, data),
}));

/**
 * For GPUs: states in float16, weights in 8 bits with a scale for each output, embeddings with one for each entry, which the
 * graph turns into float16. A runtime that is told not to keep the quantisation (`session.disable_quant_qdq`) does so once, at
 * load.
 */
export const q8f16: Precision = floatingPoint((graph) => ({
  element: 'float16',
  vector: (name, { shape, data }) => graph.constant(name, 'float16', shape, toFloat16(data)),
  matrix: (name, { shape, data }) => {
    const [outputs, inputs] = shape as [number, number];
    const { values, scales } = quantiseRows(data, outputs, 127);
    return dequantised(graph, name, [inputs, outputs], transposed(values, outputs), scales, 1);
  },
  table: (name, { shape, data }) => {
    const { values, scales } = quantiseRows(data, shape[0]!, 127);
    return dequantised(graph, name, shape, values, scales, 0);
  },
}));

/** @param axis which the scales lie along. */
function dequantised(
  graph: GraphBuilder,
  name: string,
  shape: readonly number[],
  values: Int8Array,
  scales: Float32Array,
  axis: number,
): string {
  const inputs = [
    graph.constant(`${name}.int8`, 'int8', shape, values),
    graph.constant(`${name}.scale`, 'float32', [scales.length], scales),
  ];
  const real = graph.node('DequantizeLinear', inputs, `${name}.float32`, { axis: { int: axis } });
  return graph.cast(real, 'float16', name);
}

/** The transformer in floating point, over any way to keep the parameters. */
function floatingPoint(storageIn: (graph: GraphBuilder) => Storage): Precision {
  return (graph, bert) => {
    const storage = storageIn(graph);
    const vector = (name: string) => storage.vector(name, parameterOf(bert, name));
    return {
      element: storage.element,
      vector,
      embed({ ids, types, mask }, output) {
        const tables = EMBEDDING_TABLES.map((name) => storage.table(name, parameterOf(bert, name)));
        const inputs = [ids, types, ...tables, ...EMBEDDING_NORM.map(vector), mask];
        const lengths = `${output}.lengths`;
        const states = graph.fused('EmbedLayerNormalization', inputs, [output, lengths], epsilonOf(bert));
        return { states, mask: lengths };
      },
      attend(states, mask, layer, output) {
        const { weight, bias } = queryKeyValue(bert, layer);
        const parameters = [
          storage.matrix(`${output}.weight`, weight),
          storage.vector(`${output}.bias`, bias),
        ];
        return graph.fused('Attention', [states, ...parameters, mask], output, headsOf(bert));
      },
      multiply: (x, weight, output) =>
        graph.node('MatMul', [x, storage.matrix(weight, parameterOf(bert, weight))], output),
    };
  };
}
