import { KshotError } from '../errors.js';
import { Batcher } from './batcher.js';
import { EmbeddingCache } from './cache.js';
import { Call } from './call.js';
import type { Device } from './device.js';
import type {
  CharacterSpan,
  Encoded,
  EncodedSpans,
  EncodeOptions,
  EncoderObserver,
  EncoderStats,
  SpanEncoder,
} from './encoder.js';
import { encodeSpans } from './encodeSpans.js';
import { RecentShare } from './recentShare.js';
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
  readonly maxQueueMs: number;
  /** As BatcherOptions has it. */
  readonly now?: () => number;
  readonly cacheBytes: number;
  readonly observer: EncoderObserver | undefined;
}

/** Tokens that one UTF-16 unit makes at the most: a byte each, and one more for a mark before it. */
const MAX_TOKENS_PER_UNIT = 4;

/**
 * To read a request, look for its texts in the cache and only then refuse it costs about a twentieth of what it costs to
 * encode one: worth it where more requests than these are answered from the cache.
 */
const WORTH_LOOKING = 0.05;

/** Cache in front, batcher behind. */
export class BatchingEncoder implements SpanEncoder {
  readonly name: string;
  readonly fingerprint: string;
  readonly dimension: number;
  readonly maxTokens: number;
  readonly device: Device;
  private readonly cache: EmbeddingCache;
  private readonly batcher: Batcher;
  /** Of the requests, those that needed no pass. */
  private readonly fromCache: RecentShare;
  /** What `close` waits for besides the batcher. */
  private readonly spanCalls = new Set<Promise<EncodedSpans>>();
  private closed: Promise<void> | undefined;

  constructor(private readonly options: BatchingEncoderOptions) {
    this.name = options.name;
    this.fingerprint = options.fingerprint;
    this.dimension = options.session.dimension;
    this.maxTokens = options.maxTokens;
    this.device = options.device;
    this.cache = new EmbeddingCache(options.cacheBytes);
    // Until it is known, it is worth looking.
    this.fromCache = new RecentShare(options.cacheBytes > 0 ? 1 : 0);
    this.batcher = new Batcher(options.session, options.tokenizer, {
      limits: options.limits,
      maxQueuedTexts: options.maxQueuedTexts,
      maxQueueMs: options.maxQueueMs,
      now: options.now,
      observer: options.observer,
      embedded: (text, embedding, truncated) => this.cache.set(text, embedding, truncated),
    });
  }

  async encode(texts: readonly string[], options: EncodeOptions = {}): Promise<Encoded> {
    this.checkOpen();
    const cached = texts.map((text) => this.cache.get(text));
    const background = options.background === true;
    const missing = cached.flatMap((hit, position) => (hit === undefined ? [position] : []));
    if (!background) this.admit(missing.length === 0);

    const { observer } = this.options;
    const started = performance.now();
    const call = new Call(texts.length, this.dimension, options.signal, observer?.caller?.());
    cached.forEach((hit, position) => {
      if (hit !== undefined) call.setRow(position, hit.embedding, hit.truncated);
    });
    if (missing.length > 0 && !call.settled) this.batcher.enqueue(call, texts, missing, background);
    const encoded = await call.result;
    const cachedTexts = texts.length - missing.length;
    observer?.encoded?.(call.caller, texts.length, cachedTexts, performance.now() - started);
    return encoded;
  }

  async encodeSpans(
    texts: readonly string[],
    spans: readonly (readonly CharacterSpan[])[],
    options: Pick<EncodeOptions, 'signal'> = {},
  ): Promise<EncodedSpans> {
    this.checkOpen();
    const call = encodeSpans(this.options, texts, spans, options.signal);
    this.spanCalls.add(call);
    return call.finally(() => this.spanCalls.delete(call));
  }

  readsWhole(text: string): boolean {
    // Special tokens are as good as never more than four.
    if ((text.length + 1) * MAX_TOKENS_PER_UNIT <= this.maxTokens) return true;
    return !this.options.tokenizer.tokenize(text).truncated;
  }

  refusal(): KshotError | undefined {
    return this.fromCache.share < WORTH_LOOKING ? this.batcher.refusal() : undefined;
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
    this.closed ??= Promise.allSettled([this.batcher.idle(), ...this.spanCalls]).then(() =>
      this.options.session.close(),
    );
    return this.closed;
  }

  private admit(isCached: boolean): void {
    if (this.options.cacheBytes > 0) this.fromCache.observe(isCached);
    const refusal = isCached ? undefined : this.batcher.refusal();
    if (refusal !== undefined) throw refusal;
  }

  private checkOpen(): void {
    if (this.closed !== undefined) throw new KshotError('not_ready', 'The encoder is shutting down');
  }
}
