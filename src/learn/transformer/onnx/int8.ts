import { KshotError } from '../../../errors.js';
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
import { affineOf, quantiseAffine, quantiseRows, type Range } from './quantise.js';

/**
 * Of seven bits, not eight: processors without VNNI (x86 before Ice Lake and Zen 4) add two products of 8 bits in 16, and cut
 * off what does not fit: 2 * 255 * 127. With 2 * 255 * 63 everything fits, and an embedding is the same on every processor.
 */
const LARGEST_WEIGHT = 63;

/**
 * For the CPU: multiplications in integers. Weights have signed 7 bits with a scale for each output; states are quantised to
 * unsigned 8 bits before each multiplication, by ranges that are fixed beforehand, so that what a text's embedding is does not
 * depend on the texts beside it. The sums between the multiplications and the normalisations are float32.
 *
 * @param ranges of the states that are multiplied, by their names (`calibrate`).
 * @throws KshotError `invalid_configuration`, when a graph is built, for states whose range is not among them.
 */
export function int8(ranges: ReadonlyMap<string, Range>): Precision {
  return (graph, bert) => {
    const scalar = (name: string, value: number) =>
      graph.constant(name, 'float32', [], Float32Array.of(value));
    const zeroPoint = (name: string, value: number) =>
      graph.constant(name, 'uint8', [], Uint8Array.of(value));
    const vector = (name: string) => {
      const { shape, data } = parameterOf(bert, name);
      return graph.constant(name, 'float32', shape, data);
    };

    const quantised = (x: string) => {
      const range = ranges.get(x);
      if (range === undefined) {
        throw new KshotError(
          'invalid_configuration',
          `the calibration has no range of ${x}: it is of another model`,
        );
      }
      const affine = affineOf(range);
      const scale = scalar(`${x}.scale`, affine.scale);
      const zero = zeroPoint(`${x}.zero_point`, affine.zeroPoint);
      const values = graph.node('QuantizeLinear', [x, scale, zero], `${x}.uint8`);
      return { values, scale, zero, unit: affine.scale };
    };

    /** `[inputs, outputs]`, and the scales of the outputs. */
    const matrix = (name: string, { shape, data }: Tensor) => {
      const [outputs, inputs] = shape as [number, number];
      const { values, scales } = quantiseRows(data, outputs, LARGEST_WEIGHT);
      return {
        values: graph.constant(`${name}.int8`, 'int8', [inputs, outputs], transposed(values, outputs)),
        scales,
      };
    };

    return {
      element: 'float32',
      vector,
      embed({ ids, types, mask }, output) {
        const parameters = [...EMBEDDING_TABLES, ...EMBEDDING_NORM].map((name) => {
          const { shape, data } = parameterOf(bert, name);
          const table = quantiseAffine(data);
          return {
            values: graph.constant(`${name}.uint8`, 'uint8', shape, table.values),
            scale: scalar(`${name}.scale`, table.scale),
            zero: zeroPoint(`${name}.zero_point`, table.zeroPoint),
          };
        });
        const inputs = [
          ids,
          types,
          ...parameters.map(({ values }) => values),
          mask,
          ...parameters.map(({ scale }) => scale),
          ...parameters.map(({ zero }) => zero),
        ];
        const lengths = `${output}.lengths`;
        const states = graph.fused('QEmbedLayerNormalization', inputs, [output, lengths], epsilonOf(bert));
        return { states, mask: lengths };
      },
      attend(states, mask, layer, output) {
        const { weight, bias } = queryKeyValue(bert, layer);
        const x = quantised(states);
        const { values, scales } = matrix(`${output}.weight`, weight);
        const inputs = [
          x.values,
          values,
          graph.constant(`${output}.bias`, 'float32', bias.shape, bias.data),
          x.scale,
          graph.constant(`${output}.weight.scale`, 'float32', [scales.length], scales),
          mask,
          x.zero,
          graph.constant(
            `${output}.weight.zero_point`,
            'int8',
            [scales.length],
            new Int8Array(scales.length),
          ),
        ];
        return graph.fused('QAttention', inputs, output, headsOf(bert));
      },
      multiply(x, weight, output) {
        const left = quantised(x);
        const { values, scales } = matrix(weight, parameterOf(bert, weight));
        const product = graph.node('MatMulInteger', [left.values, values, left.zero], `${output}.int32`);
        const unit = scales.map((scale) => scale * left.unit);
        return graph.node(
          'Mul',
          [
            graph.cast(product, 'float32', `${output}.sum`),
            graph.constant(`${output}.scale`, 'float32', [unit.length], unit),
          ],
          output,
        );
      },
    };
  };
}
