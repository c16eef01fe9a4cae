import { GraphSession, type GraphValue } from './graphSession.js';
import type { ModelProto } from './schema.js';

/** Rows of tokens, filled up on the right to one length. */
export interface TokenRows {
  readonly rows: number;
  /** `[rows, T]`; those that are masked may be any of the vocabulary. */
  readonly ids: ArrayLike<number>;
  /** `[rows, T]`: 1 on texts, 0 behind them. All are texts by default. */
  readonly mask?: ArrayLike<number>;
}

/** What an output gave: `float32`, or `float16` as its bits. */
export interface OutputValues {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array;
}

/** A graph that takes tokens, in onnxruntime. */
export class TokenGraph {
  private constructor(private readonly session: GraphSession) {}

  /** As `GraphSession.open`. */
  static async open(model: ModelProto, threads?: number): Promise<TokenGraph> {
    return new TokenGraph(await GraphSession.open(model, threads));
  }

  /**
   * @param outputs names.
   * @returns theirs, by name.
   * @throws onnxruntime's error, among others for ids beyond the vocabulary and rows longer than there are positions.
   */
  async run<Name extends string>(
    { rows, ids, mask }: TokenRows,
    outputs: readonly Name[],
  ): Promise<Record<Name, OutputValues>> {
    const value = (data: BigInt64Array): GraphValue => ({
      element: 'int64',
      shape: [rows, ids.length / rows],
      data,
    });
    const numbers = (values: ArrayLike<number>) =>
      value(BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]!)));
    const inputs = {
      input_ids: numbers(ids),
      attention_mask: mask === undefined ? value(new BigInt64Array(ids.length).fill(1n)) : numbers(mask),
      token_type_ids: value(new BigInt64Array(ids.length)),
    };
    return (await this.session.run(inputs, outputs)) as Record<Name, OutputValues>;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
