import { basename } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { normaliseRows, pool, type Pooling } from './pooling.js';
import type { PackedBatch, SessionSettings } from './sessionProtocol.js';

/** Outputs that hold one state a token, `[rows, length, D]`, by the names that exporters give them. */
const TOKEN_OUTPUTS = ['last_hidden_state', 'token_embeddings'];
const SENTENCE_OUTPUT = 'sentence_embedding';
const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'] as const;
type InputName = (typeof INPUTS)[number];

/** The graph asks for, or gives, what a text encoder does not have. */
export class UnsuitableGraphError extends Error {
  override readonly name = 'UnsuitableGraphError';
}

/** An ONNX graph that turns token ids into embeddings. Its passes block the thread that they run on. */
export class Graph {
  private constructor(
    private readonly session: InferenceSession,
    private readonly inputs: readonly InputName[],
    private readonly output: string,
    private readonly pooling: Pooling,
    private readonly padId: number,
  ) {}

  /**
   * @throws UnsuitableGraphError for inputs or outputs that are none of an encoder's, and whatever onnxruntime
   *   throws when the file or the device is not to be had.
   */
  static async open(settings: SessionSettings): Promise<Graph> {
    const session = await InferenceSession.create(settings.weights, sessionOptions(settings));
    const inputs = session.inputMetadata.map((input) => {
      const name = INPUTS.find((known) => known === input.name);
      if (name === undefined || !input.isTensor || input.type !== 'int64') {
        throw new UnsuitableGraphError(
          `the graph's input "${input.name}" is none of an encoder's (${INPUTS.join(', ')}; int64)`,
        );
      }
      return name;
    });
    const output = [SENTENCE_OUTPUT, ...TOKEN_OUTPUTS]
      .map((name) => session.outputMetadata.find((candidate) => candidate.name === name))
      .find((candidate) => candidate !== undefined);
    if (output === undefined || !output.isTensor || output.type !== 'float32') {
      throw new UnsuitableGraphError(
        `the graph has no float32 output ${[SENTENCE_OUTPUT, ...TOKEN_OUTPUTS].join(' or ')}, ` +
          `only ${session.outputNames.join(', ')}`,
      );
    }
    return new Graph(session, inputs, output.name, settings.pooling, settings.padId);
  }

  /**
   * Runs the texts as one padded batch.
   *
   * @returns `[rows, D]`, unit length.
   */
  async embed(batch: PackedBatch): Promise<Float32Array> {
    const rows = batch.lengths.length;
    const length = batch.lengths.reduce((longest, tokens) => Math.max(longest, tokens), 0);
    const { ids, mask } = pad(batch, length, this.padId);
    const values: Record<InputName, () => BigInt64Array> = {
      input_ids: () => ids,
      attention_mask: () => mask,
      token_type_ids: () => new BigInt64Array(rows * length),
    };
    const feeds = Object.fromEntries(
      this.inputs.map((name) => [name, new Tensor('int64', values[name](), [rows, length])]),
    );
    const output = (await this.session.run(feeds, [this.output]))[this.output] as Tensor;
    const states = output.data as Float32Array;
    const dimension = output.dims.at(-1) ?? 0;
    const embeddings =
      this.output === SENTENCE_OUTPUT ? states : pool(states, batch.lengths, length, dimension, this.pooling);
    if (embeddings.length !== rows * dimension) {
      throw new UnsuitableGraphError(
        `the graph's output "${this.output}" has shape [${output.dims.join(', ')}] for ${rows} texts of ${length} tokens`,
      );
    }
    normaliseRows(embeddings, dimension);
    return embeddings;
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

/**
 * Measured on 2 cores, 32 x 16 tokens: onnxruntime's own number of threads is as fast as any other and twice as fast
 * as one thread; its spinning threads make a single text 1.5 times as fast and cost nothing in throughput; the
 * parallel execution mode is half as fast. So nothing of that is set.
 */
function sessionOptions(settings: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: [settings.device],
    ...(settings.threads === 0 ? {} : { intraOpNumThreads: settings.threads }),
    // Int8 weights under fp16 activations: with this a GPU dequantises them once, at load.
    ...(settings.device !== 'cpu' && basename(settings.weights).includes('q8f16')
      ? { extra: { session: { disable_quant_qdq: '1' } } }
      : {}),
  };
}

/** Rows side by side, filled up on the right to `length`: `[rows, length]` ids, and a mask that is 1 on texts. */
function pad(batch: PackedBatch, length: number, padId: number): { ids: BigInt64Array; mask: BigInt64Array } {
  const size = batch.lengths.length * length;
  const ids = new BigInt64Array(size).fill(BigInt(padId));
  const mask = new BigInt64Array(size);
  let from = 0;
  batch.lengths.forEach((tokens, row) => {
    for (let t = 0; t < tokens; t++) {
      ids[row * length + t] = BigInt(batch.ids[from + t] ?? padId);
      mask[row * length + t] = 1n;
    }
    from += tokens;
  });
  return { ids, mask };
}
