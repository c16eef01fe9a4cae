import { TokenBucket } from './tokenBucket.js';

export interface CallerOptions {
  /** Stands in logs and metrics; undefined: no key is asked for. */
  readonly id: string | undefined;
  readonly mayWrite: boolean;
  /** Null: all. */
  readonly bots: readonly string[] | null;
  /** Requests a second; null: no limit. */
  readonly rate: number | null;
}

/** Who sends a request: what its key allows, and how much of its rate is left. */
export class Caller {
  readonly id: string | undefined;
  readonly mayWrite: boolean;
  readonly #bots: ReadonlySet<string> | null;
  readonly #bucket: TokenBucket | undefined;

  /** @param now in ms. */
  constructor({ id, mayWrite, bots, rate }: CallerOptions, now: number) {
    this.id = id;
    this.mayWrite = mayWrite;
    this.#bots = bots === null ? null : new Set(bots);
    this.#bucket = rate === null ? undefined : new TokenBucket(rate, now);
  }

  /** Whether all bots are its own, those to come too. */
  get seesAll(): boolean {
    return this.#bots === null;
  }

  sees(bot: string): boolean {
    return this.#bots === null || this.#bots.has(bot);
  }

  /** Takes one request from its rate. @returns 0, or in how many ms there is one again. */
  take(now: number): number {
    return this.#bucket?.take(now) ?? 0;
  }
}

/** Whoever comes, where there are no keys. */
export const EVERYONE = new Caller({ id: undefined, mayWrite: true, bots: null, rate: null }, 0);
