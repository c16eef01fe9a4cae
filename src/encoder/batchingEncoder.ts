import { KshotError } from '../errors.js';
import { Batcher } from './batcher.js';
import { EmbeddingCache } from './cache.js';
import { Call } from './call.js';
import type { Device } from './device.js';
import type { Encoded, EncodeOptions, Encoder, EncoderObserver, EncoderStats } from './encoder.js';
import type { Session } from './session.js';
import type { BatchLimits } from './takeBatch.js';
import type { TextTokenizer } from './tokenizer.js';

export interface BatchingEncoderOptions {
  readonly name: string;
  readonly fingerprint: string;
  readonly maxTokens: number;
  readonly device: Device;
  /** Owned: closed with the encoder. */
  readonly session: Session;
  readonly tokenizer: TextTokenizer;
  readonly limits: BatchLimits;
  readonly maxQueuedTexts: number;
  readonly cacheBytes: number;
  readonly observer: EncoderObserver | undefined;
}

/** Cache in front, batcher behind. */
export class BatchingEncoder implements Encoder {
  readonly name: string;
  readonly fingerprint: string;
  readonly dimension: number;
  readonly maxTokens: number;
  readonly device: Device;
  private readonly session: Session;
  private readonly cache: EmbeddingCache;
  private readonly batcher: Batcher;
  private closed: Promise<void> | undefined;

  constructor(options: BatchingEncoderOptions) {
    this.name = options.name;
    this.fingerprint = options.fingerprint;
    this.dimension = options.session.dimension;
    this.maxTokens = options.maxTokens;
    this.device = options.device;
    this.session = options.session;
    this.cache = new EmbeddingCache(options.cacheBytes);
    this.batcher = new Batcher(options.session, options.tokenizer, {
      limits: options.limits,
      maxQueuedTexts: options.maxQueuedTexts,
      observer: options.observer,
      embedded: (text, embedding, truncated) => this.cache.set(text, embedding, truncated),
    });
  }

  async encode(texts: readonly string[], options: EncodeOptions = {}): Promise<Encoded> {
    if (this.closed !== undefined) throw new KshotError('not_ready', 'The encoder is shutting down');
    const cached = texts.map((text) => this.cache.get(text));
    const background = options.background === true;
    const missing = cached.flatMap((hit, position) => (hit === undefined ? [position] : []));
    if (missing.length > 0 && !background) this.batcher.admit();

    const call = new Call(texts.length, this.dimension, options.signal);
    cached.forEach((hit, position) => {
      if (hit !== undefined) call.setRow(position, hit.embedding, hit.truncated);
    });
    if (missing.length > 0 && !call.settled) this.batcher.enqueue(call, texts, missing, background);
    return call.result;
  }

  stats(): EncoderStats {
    return {
      queuedTexts: this.batcher.queuedTexts,
      cacheEntries: this.cache.size,
      cacheBytes: this.cache.bytes,
      cacheHits: this.cache.hits,
      cacheMisses: this.cache.misses,
    };
  }

  close(): Promise<void> {
    this.closed ??= this.batcher.idle().then(() => this.session.close());
    return this.closed;
  }
}
