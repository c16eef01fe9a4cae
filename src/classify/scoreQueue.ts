import type { LiveBot, Scored } from './liveBot.js';
import type { ServiceObserver } from './service.js';

interface Waiting {
  /** As ServiceObserver tells it. */
  readonly caller: unknown;
  readonly queries: Float32Array;
  readonly resolve: (scored: Scored[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Queries of one turn of the event loop are scored by one call of the head: those whose embeddings came out of one forward
 * pass, and those of requests that arrived together and are in the cache. A call costs much the same for one query as for
 * eight.
 */
export class ScoreQueue {
  #waiting: Waiting[] = [];

  constructor(
    private readonly bot: Pick<LiveBot, 'dimension' | 'score'>,
    private readonly observer: Pick<ServiceObserver, 'caller' | 'stage'> | undefined,
  ) {}

  /** @param queries `[Q, D]`. */
  score(queries: Float32Array): Promise<Scored[]> {
    const caller = this.observer?.caller?.();
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ caller, queries, resolve, reject }) === 1) setImmediate(() => this.flush());
    });
  }

  /** Scores what waits, at once: to be called before the bot goes. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const all = new Float32Array(waiting.reduce((sum, { queries }) => sum + queries.length, 0));
    const dimension = this.bot.dimension;
    let offset = 0;
    for (const { queries } of waiting) {
      all.set(queries, offset);
      offset += queries.length;
    }
    let scored: Scored[];
    try {
      const callers = waiting.map(({ caller }) => caller);
      let started = performance.now();
      scored = this.bot.score(all, (stage) => {
        const now = performance.now();
        this.observer?.stage(stage, now - started, callers);
        started = now;
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    let row = 0;
    for (const { queries, resolve } of waiting) {
      resolve(scored.slice(row, (row += queries.length / dimension)));
    }
  }
}
