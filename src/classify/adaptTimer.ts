/**
 * A head adapts when its bot has been left alone for as long as its last adaptation took, within these bounds: a burst of
 * writes then costs one adaptation, not one a write.
 */
const ADAPT_AFTER_MS = { least: 200, most: 5000 };

/**
 * A bot that is never left alone adapts so many ms after the first of the writes, or after several times what its last
 * adaptation took, so that adapting takes the smaller part of a core.
 */
const AT_THE_LATEST = { afterMs: 10_000, times: 3 };

/** Texts that are seen come without end: a head that reads them adapts when one in so many is new, */
const NEWS_PART = 20;
/** and so long after that, in ms, so that it adapts once a minute at the most. */
const NEWS_AFTER_MS = 60_000;

/** When the head of a bot adapts. What there is serves until then. */
export class AdaptTimer {
  #timer: NodeJS.Timeout | undefined;
  #newsTimer: NodeJS.Timeout | undefined;
  /** When the first write came that waits for it. */
  #since: number | undefined;
  /** Seen texts that came since the last adaptation. */
  #news = 0;
  /** How long the last adaptation took. */
  lastAdaptationMs = 0;

  constructor(private readonly adapt: () => void) {}

  /** Whether a write waits for the head to adapt; texts that were merely seen do not count. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** After a write: adapts when no other has come for a while, or others have come for long. */
  soon(): void {
    const { least, most } = ADAPT_AFTER_MS;
    const now = performance.now();
    this.#since ??= now;
    const latest = Math.max(AT_THE_LATEST.afterMs, AT_THE_LATEST.times * this.lastAdaptationMs);
    const alone = Math.min(most, Math.max(least, this.lastAdaptationMs));
    clearTimeout(this.#timer);
    this.#timer = this.#in(Math.min(alone, Math.max(0, this.#since + latest - now)));
  }

  /** Adapts at once, if a write waits for it. */
  hurry(): void {
    if (!this.isWaiting) return;
    this.cancel();
    this.adapt();
  }

  /**
   * After texts were seen, where the head reads them: adapts when that is worth it.
   *
   * @param added texts that are new, of
   * @param total that there are now.
   */
  afterSeen(added: number, total: number): void {
    this.#news += added;
    if (this.#news > 0 && this.#news * NEWS_PART >= total) this.#newsTimer ??= this.#in(NEWS_AFTER_MS);
  }

  /** Adapts no more, until the next write. */
  cancel(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#newsTimer);
    this.#timer = undefined;
    this.#newsTimer = undefined;
    this.#since = undefined;
    this.#news = 0;
  }

  #in(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.cancel(); // An adaptation looks at all there is, whatever gave rise to it.
      this.adapt();
    }, milliseconds).unref();
  }
}
