import { setImmediate as nextTurn } from 'node:timers/promises';
import { decide, type Decision } from './decide.js';
import type { Enlivened, Scored } from './liveBot.js';
import type { ServiceObserver } from './service.js';
import { type BotSettings, DEFAULT_THRESHOLD } from './settings.js';

/** What reads texts: a bot, or a version of it. */
export type Reader = Pick<Enlivened, 'bot' | 'queue'> & { readonly settings: BotSettings };

export interface Reading {
  readonly decision: Decision;
  readonly scored: Scored;
}

export interface ReadOptions {
  /** Intents in the ranking. */
  readonly top: number;
  readonly explain: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * A bot's reading of texts, with other requests in between.
 *
 * @param find looks the bot up: it may be written to, or deleted, meanwhile.
 * @param embeddings `[Q, D]`, unit length.
 */
export async function readTexts(
  find: () => Reader,
  embeddings: Float32Array,
  { top, explain, signal }: ReadOptions,
  observer: ServiceObserver | undefined,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (let from = 0; from < embeddings.length;) {
    if (from > 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    const { bot, queue, settings } = find();
    const to = from + bot.queriesATurn * bot.dimension;
    const scores = await queue.score(embeddings.subarray(from, to));
    const started = performance.now();
    for (const scored of scores) {
      const decision = decide(scored, settings.threshold ?? DEFAULT_THRESHOLD, top, explain);
      readings.push({ decision, scored });
    }
    observer?.stage('decide', performance.now() - started);
    from = to;
  }
  return readings;
}
