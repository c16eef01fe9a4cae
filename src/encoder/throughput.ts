/** Weight of the newest pass. */
const SMOOTHING = 0.2;
/** Assumed until a pass was measured. */
const INITIAL_TEXTS_PER_MS = 0.2;
/** Share of the texts that fit into a pass from which on it says what the session can do. */
const FULL_SHARE = 0.5;

/** How many texts a session reads, from the passes that it has run. */
export class Throughput {
  #textsPerMs: number | undefined;

  /** @param maxTexts of a pass. */
  constructor(private readonly maxTexts: number) {}

  get textsPerMs(): number {
    return this.#textsPerMs ?? INITIAL_TEXTS_PER_MS;
  }

  /**
   * A pass ended. What a text costs falls with the texts that share its pass: a small one says what can be done at the least,
   * and nothing of how fast a queue is worked off.
   */
  measured(texts: number, milliseconds: number): void {
    const measured = texts / milliseconds;
    const before = this.#textsPerMs;
    if (texts < FULL_SHARE * this.maxTexts) {
      this.#textsPerMs = Math.max(measured, this.textsPerMs);
    } else {
      this.#textsPerMs = before === undefined ? measured : before + SMOOTHING * (measured - before);
    }
  }
}
