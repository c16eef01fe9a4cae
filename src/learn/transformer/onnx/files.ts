import type { Bert } from '../bert.js';
import { encoderModel } from './bertGraph.js';
import { fp32, q8f16 } from './floatingPoint.js';
import { int8 } from './int8.js';
import type { Range } from './quantise.js';
import type { ModelProto } from './schema.js';

/** What a weights' file is and has to keep. */
export interface WeightsFile {
  /** Its name without `.onnx`, by which src/encoder/modelDirectory.ts chooses it for a device. */
  readonly stem: string;
  /** In the model card. */
  readonly purpose: string;
  /** The least that the mean cosine to the embeddings of float32 may be. */
  readonly meanCosine: number;
  /** The most that a component of an embedding may be off those of float32. */
  readonly deviation: number;
  readonly model: (bert: Bert, ranges: ReadonlyMap<string, Range>) => ModelProto;
}

/** The files of an encoder, by precision. */
export const WEIGHTS_FILES = {
  int8: {
    stem: 'model_quantized',
    purpose: 'CPU: static int8, signed weights with a scale for each output, fixed ranges of the activations',
    meanCosine: 0.98,
    deviation: Infinity,
    model: (bert, ranges) => encoderModel(bert, int8(ranges)),
  },
  q8f16: {
    stem: 'model_q8f16',
    purpose: 'GPU: weights in 8 bits, dequantised to float16, activations float16, outputs float32',
    meanCosine: 0.999,
    deviation: Infinity,
    model: (bert) => encoderModel(bert, q8f16),
  },
  fp32: {
    stem: 'model',
    purpose: 'float32, for comparison',
    meanCosine: 0.999,
    deviation: 1e-4,
    model: (bert) => encoderModel(bert, fp32),
  },
} as const satisfies Record<string, WeightsFile>;

export type WeightsFileName = keyof typeof WEIGHTS_FILES;
