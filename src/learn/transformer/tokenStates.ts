import type { EmbedOptions, EmbeddingCache, EmbeddingSource } from '../embeddingCache.js';
import { paddedLength } from './chunks.js';
import type { TokenInput } from './tokenInput.js';

/** The layers of a transformer that do not learn. */
export interface LowerLayers {
  /** Identifies what they compute: another one must have another fingerprint. */
  readonly fingerprint: string;
  /** D. */
  readonly width: number;
  /** Longest text in tokens. */
  readonly longest: number;
  /**
   * The states that leave the last of them, in half precision.
   *
   * @param ids token ids of texts, each of `length` at most.
   * @returns `[n, length, D]`, the bits of halves; of padding whatever there is.
   */
  run(ids: readonly (readonly number[])[], length: number): Promise<Uint16Array>;
}

/** Texts whose states are made and kept at a time; bounds what it takes in memory. */
const BATCH = 1024;

/**
 * The states of every token before the layers that learn, made once and kept on disk in half precision, bucketed by length. They
 * are kept as embeddings are: two halves in the place of a float32, which nothing on the way looks into.
 */
export class TokenStates {
  readonly #lower: LowerLayers;
  readonly #cache: EmbeddingCache;

  constructor(lower: LowerLayers, cache: EmbeddingCache) {
    this.#lower = lower;
    this.#cache = cache;
  }

  /** D. */
  get width(): number {
    return this.#lower.width;
  }

  /** T that a text of so many tokens is padded to. */
  paddedLength(tokens: number): number {
    return Math.min(paddedLength(tokens), this.#lower.longest);
  }

  /** Makes the states of texts that have none yet. @throws what the cache throws, `cancelled` among it. */
  async prepare(texts: readonly TokenInput[], { progress, signal }: EmbedOptions = {}): Promise<void> {
    let done = 0;
    for (const [length, members] of this.#byLength(texts)) {
      for (let from = 0; from < members.length; from += BATCH) {
        progress?.(done, texts.length);
        const part = members.slice(from, from + BATCH);
        await this.#embed(
          part.map((i) => texts[i]!),
          length,
          signal === undefined ? {} : { signal },
        );
        done += part.length;
      }
    }
    progress?.(done, texts.length);
  }

  /** The states of texts that are padded to one length: `[n, length, D]`, the bits of halves. */
  async read(texts: readonly TokenInput[], length: number): Promise<Uint16Array> {
    // Texts lie in the bucket of their own length; a longer one begins with it.
    const row = length * this.#lower.width;
    const states = new Uint16Array(texts.length * row);
    for (const [own, members] of this.#byLength(texts)) {
      const part = await this.#embed(
        members.map((i) => texts[i]!),
        own,
        {},
      );
      const size = own * this.#lower.width;
      for (const [at, i] of members.entries()) states.set(part.subarray(at * size, (at + 1) * size), i * row);
    }
    return states;
  }

  async #embed(texts: readonly TokenInput[], length: number, options: EmbedOptions): Promise<Uint16Array> {
    const slots = await this.#cache.embedAll(
      this.#source(length),
      texts.map(({ ids }) => ids.join(' ')),
      options,
    );
    return new Uint16Array(slots.buffer, slots.byteOffset, 2 * slots.length);
  }

  #source(length: number): EmbeddingSource {
    const { fingerprint, width } = this.#lower;
    return {
      name: `token states, padded to ${length}`,
      fingerprint: `${fingerprint}+${length}`,
      dimension: (length * width) / 2,
      encode: async (texts) => {
        const ids = texts.map((text) => text.split(' ').map(Number));
        const halves = await this.#lower.run(ids, length);
        return {
          rows: texts.length,
          truncated: texts.map(() => false),
          embeddings: new Float32Array(halves.buffer, halves.byteOffset, halves.length / 2),
        };
      },
    };
  }

  /** Positions of texts by the length of their bucket. */
  #byLength(texts: readonly TokenInput[]): Map<number, number[]> {
    const buckets = new Map<number, number[]>();
    for (const [i, { ids }] of texts.entries()) {
      const length = this.paddedLength(ids.length);
      const bucket = buckets.get(length);
      if (bucket === undefined) buckets.set(length, [i]);
      else bucket.push(i);
    }
    return buckets;
  }
}
