import { seeded } from '../heads/random.js';
import type { Encoded, Encoder, EncoderStats } from '../../src/encoder/encoder.js';

const D = 128;

/**
 * An encoder for tests that need no language: a text is the sum of a pseudo-random direction for each of its words, so
 * that texts are near as far as they share words.
 */
export class WordEncoder implements Encoder {
  readonly name = 'words';
  readonly dimension = D;
  readonly maxTokens = 16;
  readonly device = 'cpu';
  /** Every text that was embedded, in order. */
  readonly seen: string[] = [];
  /** Set to have the next calls fail. */
  failure: Error | undefined;

  constructor(readonly fingerprint = 'words-1') {}

  async encode(texts: readonly string[]): Promise<Encoded> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.seen.push(...texts);
    const embeddings = new Float32Array(texts.length * D);
    const words = texts.map(wordsOf);
    words.forEach((list, i) => {
      const row = embeddings.subarray(i * D, (i + 1) * D);
      for (const word of list.slice(0, this.maxTokens)) direction(word, this.fingerprint, row);
      const length = Math.hypot(...row) || 1;
      for (let d = 0; d < D; d++) row[d]! /= length;
    });
    return { rows: texts.length, embeddings, truncated: words.map((list) => list.length > this.maxTokens) };
  }

  readsWhole(text: string): boolean {
    return wordsOf(text).length <= this.maxTokens;
  }

  refusal(): undefined {}

  stats(): EncoderStats {
    return { queuedTexts: 0, cacheEntries: 0, cacheBytes: 0, cacheHits: 0, cacheMisses: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Adds a word's direction to a row: the word's hash (FNV-1a) seeds numbers in [-1, 1). */
function direction(word: string, salt: string, row: Float32Array): void {
  let hash = 0x811c9dc5;
  for (const char of salt + word) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  const random = seeded(hash);
  for (let d = 0; d < D; d++) row[d]! += 2 * random() - 1;
}
