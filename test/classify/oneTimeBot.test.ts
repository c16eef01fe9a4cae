import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

const INTENTS = [
  { name: 'card_lost', examples: ['i lost my card', 'my card is gone', 'my card is gone'] },
  { name: 'balance', examples: ['what is my balance', 'how much money do i have'] },
];

let folder: string;
let service: ClassifyService;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-once-'));
  service = await openService({
    encoder: new WordEncoder(),
    store: await openSqliteStore(join(folder, 'kshot.db')),
    maxTextChars: 200,
    calibration: bundledCalibration,
    warn: (message) => {
      throw new Error(message);
    },
  });
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

test('a bot for one request answers as a stored one of the same head, and is not stored', async () => {
  const texts = ['i lost my card', 'how much money', 'cats and dogs'];
  const once = await service.classifyAgainst(INTENTS, texts, { top: 2, explain: true });
  expect(await service.listBots()).toEqual([]);
  expect(service.stats()).toMatchObject({ bots: 0, examples: 0, adaptations: 0 });

  await service.putBot('bank', { head: 'prototypical' });
  await service.putIntents('bank', INTENTS);
  const stored = await service.classify('bank', texts, { top: 2, explain: true });
  expect(once.map(({ model: _, ...result }) => result)).toEqual(
    stored.map(({ model: _, ...result }) => result),
  );
  expect(once[0]).toMatchObject({ intent: 'card_lost', model: { head: 'prototypical', revision: 0 } });
});

test('texts of it are held to the bounds of all, and named', async () => {
  const bad = [{ name: 'a', examples: ['fine', ''] }];
  await expect(service.classifyAgainst(bad, ['x'])).rejects.toMatchObject({
    code: 'invalid_request',
    fields: [{ field: 'intents.0.examples.1' }],
  });
});
