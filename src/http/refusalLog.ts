import type { Logger } from 'pino';

const PERIOD_MS = 10_000;

/**
 * What the log has of requests that a busy server refuses. They come by the thousand, and their lines would take the time that
 * is left for the others: of ten seconds only the first is logged as other requests are, and then how many followed.
 */
export class RefusalLog {
  #period: NodeJS.Timeout | undefined;
  #followed = 0;

  constructor(private readonly log: Logger) {}

  /** A request is refused. @returns whether it is the first of a period. */
  refused(): boolean {
    if (this.#period === undefined) {
      this.#begin();
      return true;
    }
    this.#followed++;
    return false;
  }

  #begin(): void {
    this.#followed = 0;
    this.#period = setTimeout(() => {
      this.#period = undefined;
      if (this.#followed === 0) return;
      this.log.warn(
        { requests: this.#followed, seconds: PERIOD_MS / 1000 },
        'requests were refused because the server is busy',
      );
      this.#begin();
    }, PERIOD_MS).unref();
  }
}
