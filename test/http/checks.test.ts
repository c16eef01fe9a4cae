import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type { BotChecks, ClassifyService } from '../../src/classify/service.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';
import { WordEncoder } from '../classify/wordEncoder.js';
import { harness, LIMITS } from './harness.js';

// Checks as clients see them: the real service and store behind the API, which checks answers against their schemas.

const CHECKS = '/v1/bots/bank/checks';
const WRITER = 'writer-key-0123456789';
const READER = 'reader-key-0123456789';

let folder: string;
let encoder: WordEncoder;
let service: ClassifyService;
let warnings: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-checks-'));
  encoder = new WordEncoder();
  warnings = [];
  service = await openService({
    encoder,
    store: await openSqliteStore(join(folder, 'kshot.db')),
    maxTextChars: LIMITS.maxTextChars,
    calibration: bundledCalibration,
    warn: (message, error) => warnings.push(`${message}: ${String(error)}`),
  });
  const examples = (...words: string[]) => words.map((word) => `${word} ${words[0]}`);
  await service.putIntents('bank', [
    { name: 'card_lost', examples: examples('card', 'lost', 'gone', 'stolen', 'missing') },
    { name: 'balance', examples: examples('balance', 'money', 'account', 'left', 'funds') },
  ]);
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
  expect(warnings).toEqual([]);
});

async function check(): Promise<BotChecks> {
  const answer = await harness({ lifecycle: Lifecycle.of(service) }).send('get', CHECKS);
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
  const { added } = await service.addExamples('bank', 'balance', ['Stolen card!', 'one '.repeat(20)]);
  await service.putIntents('bank', [{ name: 'new', examples: [] }]);
  const encoded = encoder.seen.length;
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
  expect(encoder.seen).toHaveLength(encoded);
});

test('whoever asks at the same time gets the same', async () => {
  await service.addExamples('bank', 'balance', ['stolen card']);
  const [first, ...others] = await Promise.all([check(), check(), check()]);
  expect(first.counts.error).toBe(1);
  for (const other of others) expect(other).toEqual(first);
});

test('more bots than may wait are refused, and the next one is not', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `bot${i}`);
  for (const name of names) await service.putIntents(name, [{ name: 'x', examples: ['a'] }]);
  const outcomes = await Promise.allSettled(names.map((name) => service.check(name)));
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(2);
  expect(refused).toMatchObject([{ reason: { code: 'overloaded' } }, { reason: { code: 'overloaded' } }]);
  expect(await service.check('bot9')).toMatchObject({ bot: 'bot9', counts: { warning: 1 } });
});

test('a server that stops gives up what waits', async () => {
  const outcome = expect(service.check('bank')).rejects.toMatchObject({ code: 'not_ready' });
  await service.close();
  await outcome;
});

test('a key that may only read may ask; none may not', async () => {
  const h = harness({
    lifecycle: Lifecycle.of(service),
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
