import { KshotApiError, KshotConnectionError, KshotTimeoutError } from './errors.js';

/** Doubles from try to try, in ms. */
const FIRST_BACKOFF_MS = 250;

/** By these codes the server says that it has done nothing of the request: it was refused before the work. */
const NOTHING_DONE: readonly (string | undefined)[] = ['overloaded', 'not_ready'];

/**
 * Whether what was refused may be sent again: a busy server, or a broken connection where doing the work twice is no
 * other than doing it once.
 */
export function mayBeRetried(
  error: unknown,
  isRepeatable: boolean,
): error is KshotApiError | KshotConnectionError {
  if (error instanceof KshotApiError) {
    return error.status === 503 && (isRepeatable || NOTHING_DONE.includes(error.code));
  }
  // A server that took too long is not helped by more of the same.
  return error instanceof KshotConnectionError && !(error instanceof KshotTimeoutError) && isRepeatable;
}

/**
 * How long to wait before the next try, in ms: as the server said; else twice as long as before, and at random up to half
 * of it less, so that many clients do not come back all at once.
 *
 * @param tries that have been made.
 * @param random from 0 to 1.
 */
export function waitMs(
  error: KshotApiError | KshotConnectionError,
  tries: number,
  random: () => number,
): number {
  const told = error instanceof KshotApiError ? error.retryAfterMs : undefined;
  return told ?? FIRST_BACKOFF_MS * 2 ** (tries - 1) * (1 - random() / 2);
}

/** A Retry-After header, of seconds or a date, in ms from now; undefined where it says nothing that can be read. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}
