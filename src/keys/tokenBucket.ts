/** Lets so many requests a second through, and as many at once as came in one second (one, where that is less). */
export class TokenBucket {
  readonly #capacity: number;
  #tokens: number;
  #filledAt: number;

  /** @param rate requests a second, above 0. @param now in ms. */
  constructor(
    private readonly rate: number,
    now: number,
  ) {
    this.#capacity = Math.max(1, rate);
    this.#tokens = this.#capacity;
    this.#filledAt = now;
  }

  /** @param now in ms. @returns 0 where the request may pass; else in how many ms one may, and nothing is taken. */
  take(now: number): number {
    const seconds = Math.max(0, now - this.#filledAt) / 1000;
    this.#tokens = Math.min(this.#capacity, this.#tokens + seconds * this.rate);
    this.#filledAt = now;
    if (this.#tokens < 1) return ((1 - this.#tokens) / this.rate) * 1000;
    this.#tokens--;
    return 0;
  }
}
