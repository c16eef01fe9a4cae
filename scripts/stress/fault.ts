import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.js';

/** What came of a fault. */
export interface Outcome {
  readonly sent: number;
  readonly answered: number;
  /** With a problem whose code says what is wrong. */
  readonly refused: number;
  /** Requests that the proxy passed to a second replica; undefined where there is no proxy. */
  readonly triedAgain?: number;
  /** Undefined where nothing was written. */
  readonly writes?: WritesKept;
  /** Until requests were answered as before. */
  readonly recoveryMs: number;
  /** What was to be seen of it. */
  readonly seen: string;
}

export interface WritesKept {
  readonly acknowledged: number;
  /** Of those, writes that are not there. */
  readonly lost: number;
}

export interface FaultOptions {
  /** How long PostgreSQL is away. */
  readonly outageSeconds: number;
}

export interface Fault {
  readonly name: string;
  /** `skipped` says why this machine, or user, cannot have it. @throws Error where it is not got over. */
  readonly run: (stage: Stage, options: FaultOptions) => Promise<Outcome | { readonly skipped: string }>;
}

const RECOVERY_LIMIT_S = 90;

/** How long it takes until all is well, in ms. @throws Error where it is not soon. */
export async function recovery(untilWell: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  const limit = new AbortController();
  const tooLong = sleep(RECOVERY_LIMIT_S * 1000, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`no recovery within ${RECOVERY_LIMIT_S} s`);
  });
  try {
    await Promise.race([untilWell(), tooLong]);
  } finally {
    limit.abort();
  }
  return performance.now() - from;
}
