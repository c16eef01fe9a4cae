import { KshotError } from '../errors.js';

/** A text has no embedding of the encoder that is asked for; what is missing can be embedded. */
export class MissingEmbeddingError extends KshotError {}

/** The embeddings of a bot's texts, gathered blob after blob as a store gives them. */
export class EmbeddedRows {
  #bytes = new Uint8Array(0); // of [count, D]
  #width = 0; // bytes of an embedding
  #rows = 0;

  /**
   * @param file of the store, and
   * @param bot whose texts they are, for errors.
   * @param count rows that there will be.
   */
  constructor(
    private readonly file: string,
    private readonly bot: string,
    private readonly count: number,
  ) {}

  /** `[count, D]`, when all rows have been added. */
  get embeddings(): Float32Array {
    return new Float32Array(this.#bytes.buffer);
  }

  /**
   * The next row.
   *
   * @param vector null where the text has no embedding.
   * @throws MissingEmbeddingError where there is none; KshotError `store_unavailable` for one of another length than the
   *   former rows.
   */
  add(id: number, vector: Uint8Array | null): void {
    if (vector === null) {
      throw new MissingEmbeddingError(
        'store_unavailable',
        `Store ${this.file}: text ${id} of bot "${this.bot}" has no embedding of this encoder: ` +
          'restart kshot, which embeds what is missing',
      );
    }
    if (this.#rows === 0) {
      this.#width = vector.byteLength;
      this.#bytes = new Uint8Array(this.count * this.#width);
    }
    if (vector.byteLength !== this.#width || this.#width % Float32Array.BYTES_PER_ELEMENT !== 0) {
      throw this.#refusal(
        `the embedding of text ${id} of bot "${this.bot}" has another length than the others: ` +
          'the file is damaged, restore it from a backup',
      );
    }
    this.#bytes.set(vector, this.#rows++ * this.#width);
  }

  #refusal(what: string): KshotError {
    return new KshotError('store_unavailable', `Store ${this.file}: ${what}`);
  }
}

/** @throws RangeError if `embeddings` cannot be those of that many texts. @returns D, how many numbers each has. */
export function widthOf(embeddings: Float32Array, texts: number): number {
  const width = embeddings.length / texts;
  if (!Number.isInteger(width) || width === 0) {
    throw new RangeError(`${embeddings.length} numbers are not the embeddings of ${texts} texts`);
  }
  return width;
}
