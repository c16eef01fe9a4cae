import { beforeEach, expect, test } from '@jest/globals';
import type { BotMap } from '../../src/classify/mapTypes.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { harness } from './harness.js';
import { LiveService } from './liveService.js';

// The map as clients see it: the real service and store behind the API, which checks answers against their schemas.

const MAP = '/v1/bots/bank/map';

const live = new LiveService();

beforeEach(async () => {
  await live.service.putIntents('bank', [
    { name: 'card_lost', examples: ['i lost my card', 'my card is gone'] },
    { name: 'balance', examples: ['what is my balance'] },
    { name: 'empty', examples: [] },
  ]);
  await live.service.putCounterexamples('bank', ['sing me a song']);
});

async function map(): Promise<BotMap> {
  const answer = await harness({ lifecycle: Lifecycle.of(live.service) }).send('get', MAP);
  expect(answer.status).toBe(200);
  return answer.body as BotMap;
}

test('has the texts of the bot as it is, and nothing is encoded', async () => {
  const encoded = live.encoder.seen.length;
  expect(await map()).toMatchObject({ bot: 'bank', revision: 2, method: 'pca', shown: 4, texts: 4 });
  const [first] = (await live.service.getIntent('bank', 'card_lost')).examples;
  await live.service.editExample('bank', 'card_lost', first!.id, { intent: 'balance' });
  const { revision, points } = await map();
  expect(revision).toBe(3);
  expect(points.map(({ intent, text }) => [intent, text])).toEqual([
    ['card_lost', 'my card is gone'],
    ['balance', 'what is my balance'],
    ['balance', 'i lost my card'],
    [null, 'sing me a song'],
  ]);
  expect(live.encoder.seen).toHaveLength(encoded);
});

test('is asked for beside checks, by several at the same time', async () => {
  const [one, other, checks] = await Promise.all([map(), map(), live.service.check('bank')]);
  expect(other).toEqual(one);
  expect(checks).toMatchObject({ bot: 'bank', texts: 4 });
});

test('of a bot without texts is empty; of none it is not found', async () => {
  const h = harness({ lifecycle: Lifecycle.of(live.service) });
  await live.service.putBot('new', {});
  expect((await h.send('get', '/v1/bots/new/map')).body).toMatchObject({ shown: 0, points: [] });
  expect((await h.send('get', '/v1/bots/shop/map')).body).toMatchObject({ code: 'unknown_bot' });
  expect((await h.send('get', `${MAP}?limit=1`)).status).toBe(400);
});

test('needs a key that may read', async () => {
  const reader = 'reader-key-0123456789';
  const h = harness({ lifecycle: Lifecycle.of(live.service), keys: { readWrite: [], readOnly: [reader] } });
  expect((await h.send('get', MAP)).status).toBe(401);
  expect((await h.send('get', MAP, { headers: { authorization: `Bearer ${reader}` } })).status).toBe(200);
});
