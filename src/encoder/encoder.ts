import type { KshotError } from '../errors.js';

/** Texts to embeddings. */
export interface Encoder {
  /** The name of the model, as its directory or hub id has it. */
  readonly name: string;
  /**
   * Identifies the embedding space: a hash over the weights' file, the tokenizer and the pooling. Embeddings of
   * two fingerprints must never be compared.
   */
  readonly fingerprint: string;
  /** D, the width of an embedding. */
  readonly dimension: number;
  /** Longest input in tokens, special tokens included; what is beyond it is cut. */
  readonly maxTokens: number;
  /** What the session really runs on. */
  readonly device: 'cpu' | 'cuda' | 'webgpu';

  /**
   * Embeds texts. Calls that overlap in time share forward passes; texts seen lately come from a cache.
   *
   * @returns unit-length rows in the order of `texts`.
   * @throws KshotError `overloaded` when the queue is full, `cancelled` when `signal` aborts before the work
   *   was done, `not_ready` after `close()`.
   */
  encode(texts: readonly string[], options?: EncodeOptions): Promise<Encoded>;

  /** Whether a text is not cut at `maxTokens`. Encodes nothing: some 25 µs for a long text, nothing for a short one. */
  readsWhole(text: string): boolean;

  /**
   * What `encode` would throw now, for whoever wants to know before the texts are there; cheap.
   *
   * @returns KshotError `overloaded`; undefined where texts would be admitted, or enough requests are answered from the cache
   *   to make it worth looking.
   */
  refusal(): KshotError | undefined;

  /** Counters for metrics; cheap. */
  stats(): EncoderStats;

  /** Refuses new work, finishes what was accepted, then frees the session. */
  close(): Promise<void>;
}

/** An encoder that also tells what it holds of parts of a text, such as the entities that a relation is between. */
export interface SpanEncoder extends Encoder {
  /**
   * Embeds texts together with the token states of spans in them. For offline work: neither the cache nor the queue of
   * `encode` are used, one pass is asked for after the other.
   *
   * @param spans `[rows]` lists of S spans, as many for each text.
   * @throws RangeError for lists that are not one a text or differ in length; KshotError `encoder_unavailable` for a graph
   *   without token states, `cancelled` when `signal` aborts before the work was done, `not_ready` after `close()`.
   */
  encodeSpans(
    texts: readonly string[],
    spans: readonly (readonly CharacterSpan[])[],
    options?: Pick<EncodeOptions, 'signal'>,
  ): Promise<EncodedSpans>;
}

/** Part of a text: its first UTF-16 unit and the one after its last. */
export type CharacterSpan = readonly [start: number, end: number];

export interface EncodeOptions {
  readonly signal?: AbortSignal;
  /**
   * Work that nobody waits for (re-embedding, imports). It is never refused, and is run only while no request waits.
   */
  readonly background?: boolean;
}

export interface Encoded {
  readonly rows: number;
  /** `[rows, D]`, row-major, unit length. */
  readonly embeddings: Float32Array;
  /** `[rows]`: whether a text was cut at `maxTokens`. */
  readonly truncated: readonly boolean[];
}

export interface EncodedSpans {
  readonly rows: number;
  /**
   * `[rows, 1 + S, D]`, row-major, each of unit length: the text's embedding, as `encode` gives it, then the mean over each
   * span's tokens of the last hidden state. A span that has no token, because the text was cut before it, has the text's
   * embedding in its place: nothing is known of it but the text.
   */
  readonly states: Float32Array;
  /** `[rows]`: whether a text was cut at `maxTokens`. */
  readonly truncated: readonly boolean[];
}

export interface EncoderStats {
  /** Texts that requests wait for and that are in no pass yet; work in the background is not counted. */
  readonly queuedTexts: number;
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}

/** What an encoder tells whoever measures it (src/http/metrics.ts); every method is called synchronously. */
export interface EncoderObserver {
  /** Who asks, in the observer's own terms: asked as a call of `encode` comes in, handed back with what is done for it. */
  caller?(): unknown;
  /** A call has its embeddings, `cached` of them from the cache, so many milliseconds after it came in. */
  encoded?(caller: unknown, texts: number, cached: number, milliseconds: number): void;
  /**
   * A forward pass ended: texts in it, the padded length T in tokens, and how long it took in milliseconds.
   *
   * @param callers whom it was for, each once; empty where `caller` is absent.
   */
  batch(rows: number, paddedLength: number, milliseconds: number, callers: readonly unknown[]): void;
  /** A text left the queue for a forward pass after so many milliseconds. */
  queued(milliseconds: number): void;
}
