import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ClassifyResult, Intent, WriteResult } from '../../src/classify/service.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { harness } from './harness.js';
import { LiveService } from './liveService.js';

// Small changes to a bot as clients see them: the real service and store behind the API.

const BANK = '/v1/bots/bank';
const LOST = `${BANK}/intents/card_lost`;
const INTENTS = [
  { name: 'card_lost', examples: ['i lost my card', 'my card is gone', 'show me the money'] },
  { name: 'balance', examples: ['what is my balance', 'how much money do i have'] },
  { name: 'x17', examples: [], description: 'customer complains about fees' },
];

const live = new LiveService();

beforeEach(async () => {
  await live.service.putIntents('bank', INTENTS);
  await live.service.putCounterexamples('bank', ['sing me a song']);
});

const classify = (text: string) => live.send<ClassifyResult>('post', `${BANK}/classify`, { body: { text } });
const edit = (id: number, body: unknown, path = LOST) =>
  live.send<WriteResult>('put', `${path}/examples/${id}`, { body });
const rename = (intent: string, name: string) =>
  live.send<WriteResult>('post', `${BANK}/intents/${intent}/rename`, { body: { name } });
const examplesOf = async (intent: string) =>
  (await live.send<Intent>('get', `${BANK}/intents/${intent}`)).examples.map(({ text }) => text);

async function idOf(text: string, intent = 'card_lost'): Promise<number> {
  const { examples } = await live.service.getIntent('bank', intent);
  return examples.find((example) => example.text === text)!.id;
}

/** The intent that ranks first, whether in scope or not. */
const best = async (text: string) => (await classify(text)).ranking[0]!.intent;

/** The nearest example of a text. */
async function nearest(text: string) {
  const { evidence } = await classify(text);
  return evidence[0];
}

describe('an example', () => {
  test('reads otherwise with the next request', async () => {
    const id = await idOf('my card is gone');
    const result = await edit(id, { text: ' elephants ate it ' });
    expect(result).toMatchObject({
      bot: 'bank',
      revision: 3,
      added: [{ text: 'elephants ate it' }],
      removed: [{ id, text: 'my card is gone' }],
    });
    expect(await classify('elephants ate it')).toMatchObject({
      intent: 'card_lost',
      model: { revision: 3 },
    });
    expect(await nearest('elephants ate it')).toMatchObject({ example: 'elephants ate it', similarity: 1 });
    expect((await nearest('my card is gone'))!.example).toBe('i lost my card');
    expect(await examplesOf('card_lost')).toEqual([
      'i lost my card',
      'show me the money',
      'elephants ate it',
    ]);
  });

  test('belongs to another intent with the next request, and nothing is encoded', async () => {
    const id = await idOf('show me the money');
    const encoded = live.encoder.seen.length;
    const { added, removed, revision } = await edit(id, { intent: 'balance' });
    expect({ removed, revision }).toEqual({ removed: [{ id, text: 'show me the money' }], revision: 3 });
    expect(live.encoder.seen).toHaveLength(encoded);
    expect(await nearest('show me the money')).toMatchObject({ intent: 'balance', similarity: 1 });
    expect(await examplesOf('card_lost')).toEqual(['i lost my card', 'my card is gone']);
    expect((await live.service.getIntent('bank', 'balance')).examples).toContainEqual(added[0]);
  });

  test('does both at once, and lasts', async () => {
    await edit(await idOf('show me the money'), { intent: 'balance', text: 'show my funds' });
    await live.service.close();
    await live.start();
    expect(await examplesOf('balance')).toEqual([
      'what is my balance',
      'how much money do i have',
      'show my funds',
    ]);
    expect(live.encoder.seen).toEqual([]);
  });

  test('the last one of an intent leaves it to its name, the first one takes its place', async () => {
    await edit(await idOf('what is my balance', 'balance'), { intent: 'x17' }, `${BANK}/intents/balance`);
    await edit(
      await idOf('how much money do i have', 'balance'),
      { intent: 'x17' },
      `${BANK}/intents/balance`,
    );
    expect(await nearest('what is my balance')).toMatchObject({ intent: 'x17', similarity: 1 });
    expect(await examplesOf('balance')).toEqual([]);
    expect(await best('balance')).toBe('balance');
  });

  test('is one of two no longer where the intent has its new text', async () => {
    const { added, removed } = await edit(await idOf('my card is gone'), { text: 'i lost my card' });
    expect(added).toEqual([]);
    expect(removed).toMatchObject([{ text: 'my card is gone' }]);
    expect(await examplesOf('card_lost')).toEqual(['i lost my card', 'show me the money']);
  });

  test('stays as it is where nothing is different', async () => {
    const id = await idOf('my card is gone');
    expect(await edit(id, { text: 'my card is gone', intent: 'card_lost' })).toEqual({
      bot: 'bank',
      revision: 2,
      added: [],
      removed: [],
    });
    expect(await idOf('my card is gone')).toBe(id);
  });

  test.each([
    ['nothing', {}, ['text']],
    ['an empty text', { text: ' ' }, ['text']],
    ['a list', { text: ['x'] }, ['text']],
    ['no intent', { intent: null }, ['intent']],
    ['a name that cannot be', { intent: ' x' }, ['intent']],
    ['another field', { text: 'x', label: 'y' }, ['label']],
  ])('is refused %s', async (_, body, fields) => {
    const answer = await live.h.send('put', `${LOST}/examples/1`, { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    const { errors } = answer.body as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(fields);
  });

  test('that is not there is not found, nor is an intent to move it to', async () => {
    const id = await idOf('my card is gone');
    const put = async (path: string, body: unknown) =>
      ((await live.h.send('put', `/v1/bots/${path}`, { body })).body as { code: string }).code;
    const body = { intent: 'balance' };
    expect(await put(`shop/intents/x/examples/${id}`, body)).toBe('unknown_bot');
    expect(await put(`bank/intents/x/examples/${id}`, body)).toBe('unknown_intent');
    expect(await put(`bank/intents/balance/examples/${id}`, body)).toBe('unknown_example');
    expect(await put(`bank/intents/card_lost/examples/${id}`, { intent: 'x' })).toBe('unknown_intent');
    expect(await put('bank/intents/card_lost/examples/one', body)).toBe('invalid_request');
    expect((await live.service.getBot('bank')).revision).toBe(2);
  });
});

describe('an intent', () => {
  test('goes by its new name with the next request, at its place, with its examples', async () => {
    const { examples } = await live.service.getIntent('bank', 'card_lost');
    expect(await rename('card_lost', 'missing_card')).toEqual({
      bot: 'bank',
      revision: 3,
      added: [],
      removed: [],
    });
    expect(await classify('i lost my card')).toMatchObject({
      intent: 'missing_card',
      model: { revision: 3 },
    });
    expect(await nearest('i lost my card')).toMatchObject({ intent: 'missing_card', similarity: 1 });
    const intents = await live.service.listIntents('bank');
    expect(intents.map(({ name }) => name)).toEqual(['missing_card', 'balance', 'x17']);
    expect(intents[0]!.examples).toEqual(examples);
    expect((await live.h.send('get', LOST)).status).toBe(404);
  });

  test('without examples is known by its new name', async () => {
    await live.service.putIntents('bank', [{ name: 'loans', examples: [] }]);
    const confidence = async (intent: string) => {
      const { ranking } = await classify('open account');
      return ranking.find((ranked) => ranked.intent === intent)!.confidence;
    };
    const before = await confidence('loans');
    await rename('loans', 'openAccount');
    expect(await confidence('openAccount')).toBeGreaterThan(before);
  });

  test('with a description is known by that, as before', async () => {
    await rename('x17', 'complaint');
    expect(await best('customer complains about fees')).toBe('complaint');
    expect(await live.service.getIntent('bank', 'complaint')).toMatchObject({
      description: 'customer complains about fees',
    });
  });

  test('may take a name that was given up, and be edited on', async () => {
    await rename('card_lost', 'gone');
    await rename('balance', 'card_lost');
    await live.service.addExamples('bank', 'card_lost', ['is there anything left']);
    expect(await nearest('is there anything left')).toMatchObject({ intent: 'card_lost', similarity: 1 });
    expect(await nearest('i lost my card')).toMatchObject({ intent: 'gone', similarity: 1 });
    await live.service.close();
    await live.start();
    const intents = await live.service.listIntents('bank');
    expect(intents.map(({ name, examples }) => [name, examples.length])).toEqual([
      ['gone', 3],
      ['card_lost', 3],
      ['x17', 0],
    ]);
  });

  test('is refused a name that is taken or cannot be', async () => {
    const post = (intent: string, body: unknown) =>
      live.h.send('post', `${BANK}/intents/${intent}/rename`, { body });
    expect(await post('card_lost', { name: 'balance' })).toMatchObject({
      status: 409,
      body: { code: 'intent_exists' },
    });
    expect(await post('x', { name: 'y' })).toMatchObject({ status: 404, body: { code: 'unknown_intent' } });
    for (const body of [{}, { name: '' }, { name: '..' }, { name: 7 }, { name: 'x', to: 'y' }]) {
      expect(await post('card_lost', body)).toMatchObject({ status: 400 });
    }
    expect(await rename('card_lost', 'card_lost')).toMatchObject({ revision: 2 });
  });
});

describe('counter-examples', () => {
  const path = `${BANK}/counterexamples`;
  const add = (...examples: string[]) => live.h.send('post', path, { body: { examples } });

  test('are added, and known with the next request', async () => {
    expect(await add('sing me a song', 'tell me a joke')).toMatchObject({
      status: 201,
      body: { revision: 3, added: [{ text: 'tell me a joke' }], removed: [] },
    });
    const { explanation } = await live.send<ClassifyResult>('post', `${BANK}/classify`, {
      body: { text: 'tell me a joke', explain: true },
    });
    expect(explanation!.nearest_counterexample).toEqual({ example: 'tell me a joke', similarity: 1 });
    expect(await add('tell me a joke')).toMatchObject({ status: 200, body: { revision: 3, added: [] } });
    const { examples } = await live.send<{ examples: unknown[] }>('get', path);
    expect(examples).toMatchObject([{ text: 'sing me a song' }, { text: 'tell me a joke' }]);
  });

  test('are deleted one by one', async () => {
    const [{ id } = { id: 0 }] = await live.service.getCounterexamples('bank');
    expect(await live.send('delete', `${path}/${id}`)).toMatchObject({
      revision: 3,
      removed: [{ id, text: 'sing me a song' }],
    });
    expect(await live.service.getCounterexamples('bank')).toEqual([]);
    expect(await live.h.send('delete', `${path}/${id}`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_example' },
    });
    expect((await live.h.send('delete', `${path}/x`)).status).toBe(400);
    expect((await live.h.send('delete', '/v1/bots/shop/counterexamples/1')).status).toBe(404);
  });

  test('are refused where they are none, or too many', async () => {
    expect((await add()).status).toBe(400);
    expect((await add(...Array.from({ length: 51 }, (_, i) => `text ${i}`))).status).toBe(400);
    expect(
      (await live.h.send('post', '/v1/bots/shop/counterexamples', { body: { examples: ['x'] } })).status,
    ).toBe(404);
  });
});

test('a key that may only read may change nothing', async () => {
  const reader = 'reader-key-0123456789';
  const keyed = harness({
    lifecycle: Lifecycle.of(live.service),
    keys: { readWrite: ['writer-key-0123456789'], readOnly: [reader] },
  });
  const headers = { authorization: `Bearer ${reader}` };
  const attempts = [
    keyed.send('put', `${LOST}/examples/1`, { headers, body: { text: 'x' } }),
    keyed.send('post', `${LOST}/rename`, { headers, body: { name: 'x' } }),
    keyed.send('post', `${BANK}/counterexamples`, { headers, body: { examples: ['x'] } }),
    keyed.send('delete', `${BANK}/counterexamples/1`, { headers }),
  ];
  for (const answer of await Promise.all(attempts)) expect(answer.status).toBe(403);
});
