import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KEYS, listening, READER, type Listening, type Recorded } from './recorded.js';

/** As `RasaNLUHttpInterpreter` sends it, with aiohttp: its token is null where the endpoint has none. */
function recorded(text: string, token: string | null = null, query = ''): Recorded {
  return {
    path: `/rasa/bank/model/parse${query}`,
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip, deflate',
      'user-agent': 'Python/3.10 aiohttp/3.9.5',
      'content-type': 'application/json',
    },
    body: { token, text, message_id: 'f1c3a2b4d5e6' },
  };
}

let server: Listening;
afterEach(() => server.close());

describe('a server without keys', () => {
  beforeEach(async () => {
    server = await listening();
  });

  test('answers as Rasa does', async () => {
    const { status, headers, body } = await server.post(recorded('i lost my card'));
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        text: 'i lost my card',
        intent: { name: 'card_lost', confidence: 0.9 },
        entities: [],
        intent_ranking: [
          { name: 'card_lost', confidence: 0.9 },
          { name: 'balance', confidence: 0.1 },
        ],
      },
    });
    expect(headers['content-type']).toBe('application/json');
  });

  test('puts nlu_fallback before the others when the text is out of scope', async () => {
    const { body } = await server.post(recorded('is it raining'));
    // in_scope is 0.1, both intents have a confidence of 0.1
    expect(body).toEqual({
      text: 'is it raining',
      intent: { name: 'nlu_fallback', confidence: 0.9 },
      entities: [],
      intent_ranking: [
        { name: 'nlu_fallback', confidence: 0.9 },
        { name: 'card_lost', confidence: 0.01 },
        { name: 'balance', confidence: 0.01 },
      ],
    });
  });

  test.each(['i lost my card', 'is it raining'])('ranks ten at the most: %s', async (text) => {
    const intents = Array.from({ length: 12 }, (_, i) => ({ name: `intent_${i}`, examples: [`text ${i}`] }));
    await server.service.putIntents('bank', intents);
    const { body } = await server.post(recorded(text));
    const { intent, intent_ranking } = body as { intent: unknown; intent_ranking: unknown[] };
    expect(intent_ranking).toHaveLength(10);
    expect(intent_ranking[0]).toEqual(intent);
  });

  test('a version or alias behind an "@" answers', async () => {
    const { service } = server;
    await service.saveVersion('bank', 'v1', null);
    await service.putAlias('bank', 'production', 'v1');
    await service.deleteIntent('bank', 'card_lost');
    const at = (bot: string, text = 'i lost my card') => {
      return server.post({ ...recorded(text), path: `/rasa/${bot}/model/parse` });
    };
    for (const bot of ['bank@v1', 'bank@production', 'bank%40production']) {
      expect((await at(bot)).body).toMatchObject({ intent: { name: 'card_lost' } });
    }
    expect((await at('bank')).body).toMatchObject({ intent: { name: 'nlu_fallback' } });
    expect((await at('bank@production', '')).status).toBe(200);
    for (const text of ['i lost my card', '']) {
      expect(await at('bank@v2', text)).toMatchObject({ status: 404, body: { code: 'unknown_version' } });
    }
    for (const bot of ['bank@', '@v1', 'bank@v1@v1', 'bank@a b']) {
      expect(await at(encodeURIComponent(bot))).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'bot' }] },
      });
    }
  });

  test('a message without words means nothing, as with Rasa', async () => {
    const { status, body } = await server.post(recorded(''));
    expect(status).toBe(200);
    expect(body).toMatchObject({ intent: { name: null, confidence: 0 }, intent_ranking: [] });
  });

  test('fields that it does not know, or that are left out, are no error', async () => {
    const { path, headers } = recorded('');
    for (const body of [
      { text: 'i lost my card' },
      { text: 'i lost my card', message_id: null, project: 1 },
    ]) {
      expect((await server.post({ path, headers, body })).status).toBe(200);
    }
  });

  test('a bot that is not there, and no text, are problems', async () => {
    const request = recorded('x');
    expect(await server.post({ ...request, path: '/rasa/shop/model/parse' })).toMatchObject({
      status: 404,
      body: { code: 'unknown_bot' },
    });
    expect(await server.post({ ...request, body: { message_id: '1' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ field: 'text' }] },
    });
  });
});

describe('a server with keys', () => {
  beforeEach(async () => {
    server = await listening({ keys: KEYS });
  });

  test('takes one that only reads, as token in the body, after the question mark, or in the header', async () => {
    const inHeader = recorded('i lost my card');
    for (const request of [
      recorded('i lost my card', READER),
      recorded('i lost my card', null, `?token=${READER}`),
      { ...inHeader, headers: { ...inHeader.headers, authorization: `Bearer ${READER}` } },
    ]) {
      expect((await server.post(request)).status).toBe(200);
    }
  });

  test.each([
    ['none', recorded('x')],
    ['a wrong one in the body', recorded('x', 'wrong-key-0123456789')],
    ['a wrong one after the question mark', recorded('x', null, '?token=wrong-key-0123456789')],
    ['a wrong one before a right one', recorded('x', READER, '?token=wrong-key-0123456789')],
    ['two after the question mark', recorded('x', null, `?token=${READER}&token=${READER}`)],
    ['none and a body that is no request', { ...recorded('x'), body: [READER] }],
  ])('refuses %s', async (_, request) => {
    expect(await server.post(request)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  test('a token is taken by no other operation', async () => {
    const { headers } = recorded('x');
    const request = {
      path: `/v1/bots/bank/classify?token=${READER}`,
      headers,
      body: { text: 'x', token: READER },
    };
    expect((await server.post(request)).status).toBe(401);
  });

  test('no token is logged, wherever it stood', async () => {
    await server.post(recorded('i lost my card', READER));
    await server.post(recorded('i lost my card', null, `?token=${READER}`));
    await server.post(recorded('', 'wrong-key-0123456789', '?token=other-key-0123456789'));
    await server.post({ ...recorded('x'), path: `/rasa/bank/elsewhere?token=${READER}` });
    while (server.lines.length < 4) await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.stringify(server.lines)).not.toMatch(/-key-|i lost/);
  });
});
