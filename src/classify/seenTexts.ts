import type { EmbeddedText } from '../store/store.js';

/** How long a text waits to be written, in ms, and how many wait at the most: what `kill -9` can lose. */
const WRITE_AFTER_MS = 1000;
const WRITE_AT = 100;

/**
 * Texts that a bot has classified and is to keep, on their way to the store: written by the batch, so that no request waits
 * for it. A text that comes again meanwhile is written once.
 */
export class SeenTexts {
  #waiting = new Map<string, Float32Array>();
  #written: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /** @param write resolves when the texts are on disk; tells of failures itself, and never rejects. */
  constructor(private readonly write: (texts: readonly EmbeddedText[]) => Promise<void>) {}

  /** @param embedding `[D]`; copied, for it is mostly a row of many. */
  keep(text: string, embedding: Float32Array): void {
    if (this.#waiting.has(text)) return;
    this.#waiting.set(text, embedding.slice());
    // Not at once when there are enough: the answer goes out first.
    if (this.#waiting.size === WRITE_AT) this.#writeIn(0);
    else if (this.#timer === undefined) this.#writeIn(WRITE_AFTER_MS);
  }

  /** Resolves when all that was kept so far is on disk. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size > 0) {
      const texts = [...this.#waiting].map(([text, embedding]) => ({ text, embedding }));
      this.#waiting = new Map();
      const before = this.#written;
      this.#written = this.write(texts).then(() => before);
    }
    return this.#written;
  }

  /** Forgets what has not been written. */
  discard(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #writeIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), milliseconds).unref();
  }
}
