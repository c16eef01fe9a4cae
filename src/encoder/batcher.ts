import type { EncoderObserver } from './encoder.js';
import { KshotError } from '../errors.js';
import type { Call } from './call.js';
import type { Session } from './session.js';
import { takeBatch, type BatchLimits } from './takeBatch.js';
import { Throughput } from './throughput.js';
import type { TextTokenizer } from './tokenizer.js';
import { WaitingRows, type Row } from './waitingRows.js';

export interface BatcherOptions {
  readonly limits: BatchLimits;
  /** Texts that may wait; work in the background is not counted. */
  readonly maxQueuedTexts: number;
  /** How long they may be expected to wait, in milliseconds. */
  readonly maxQueueMs: number;
  /** A clock that runs forward, in milliseconds; the process's own by default. */
  readonly now?: (() => number) | undefined;
  readonly observer: EncoderObserver | undefined;
  /** Told of every text that was embedded; `embedding` is a view that must be copied to be kept. */
  readonly embedded: (text: string, embedding: Float32Array, truncated: boolean) => void;
}

/** A batch is chosen from so many of the oldest rows: enough to find texts of like length, few enough to sort. */
const CANDIDATES = 512;
/** Texts that are tokenised in one turn of the event loop while a pass runs: some 2 ms. */
const TOKENISED_PER_TURN = 64;
const SHORTEST_RETRY_MS = 50;

/**
 * Lets calls that overlap in time share forward passes, without a timer: a batch is whatever is queued when the
 * session is free (after huggingface/text-embeddings-inference, `core/src/queue.rs`). While a full batch waits, one
 * pass is asked for ahead, so that the session never idles between two.
 */
export class Batcher {
  private readonly foreground = new WaitingRows(false);
  private readonly background = new WaitingRows(true);
  /** Rows that wait or run, by text: the same text is not read twice at a time. */
  private readonly rowsByText = new Map<string, Row>();
  private passesUnderWay = 0;
  private turnScheduled = false;
  private whenIdle: (() => void) | undefined;
  private readonly throughput = new Throughput();
  private lastPassEnded = 0;
  /** What is refused until there is room again, or another pass has ended. */
  private lastRefusal: KshotError | undefined;
  private readonly now: () => number;

  constructor(
    private readonly session: Session,
    private readonly tokenizer: TextTokenizer,
    private readonly options: BatcherOptions,
  ) {
    this.now = options.now ?? (() => performance.now());
  }

  /** Texts that requests wait for and that are in no pass yet. */
  get queuedTexts(): number {
    return this.foreground.size;
  }

  /**
   * One rule for a single text and for a batch: what finds room to queue at all, and would not wait too long for its turn, is
   * admitted, whatever its size.
   *
   * @returns KshotError `overloaded`, or undefined for what is admitted.
   */
  refusal(): KshotError | undefined {
    const queued = this.foreground.size;
    const waitMs = queued / this.throughput.textsPerMs;
    if (queued < this.options.maxQueuedTexts && waitMs < this.options.maxQueueMs) {
      this.lastRefusal = undefined;
      return undefined;
    }
    // One for many: to make an error, which notes where it was made, costs as much as the rest of a refusal.
    this.lastRefusal ??= new KshotError(
      'overloaded',
      `${queued} texts wait for the encoder already; try again later`,
      { retryAfterMs: Math.max(SHORTEST_RETRY_MS, Math.ceil(waitMs)) },
    );
    return this.lastRefusal;
  }

  /** Queues the texts at `positions` for `call`, which is told when they are done. */
  enqueue(call: Call, texts: readonly string[], positions: readonly number[], background: boolean): void {
    const now = performance.now();
    const rows = positions.map((position) => {
      const text = texts[position] ?? '';
      const row = this.rowsByText.get(text) ?? this.push(text, background, now);
      if (row.background && !background) this.promote(row);
      row.wantedBy.push({ call, position });
      return row;
    });
    call.onAbandoned = () => {
      for (const row of rows) this.dropIfUnwanted(row);
    };
    this.scheduleTurn();
  }

  /** Resolves when nothing waits or runs any more. */
  idle(): Promise<void> {
    if (this.rowsByText.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenIdle = resolve;
    });
  }

  private push(text: string, background: boolean, enqueuedAt: number): Row {
    const row: Row = { text, enqueuedAt, background, state: 'queued', wantedBy: [] };
    this.rowsByText.set(text, row);
    (background ? this.background : this.foreground).push(row);
    return row;
  }

  private promote(row: Row): void {
    row.background = false;
    if (row.state !== 'queued') return;
    this.background.left();
    this.foreground.push(row);
  }

  private dropIfUnwanted(row: Row): void {
    if (row.state !== 'queued' || row.wantedBy.some(({ call }) => !call.settled)) return;
    row.state = 'dropped';
    (row.background ? this.background : this.foreground).left();
    this.forget(row);
  }

  private forget(row: Row): void {
    this.rowsByText.delete(row.text);
    if (this.rowsByText.size === 0) this.whenIdle?.();
  }

  /** Waits for the end of the event loop's turn, so that requests that arrived in one turn share a pass. */
  private scheduleTurn(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    setImmediate(() => {
      this.turnScheduled = false;
      this.fillSession();
    });
  }

  private fillSession(): void {
    for (;;) {
      const fullBatchWaits = this.foreground.size >= this.options.limits.maxTexts;
      if (this.passesUnderWay > (fullBatchWaits ? 1 : 0)) break;
      const queue = this.foreground.size > 0 ? this.foreground : this.background;
      if (queue.size === 0) return;
      this.startPass(queue);
    }
    this.tokeniseAhead(this.foreground.size > 0 ? this.foreground : this.background);
  }

  private startPass(queue: WaitingRows): void {
    const { maxTexts } = this.options.limits;
    const head = queue.head(Math.max(CANDIDATES, maxTexts));
    head.slice(0, maxTexts).forEach((row) => this.tokenise(row, queue));
    // Tokenising comes first, and to an end: a text on which it fails takes the other rows of its call along.
    const candidates = head.flatMap((row) =>
      row.state === 'queued' && row.ids !== undefined ? [{ row, ids: row.ids, tokens: row.ids.length }] : [],
    );
    const batch = takeBatch(candidates, this.options.limits);
    if (batch.length === 0) return;
    const rows = batch.map(({ row }) => row);
    queue.take(rows);
    const now = performance.now();
    for (const row of rows) this.options.observer?.queued(now - row.enqueuedAt);

    const lengths = Int32Array.from(batch, ({ tokens }) => tokens);
    const paddedLength = Math.max(...lengths);
    this.passesUnderWay++;
    const started = this.now();
    const isSaturated = queue.size > 0 || rows.length >= maxTexts;
    this.session.run({ ids: concatenate(batch), lengths }).then(
      (pass) => {
        this.options.observer?.batch(rows.length, paddedLength, pass.milliseconds, this.callersOf(rows));
        const turnMs = this.turnTime(started, pass.milliseconds);
        if (isSaturated) this.throughput.measured(rows.length, turnMs);
        this.endPass(() => this.deliver(rows, pass.embeddings));
      },
      (error: unknown) => this.endPass(() => this.failRows(rows, error)),
    );
  }

  /**
   * What a pass has cost those who wait, in milliseconds: from the end of the one before it, and with what this thread took to
   * hand it out, which is more than the pass itself where the machine is busy.
   */
  private turnTime(started: number, passMs: number): number {
    const now = this.now();
    const turn = now - Math.max(started, this.lastPassEnded);
    this.lastPassEnded = now;
    return Math.max(turn, passMs);
  }

  private callersOf(rows: readonly Row[]): unknown[] {
    if (this.options.observer?.caller === undefined) return [];
    return [...new Set(rows.flatMap(({ wantedBy }) => wantedBy.map(({ call }) => call.caller)))];
  }

  private endPass(settle: () => void): void {
    this.passesUnderWay--;
    this.lastRefusal = undefined;
    this.fillSession(); // first, so that the session works while results are handed out
    settle();
  }

  private deliver(rows: readonly Row[], embeddings: Float32Array): void {
    const dimension = this.session.dimension;
    rows.forEach((row, i) => {
      const embedding = embeddings.subarray(i * dimension, (i + 1) * dimension);
      const truncated = row.truncated === true;
      this.options.embedded(row.text, embedding, truncated);
      this.forget(row);
      for (const { call, position } of row.wantedBy) call.setRow(position, embedding, truncated);
    });
  }

  private failRows(rows: readonly Row[], error: unknown): void {
    for (const row of rows) {
      this.forget(row);
      for (const { call } of row.wantedBy) call.fail(error);
    }
  }

  private tokeniseAhead(queue: WaitingRows): void {
    let left = TOKENISED_PER_TURN;
    for (const row of queue.head(CANDIDATES)) {
      if (row.ids !== undefined) continue;
      if (left-- === 0) return;
      this.tokenise(row, queue);
    }
  }

  /** Gives a row of `queue` its token ids; drops it and fails its calls when the tokenizer fails on it. */
  private tokenise(row: Row, queue: WaitingRows): void {
    if (row.ids !== undefined || row.state !== 'queued') return;
    try {
      const { ids, truncated } = this.tokenizer.tokenize(row.text);
      row.ids = ids;
      row.truncated = truncated;
    } catch (error) {
      row.state = 'dropped';
      queue.left();
      this.failRows([row], error);
    }
  }
}

/** Token ids of texts, one after the other, as a pass takes them. */
export function concatenate(texts: readonly { readonly ids: readonly number[] }[]): Int32Array {
  const all = new Int32Array(texts.reduce((sum, { ids }) => sum + ids.length, 0));
  let from = 0;
  for (const { ids } of texts) {
    all.set(ids, from);
    from += ids.length;
  }
  return all;
}
