import type * as onnxruntime from 'onnxruntime-node';
import { encodeModel, type ModelProto } from './schema.js';

/** Numbers that go into a graph or come out of it; of float16 the bits. */
export interface GraphValue {
  readonly element: 'float32' | 'float16' | 'int64';
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array | BigInt64Array;
}

/** A graph of this folder in onnxruntime, on the CPU. Its passes block the thread that asks for them. */
export class GraphSession {
  private constructor(
    private readonly runtime: typeof onnxruntime,
    private readonly session: onnxruntime.InferenceSession,
  ) {}

  /**
   * @param threads 0 leaves their number to onnxruntime: one a physical core.
   * @throws onnxruntime's error for a graph that it cannot run.
   */
  static async open(model: ModelProto, threads = 0): Promise<GraphSession> {
    process.env['ORT_DISABLE_TELEMETRY'] ??= '1'; // before it loads, as in src/encoder/session.ts
    const runtime = await import('onnxruntime-node');
    const session = await runtime.InferenceSession.create(encodeModel(model), {
      executionProviders: ['cpu'],
      ...(threads === 0 ? {} : { intraOpNumThreads: threads }),
    });
    return new GraphSession(runtime, session);
  }

  /**
   * @param outputs names.
   * @returns theirs, by name.
   * @throws onnxruntime's error for inputs that do not fit.
   */
  async run<Name extends string>(
    inputs: Readonly<Record<string, GraphValue>>,
    outputs: readonly Name[],
  ): Promise<Record<Name, GraphValue>> {
    const feeds = Object.entries(inputs).map(([name, { element, shape, data }]) => [
      name,
      new this.runtime.Tensor(element as 'float32', data as Float32Array, shape),
    ]);
    const results = await this.session.run(
      Object.fromEntries(feeds) as Record<string, onnxruntime.Tensor>,
      outputs,
    );
    return Object.fromEntries(outputs.map((name) => [name, valueOf(results[name]!)])) as Record<
      Name,
      GraphValue
    >;
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

function valueOf({ type, dims, data }: onnxruntime.Tensor): GraphValue {
  const element = type as GraphValue['element'];
  const numbers = data as Float32Array | Uint16Array;
  if (element !== 'float16') return { element, shape: dims, data: numbers };
  // Newer releases of Node.js have a Float16Array.
  return { element, shape: dims, data: new Uint16Array(numbers.buffer, numbers.byteOffset, numbers.length) };
}
