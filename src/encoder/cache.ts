import { LRUCache } from 'lru-cache';

/** An embedding that is kept: `[D]`, unit length. */
export interface CachedEmbedding {
  readonly embedding: Float32Array;
  readonly truncated: boolean;
}

/** What an entry takes besides its text and vector: list and map slots, the entry, the typed array's header. */
const ENTRY_OVERHEAD_BYTES = 320;

/** Embeddings of texts seen lately, bounded in bytes. */
export class EmbeddingCache {
  private readonly entries: LRUCache<string, CachedEmbedding> | undefined;
  hits = 0;
  misses = 0;

  /** @param maxBytes 0 keeps nothing. */
  constructor(maxBytes: number) {
    if (maxBytes === 0) return;
    this.entries = new LRUCache<string, CachedEmbedding>({
      maxSize: maxBytes,
      sizeCalculation: (value, text) =>
        value.embedding.byteLength + Buffer.byteLength(text, 'utf16le') + ENTRY_OVERHEAD_BYTES,
    });
  }

  get(text: string): CachedEmbedding | undefined {
    const found = this.entries?.get(text);
    if (found === undefined) this.misses++;
    else this.hits++;
    return found;
  }

  /** @param embedding `[D]`, copied: it may be a view of a whole pass. */
  set(text: string, embedding: Float32Array, truncated: boolean): void {
    this.entries?.set(text, { embedding: embedding.slice(), truncated });
  }

  get size(): number {
    return this.entries?.size ?? 0;
  }

  get bytes(): number {
    return this.entries?.calculatedSize ?? 0;
  }
}
