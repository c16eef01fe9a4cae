import { basename } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { normaliseRows, pool, poolSpans, type Pooling } from './pooling.js';
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
    /** Absent where the graph gives embeddings alone. */
    private readonly tokenOutput: string | undefined,
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
    const isOutput = (name: string): boolean =>
      session.outputMetadata.some(
        (known) => known.name === name && known.isTensor && known.type === 'float32',
      );
    const tokenOutput = TOKEN_OUTPUTS.find(isOutput);
    const output = isOutput(SENTENCE_OUTPUT) ? SENTENCE_OUTPUT : tokenOutput;
    if (output === undefined) {
      throw new UnsuitableGraphError(
        `the graph has no float32 output ${[SENTENCE_OUTPUT, ...TOKEN_OUTPUTS].join(' or ')}, ` +
          `only ${session.outputNames.join(', ')}`,
      );
    }
    return new Graph(session, inputs, output, tokenOutput, settings.pooling, settings.padId);
  }

  /**
   * Runs the texts as one padded batch.
   *
   * @returns `[rows, D]`, or `[rows, 1 + S, D]` where the batch has spans: the embedding, then the spans. Unit length.
   * @throws UnsuitableGraphError for outputs of a shape that is no encoder's, and for spans if there are no token states.
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
    const hidden = batch.spans === undefined ? undefined : this.requireTokenOutput();
    const outputs = await this.session.run(feeds, [
      ...new Set([this.output, ...(hidden === undefined ? [] : [hidden])]),
    ]);
    const output = outputs[this.output] as Tensor;
    const states = output.data as Float32Array;
    const dimension = output.dims.at(-1) ?? 0;
    const embeddings =
      this.output === SENTENCE_OUTPUT ? states : pool(states, batch.lengths, length, dimension, this.pooling);
    if (embeddings.length !== rows * dimension) throw unexpectedShape(this.output, output, rows, length);
    if (batch.spans === undefined || hidden === undefined) {
      normaliseRows(embeddings, dimension);
      return embeddings;
    }
    const tokens = outputs[hidden] as Tensor;
    if (tokens.size !== rows * length * dimension) throw unexpectedShape(hidden, tokens, rows, length);
    const pooled = poolSpans(tokens.data as Float32Array, batch.spans, embeddings, length, dimension);
    normaliseRows(pooled, dimension);
    return pooled;
  }

  private requireTokenOutput(): string {
    if (this.tokenOutput !== undefined) return this.tokenOutput;
    throw new UnsuitableGraphError(`the graph has no float32 output ${TOKEN_OUTPUTS.join(' or ')}`);
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

function unexpectedShape(name: string, { dims }: Tensor, rows: number, length: number): UnsuitableGraphError {
  return new UnsuitableGraphError(
    `the graph's output "${name}" has shape [${dims.join(', ')}] for ${rows} texts of ${length} tokens`,
  );
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
