import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Scored } from '../../src/classify/liveBot.js';
import { openService } from '../../src/classify/live.js';
import { ScoreQueue } from '../../src/classify/scoreQueue.js';
import type { ClassifyService, ServiceObserver } from '../../src/classify/service.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

/** How often a head was called, and for how many requests each time. */
const calls: number[] = [];
const observer: ServiceObserver = {
  caller: () => 'a request',
  stage: (stage, _milliseconds, callers) => {
    if (stage === 'score') calls.push(callers!.length);
  },
  classified: () => undefined,
  adapted: () => undefined,
  loaded: () => undefined,
};

let service: ClassifyService;

beforeEach(async () => {
  service = await openService({
    encoder: new WordEncoder(),
    store: await openSqliteStore(':memory:'),
    maxTextChars: 200,
    calibration: bundledCalibration,
    observer,
    warn: (message) => {
      throw new Error(message);
    },
  });
  await service.putBot('bank', { head: 'prototypical' });
  await service.putIntents('bank', [
    { name: 'card_lost', examples: ['i lost my card'] },
    { name: 'balance', examples: ['what is my balance'] },
  ]);
  calls.length = 0;
});

afterEach(() => service.close());

test('requests of one turn of the event loop are scored by one call, and answered as one by one', async () => {
  const texts = ['my card is lost', 'the balance', 'lost', 'what balance', 'i lost it'];
  const together = await Promise.all(texts.map((text) => service.classify('bank', [text])));
  expect(calls).toEqual([5]);
  for (const [i, text] of texts.entries()) {
    expect(await service.classify('bank', [text])).toEqual(together[i]);
  }
  expect(calls).toEqual([5, 1, 1, 1, 1, 1]);
});

test('what waits is scored before the bot goes', async () => {
  let isGone = false;
  const bot = {
    dimension: 2,
    score: (queries: Float32Array) => {
      if (isGone) throw new Error('the bot is gone');
      return Array.from(
        { length: queries.length / 2 },
        (_, i) => ({ id: queries[2 * i] }) as unknown as Scored,
      );
    },
  };
  const queue = new ScoreQueue(bot, undefined);
  const asked = [queue.score(Float32Array.of(1, 0, 2, 0)), queue.score(Float32Array.of(3, 0))];
  queue.flush();
  isGone = true;
  expect(await Promise.all(asked)).toEqual([[{ id: 1 }, { id: 2 }], [{ id: 3 }]]);
});
