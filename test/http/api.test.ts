import { beforeEach, describe, expect, test } from '@jest/globals';
import { harness, type Harness } from './harness.js';

let h: Harness;
beforeEach(async () => {
  h = harness();
  await h.send('put', '/v1/bots/bank/intents', {
    body: {
      intents: [
        {
          name: 'card_lost',
          examples: ['i lost my card', 'my card is gone'],
          description: 'The card is lost',
        },
        { name: 'balance', examples: ['how much money is left'] },
      ],
    },
  });
});

describe('classify', () => {
  test('one text gives one result', async () => {
    const { status, body } = await h.send('post', '/v1/bots/bank/classify', {
      body: { text: 'i lost my card' },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      text: 'i lost my card',
      intent: 'card_lost',
      out_of_scope: false,
      evidence: [{ example: 'i lost my card', intent: 'card_lost', similarity: 1 }],
      model: { head: 'adapted', revision: 1 },
    });
    expect(body).not.toHaveProperty('explanation');
  });

  test('several texts give results in order', async () => {
    const texts = ['how much money is left', 'is it raining', 'my card is gone'];
    const { body } = await h.send('post', '/v1/bots/bank/classify', { body: { texts } });
    const { results } = body as { results: { text: string; intent: string | null }[] };
    expect(results.map((result) => result.text)).toEqual(texts);
    expect(results.map((result) => result.intent)).toEqual(['balance', null, 'card_lost']);
  });

  test('one text in a list gives a list', async () => {
    const { body } = await h.send('post', '/v1/bots/bank/classify', { body: { texts: ['my card is gone'] } });
    expect(body).toHaveProperty('results.length', 1);
  });

  test('top and explain reach the service', async () => {
    const { body } = await h.send('post', '/v1/bots/bank/classify', {
      body: { text: 'my card is gone', top: 1, explain: true },
    });
    expect(body).toHaveProperty('ranking.length', 1);
    expect(body).toHaveProperty('explanation.threshold', 0.5);
  });

  test('min_revision is answered by that revision, or refused while it is not here', async () => {
    const body = { text: 'my card is gone', min_revision: 1 };
    expect((await h.send('post', '/v1/bots/bank/classify', { body })).status).toBe(200);
    const late = await h.send('post', '/v1/bots/bank/classify', { body: { ...body, min_revision: 2 } });
    expect(late).toMatchObject({ status: 503, body: { code: 'revision_unavailable' } });
    for (const min_revision of [-1, 1.5, '1', null]) {
      const answer = await h.send('post', '/v1/bots/bank/classify', { body: { ...body, min_revision } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
  });

  test.each(['', '/intents', '/intents/balance', '/counterexamples'])(
    'GET of a bot%s takes it as well',
    async (path) => {
      const get = (query: string) => h.send('get', `/v1/bots/bank${path}?min_revision=${query}`);
      expect((await get('1')).status).toBe(200);
      expect(await get('2')).toMatchObject({ status: 503, body: { code: 'revision_unavailable' } });
      expect(await get('soon')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );

  test('a new intent is seen by the next request', async () => {
    await h.send('put', '/v1/bots/bank/intents/hours', { body: { examples: ['when do you open'] } });
    const { body } = await h.send('post', '/v1/bots/bank/classify', { body: { text: 'when do you open' } });
    expect(body).toMatchObject({ intent: 'hours', model: { revision: 2 } });
  });
});

describe('bots', () => {
  test('are created with 201, changed with 200, listed, and deleted', async () => {
    const settings = { head: 'matching', threshold: 0.3 };
    expect((await h.send('put', '/v1/bots/shop', { body: settings })).status).toBe(201);
    const changed = await h.send('put', '/v1/bots/shop', { body: {} });
    expect(changed).toMatchObject({ status: 200, body: { name: 'shop', settings: {}, revision: 2 } });
    const list = await h.send('get', '/v1/bots');
    expect((list.body as { bots: { name: string }[] }).bots.map((bot) => bot.name)).toEqual(['bank', 'shop']);
    const gone = await h.send('delete', '/v1/bots/shop');
    expect(gone).toMatchObject({ status: 200, body: { bot: 'shop', deleted: true } });
    expect(await h.send('get', '/v1/bots/shop')).toMatchObject({
      status: 404,
      body: { code: 'unknown_bot' },
    });
  });

  test('show their size', async () => {
    const { body } = await h.send('get', '/v1/bots/bank');
    expect(body).toMatchObject({ name: 'bank', intents: 2, examples: 3, counterexamples: 0 });
  });

  test('that are not there are 404 wherever they are asked for', async () => {
    const examples = { examples: ['x'] };
    const answers = await Promise.all([
      h.send('post', '/v1/bots/none/classify', { body: { text: 'x' } }),
      h.send('get', '/v1/bots/none/intents'),
      h.send('get', '/v1/bots/none/intents/x'),
      h.send('delete', '/v1/bots/none/intents/x'),
      h.send('post', '/v1/bots/none/intents/x/examples', { body: examples }),
      h.send('get', '/v1/bots/none/counterexamples'),
      h.send('put', '/v1/bots/none/counterexamples', { body: examples }),
      h.send('delete', '/v1/bots/none'),
    ]);
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_bot' } });
  });
});

describe('intents', () => {
  test('are listed with counts, or with their examples', async () => {
    expect((await h.send('get', '/v1/bots/bank/intents')).body).toEqual({
      intents: [
        { name: 'card_lost', description: 'The card is lost', examples: 2 },
        { name: 'balance', description: null, examples: 1 },
      ],
    });
    expect((await h.send('get', '/v1/bots/bank/intents?examples=false')).body).toHaveProperty(
      'intents.0.examples',
      2,
    );
    expect((await h.send('get', '/v1/bots/bank/intents?examples=true')).body).toHaveProperty(
      'intents.1.examples',
      [{ id: 3, text: 'how much money is left' }],
    );
  });

  test('are created with 201 and replaced with 200, in a bot that may be new', async () => {
    const body = { examples: ['a', 'b'], description: 'letters' };
    const created = await h.send('put', '/v1/bots/new/intents/letters', { body });
    expect(created).toMatchObject({ status: 201, body: { bot: 'new', revision: 1, removed: [] } });
    const replaced = await h.send('put', '/v1/bots/new/intents/letters', { body: { examples: ['b', 'c'] } });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({ added: [{ text: 'c' }], removed: [{ text: 'a' }] });
    const intent = await h.send('get', '/v1/bots/new/intents/letters');
    expect(intent.body).toMatchObject({
      name: 'letters',
      description: null,
      examples: [{ text: 'b' }, { text: 'c' }],
    });
  });

  test('are written together: 201 where one is new, 200 where none is', async () => {
    const balance = { name: 'balance', examples: ['what is left'] };
    const path = '/v1/bots/bank/intents';
    expect((await h.send('put', path, { body: { intents: [balance] } })).status).toBe(200);
    const both = { intents: [balance, { name: 'hours', examples: [], description: null }] };
    expect((await h.send('put', path, { body: both })).status).toBe(201);
  });

  test('may have a slash, blanks, emoji and any script in their names', async () => {
    for (const name of ['faq/ask', 'card lost', '🏦', 'بطاقة مفقودة', '..a', 'a%2Fb', 'x?y#z']) {
      const path = `/v1/bots/bank/intents/${encodeURIComponent(name)}`;
      expect((await h.send('put', path, { body: { examples: ['x'] } })).status).toBe(201);
      expect((await h.send('get', path)).body).toMatchObject({ name });
      expect((await h.send('delete', path)).status).toBe(200);
    }
  });

  test('whose names look the same are the same', async () => {
    const composed = 'caf\u00e9';
    const path = (name: string) => `/v1/bots/bank/intents/${encodeURIComponent(name)}`;
    expect((await h.send('put', path(composed), { body: { examples: [] } })).status).toBe(201);
    expect((await h.send('put', path('cafe\u0301'), { body: { examples: [] } })).status).toBe(200);
    expect((await h.send('get', path('cafe\u0301'))).body).toMatchObject({ name: composed });
  });

  test('that are not there are 404', async () => {
    const path = '/v1/bots/bank/intents/none';
    const body = { examples: ['x'] };
    for (const answer of [
      await h.send('get', path),
      await h.send('delete', path),
      await h.send('post', `${path}/examples`, { body }),
      await h.send('delete', `${path}/examples/1`),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_intent' } });
    }
  });
});

describe('examples and counter-examples', () => {
  const path = '/v1/bots/bank/intents/card_lost/examples';

  test('are added with 201 where one is new, 200 where none is', async () => {
    const added = await h.send('post', path, { body: { examples: ['my card is gone', 'no card'] } });
    expect(added).toMatchObject({ status: 201, body: { added: [{ text: 'no card' }], removed: [] } });
    expect((await h.send('post', path, { body: { examples: ['no card'] } })).status).toBe(200);
  });

  test('are deleted one by one', async () => {
    const removed = await h.send('delete', `${path}/1`);
    expect(removed).toMatchObject({ status: 200, body: { removed: [{ id: 1, text: 'i lost my card' }] } });
    expect(await h.send('delete', `${path}/1`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_example' },
    });
  });

  test('counter-examples are replaced and read', async () => {
    const counter = '/v1/bots/bank/counterexamples';
    expect((await h.send('get', counter)).body).toEqual({ examples: [] });
    expect((await h.send('put', counter, { body: { examples: ['is it raining'] } })).status).toBe(200);
    expect((await h.send('get', counter)).body).toEqual({ examples: [{ id: 4, text: 'is it raining' }] });
  });
});
