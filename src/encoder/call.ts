import { KshotError } from '../errors.js';
import type { Encoded } from './encoder.js';

/** One `encode` call on its way: its rows come in as passes end; it settles once. */
export class Call {
  readonly result: Promise<Encoded>;
  settled = false;
  /** What to do when it settles before its rows are done: cancelled, or failed with another row's pass. */
  onAbandoned: (() => void) | undefined;
  private readonly embeddings: Float32Array;
  private readonly truncated: boolean[];
  private missing: number;
  private resolve!: (encoded: Encoded) => void;
  private reject!: (error: unknown) => void;
  private readonly abort = (): void => this.fail(new KshotError('cancelled', 'The request was cancelled'));

  constructor(
    rows: number,
    private readonly dimension: number,
    private readonly signal: AbortSignal | undefined,
    /** As EncoderObserver tells it. */
    readonly caller?: unknown,
  ) {
    this.embeddings = new Float32Array(rows * dimension);
    this.truncated = new Array<boolean>(rows).fill(false);
    this.missing = rows;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (signal?.aborted === true) this.abort();
    else if (rows === 0) this.succeed();
    else signal?.addEventListener('abort', this.abort, { once: true });
  }

  /** @param embedding `[D]`, copied. */
  setRow(row: number, embedding: Float32Array, truncated: boolean): void {
    if (this.settled) return;
    this.embeddings.set(embedding, row * this.dimension);
    this.truncated[row] = truncated;
    this.missing--;
    if (this.missing === 0) this.succeed();
  }

  fail(error: unknown): void {
    if (this.settled) return;
    this.settle();
    this.reject(error);
    this.onAbandoned?.();
  }

  private succeed(): void {
    this.settle();
    this.resolve({ rows: this.truncated.length, embeddings: this.embeddings, truncated: this.truncated });
  }

  private settle(): void {
    this.settled = true;
    this.signal?.removeEventListener('abort', this.abort);
  }
}
