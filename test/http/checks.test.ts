import { beforeEach, expect, test } from '@jest/globals';
import type { BotChecks } from '../../src/classify/service.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { harness } from './harness.js';
import { LiveService } from './liveService.js';

// Checks as clients see them: the real service and store behind the API, which checks answers against their schemas.

const CHECKS = '/v1/bots/bank/checks';
const WRITER = 'writer-key-0123456789';
const READER = 'reader-key-0123456789';

const live = new LiveService();

beforeEach(async () => {
  const examples = (...words: string[]) => words.map((word) => `${word} ${words[0]}`);
  await live.service.putIntents('bank', [
    { name: 'card_lost', examples: examples('card', 'lost', 'gone', 'stolen', 'missing') },
    { name: 'balance', examples: examples('balance', 'money', 'account', 'left', 'funds') },
  ]);
});

async function check(): Promise<BotChecks> {
  const answer = await harness({ lifecycle: Lifecycle.of(live.service) }).send('get', CHECKS);
  expect(answer.status).toBe(200);
  return answer.body as BotChecks;
}

test('a bot in which all is well has nothing to find', async () => {
  expect(await check()).toEqual({
    bot: 'bank',
    revision: 1,
    counts: { error: 0, warning: 0, info: 0 },
    texts: 10,
    compared: 10,
    left_out: 0,
    checks: [],
  });
});

test('faults are found in the bot as it is after a write, and nothing is encoded', async () => {
  await check();
  const { added } = await live.service.addExamples('bank', 'balance', ['Stolen card!', 'one '.repeat(20)]);
  await live.service.putIntents('bank', [{ name: 'new', examples: [] }]);
  const encoded = live.encoder.seen.length;
  const checks = await check();
  expect(checks).toMatchObject({ revision: 3, texts: 12, counts: { error: 1, warning: 2, info: 0 } });
  expect(checks.checks).toMatchObject([
    {
      code: 'same_text',
      severity: 'error',
      intents: ['card_lost', 'balance'],
      examples: [{ text: 'stolen card' }, { id: added[0]!.id, text: 'Stolen card!', intent: 'balance' }],
    },
    { code: 'empty_intent', intents: ['new'] },
    { code: 'cut_text', intents: ['balance'], examples: [{ id: added[1]!.id }] },
  ]);
  expect(live.encoder.seen).toHaveLength(encoded);
});

test('whoever asks at the same time gets the same', async () => {
  await live.service.addExamples('bank', 'balance', ['stolen card']);
  const [first, ...others] = await Promise.all([check(), check(), check()]);
  expect(first.counts.error).toBe(1);
  for (const other of others) expect(other).toEqual(first);
});

test('more bots than may wait are refused, and the next one is not', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `bot${i}`);
  for (const name of names) await live.service.putIntents(name, [{ name: 'x', examples: ['a'] }]);
  const outcomes = await Promise.allSettled(names.map((name) => live.service.check(name)));
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(2);
  expect(refused).toMatchObject([{ reason: { code: 'overloaded' } }, { reason: { code: 'overloaded' } }]);
  expect(await live.service.check('bot9')).toMatchObject({ bot: 'bot9', counts: { warning: 1 } });
});

test('a server that stops gives up what waits', async () => {
  const outcome = expect(live.service.check('bank')).rejects.toMatchObject({ code: 'not_ready' });
  await live.service.close();
  await outcome;
  await live.start();
});

test('a key that may only read may ask; none may not', async () => {
  const h = harness({
    lifecycle: Lifecycle.of(live.service),
    keys: { readWrite: [WRITER], readOnly: [READER] },
  });
  const headers = { authorization: `Bearer ${READER}` };
  expect((await h.send('get', CHECKS, { headers })).status).toBe(200);
  expect((await h.send('get', CHECKS)).status).toBe(401);
  expect(await h.send('get', '/v1/bots/shop/checks', { headers })).toMatchObject({
    status: 404,
    body: { code: 'unknown_bot' },
  });
  expect((await h.send('get', `${CHECKS}?strict=1`, { headers })).status).toBe(400);
});
