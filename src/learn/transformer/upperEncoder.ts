import { numpy as np } from '@jax-js/jax';
import type { BertShape, LayerPart } from './bert.js';
import { type Chunk, chunksOf } from './chunks.js';
import type { LayerParams } from './layers.js';
import { GraphSession, type GraphValue } from './onnx/graphSession.js';
import {
  parameterInput,
  slopeOutput,
  UPPER_EMBEDDINGS,
  UPPER_INPUTS,
  upperLayersModel,
} from './onnx/upperLayers.js';
import type { TokenInput } from './tokenInput.js';
import type { TokenStates } from './tokenStates.js';

/** Texts that have been embedded, kept for the way back. */
export interface Traced {
  /** `[n, S D]`, each of unit length. */
  readonly embeddings: Float32Array;
  readonly chunks: readonly LaidChunk[];
}

interface LaidChunk extends Chunk {
  /** `states`, `mask` and `pooling` of the graph. */
  readonly inputs: Readonly<Record<string, GraphValue>>;
}

/**
 * The layers that learn, over the kept states of those that do not. An episode's texts go through them chunk by chunk, once for
 * the embeddings and once more for the gradient, so that what a step takes in memory does not grow with the episode (gradient
 * caching: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup").
 *
 * Both ways are graphs in onnxruntime (src/learn/transformer/onnx/tape.ts), which multiplies 3 to 4 times as fast as jax-js's
 * WebAssembly, on all cores, and for any shape.
 */
export class UpperEncoder {
  readonly #states: TokenStates;
  readonly #forward: GraphSession;
  readonly #backward: GraphSession;

  private constructor(states: TokenStates, forward: GraphSession, backward: GraphSession) {
    this.#states = states;
    this.#forward = forward;
    this.#backward = backward;
  }

  /**
   * @param layers how many of the shape's layers learn, from the last.
   * @param parts S, of every text.
   * @param threads as `GraphSession.open` has it.
   */
  static async open(
    shape: BertShape,
    layers: number,
    parts: number,
    states: TokenStates,
    threads?: number,
  ): Promise<UpperEncoder> {
    const forward = await GraphSession.open(upperLayersModel(shape, layers, parts, false), threads);
    const backward = await GraphSession.open(upperLayersModel(shape, layers, parts, true), threads);
    return new UpperEncoder(states, forward, backward);
  }

  /** Embeddings of texts: `[n, S D]`, each of unit length. @param params not consumed. */
  async embed(params: readonly LayerParams[], texts: readonly TokenInput[]): Promise<Float32Array> {
    const embeddings = new Float32Array(texts.length * this.#width(texts));
    for await (const pass of this.#passes(params, texts, embeddings)) void pass;
    return embeddings;
  }

  /** Embeddings of texts, and what `gradient` needs. @param params not consumed. */
  async trace(params: readonly LayerParams[], texts: readonly TokenInput[]): Promise<Traced> {
    const embeddings = new Float32Array(texts.length * this.#width(texts));
    const chunks: LaidChunk[] = [];
    for await (const chunk of this.#passes(params, texts, embeddings)) chunks.push(chunk);
    return { embeddings, chunks };
  }

  /**
   * The gradient of a loss with respect to the parameters.
   *
   * @param params not consumed.
   * @param slope `[n, S D]`: the gradient of the loss with respect to the embeddings.
   */
  async gradient(
    params: readonly LayerParams[],
    { chunks, embeddings }: Traced,
    slope: Float32Array,
  ): Promise<LayerParams[]> {
    const parameters = parameterInputs(params);
    const outputs = Object.keys(parameters).map(slopeOutput);
    const texts = chunks.reduce((sum, { members }) => sum + members.length, 0);
    const width = embeddings.length / texts;
    const sums = new Map<string, Float32Array>();
    for (const { members, inputs } of chunks) {
      const D = this.#states.width;
      const part: GraphValue = {
        element: 'float32',
        shape: [members.length, width / D, D],
        data: rowsOf(slope, members, width),
      };
      const slopes = await this.#backward.run(
        { ...parameters, ...inputs, [UPPER_INPUTS.slope]: part },
        outputs,
      );
      for (const output of outputs) addTo(sums, output, slopes[output]!.data as Float32Array);
    }
    return params.map((layer, i) => {
      const parts = Object.entries(layer).map(([part, { weight, bias }]) => {
        const arrayOf = (kind: 'weight' | 'bias', { shape }: np.Array) => {
          const sum = sums.get(slopeOutput(parameterInput(i, part as LayerPart, kind)))!;
          return np.array(sum, { shape: [...shape] });
        };
        return [part, { weight: arrayOf('weight', weight), bias: arrayOf('bias', bias) }];
      });
      return Object.fromEntries(parts) as LayerParams;
    });
  }

  async close(): Promise<void> {
    await this.#forward.close();
    await this.#backward.close();
  }

  /** Chunk by chunk, as it was laid out; its embeddings are put in their places. */
  async *#passes(
    params: readonly LayerParams[],
    texts: readonly TokenInput[],
    embeddings: Float32Array,
  ): AsyncGenerator<LaidChunk> {
    const width = this.#width(texts);
    const parameters = parameterInputs(params);
    for (const chunk of chunksOf(texts)) {
      const laid = await this.#layOut(chunk, texts);
      const given = await this.#forward.run({ ...parameters, ...laid.inputs }, [UPPER_EMBEDDINGS]);
      const rows = given[UPPER_EMBEDDINGS].data as Float32Array;
      for (const [at, i] of chunk.members.entries()) {
        embeddings.set(rows.subarray(at * width, (at + 1) * width), i * width);
      }
      yield laid;
    }
  }

  /** S D */
  #width(texts: readonly TokenInput[]): number {
    return (texts[0]?.parts.length ?? 1) * this.#states.width;
  }

  async #layOut(chunk: Chunk, texts: readonly TokenInput[]): Promise<LaidChunk> {
    const { members } = chunk;
    const T = this.#states.paddedLength(chunk.length);
    const inputs = members.map((i) => texts[i]!);
    const B = inputs.length;
    const S = inputs[0]!.parts.length;
    const mask = new Float32Array(B * T);
    const pooling = new Float32Array(B * S * T);
    for (const [row, { ids, parts }] of inputs.entries()) {
      mask.fill(1, row * T, row * T + ids.length);
      for (const [s, [from, to]] of parts.entries()) {
        const at = (row * S + s) * T;
        pooling.fill(1 / (to - from), at + from, at + to);
      }
    }
    const states = await this.#states.read(inputs, T);
    return {
      ...chunk,
      inputs: {
        [UPPER_INPUTS.states]: { element: 'float16', shape: [B, T, this.#states.width], data: states },
        [UPPER_INPUTS.mask]: { element: 'float32', shape: [B, T], data: mask },
        [UPPER_INPUTS.pooling]: { element: 'float32', shape: [B, S, T], data: pooling },
      },
    };
  }
}

/** The parameters as the graph takes them. */
function parameterInputs(params: readonly LayerParams[]): Record<string, GraphValue> {
  const inputs: Record<string, GraphValue> = {};
  for (const [i, layer] of params.entries()) {
    for (const [part, pair] of Object.entries(layer)) {
      for (const kind of ['weight', 'bias'] as const) {
        const { shape } = pair[kind];
        const data = pair[kind].ref.dataSync() as Float32Array;
        inputs[parameterInput(i, part as LayerPart, kind)] = { element: 'float32', shape, data };
      }
    }
  }
  return inputs;
}

/** Rows of `width` numbers, one after the other. */
function rowsOf(numbers: Float32Array, rows: readonly number[], width: number): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries()) {
    gathered.set(numbers.subarray(row * width, (row + 1) * width), at * width);
  }
  return gathered;
}

function addTo(sums: Map<string, Float32Array>, name: string, numbers: Float32Array): void {
  const sum = sums.get(name);
  if (sum === undefined) sums.set(name, numbers.slice());
  else for (let i = 0; i < sum.length; i++) sum[i]! += numbers[i]!;
}
