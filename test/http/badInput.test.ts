import { beforeAll, describe, expect, test } from '@jest/globals';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import request from 'supertest';
import { harness, LIMITS, type Harness } from './harness.js';

const CLASSIFY = '/v1/bots/bank/classify';

let h: Harness;
beforeAll(async () => {
  h = harness();
  await h.send('put', '/v1/bots/bank/intents/x', { body: { examples: ['x'] } });
});

/** The fields that a 400 names. */
async function refused(body: unknown, path = CLASSIFY, method: 'post' | 'put' = 'post'): Promise<string[]> {
  const answer = await h.send(method, path, { body });
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  const problem = answer.body as { code: string; errors?: { field: string }[] };
  expect(problem.code).toBe('invalid_request');
  return (problem.errors ?? []).map((error) => error.field);
}

async function accepted(body: unknown): Promise<unknown> {
  const answer = await h.send('post', CLASSIFY, { body });
  expect(answer.status).toBe(200);
  return answer.body;
}

describe('texts', () => {
  test.each([
    ['empty', ''],
    ['blank', ' \t\n\u00a0'],
    ['with NUL', 'a\0b'],
    ['with a lone surrogate', 'a\ud800b'],
    ['too long', 'x'.repeat(LIMITS.maxTextChars + 1)],
    ['a number', 7],
    ['null', null],
    ['a list', ['x']],
    ['an object', { text: 'x' }],
  ])('%s is refused, naming the field', async (_, text) => {
    expect(await refused({ text })).toEqual(['text']);
    expect(await refused({ texts: ['fine', text] })).toEqual(['texts.1']);
  });

  test.each([
    ['emoji', '💳 lost 😭'],
    ['right to left', 'فقدت بطاقتي'],
    ['with direction marks', '\u202eabc\u202c'],
    ['with control characters', 'a\u0007\u001b[31mb\r\n'],
    ['with joined emoji', '👩‍👩‍👧'],
    ['combining', 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A'],
    ['as long as allowed, in code points', '😀'.repeat(LIMITS.maxTextChars)],
  ])('%s is answered', async (_, text) => {
    expect(await accepted({ text })).toMatchObject({ text });
  });

  test('a million characters are refused', async () => {
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x'.repeat(1_000_000) } });
    expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('ten thousand texts are refused as such, however wrong each of them is', async () => {
    expect(await refused({ texts: Array.from({ length: 10_000 }, () => 'x') })).toEqual(['texts']);
    expect(await refused({ texts: Array.from({ length: 60_000 }, () => 0) })).toEqual(['texts']);
    expect(await refused({ texts: [] })).toEqual(['texts']);
  });

  test('very many wrong texts give a bounded answer', async () => {
    expect(await refused({ texts: Array.from({ length: LIMITS.maxTexts }, () => '') })).toHaveLength(20);
  });
});

describe('bodies', () => {
  test.each([
    ['neither text nor texts', {}, ['text']],
    ['both text and texts', { text: 'x', texts: ['x'] }, ['text']],
    ['an unknown field', { text: 'x', txet: 'y' }, ['txet']],
    ['a list', [{ text: 'x' }], ['body']],
    ['a string', '"text"', ['body']],
    ['null', 'null', ['body']],
    ['__proto__', '{"text":"x","__proto__":{"polluted":true}}', ['__proto__']],
    ['constructor', '{"text":"x","constructor":{"prototype":{}}}', ['constructor']],
    ['a huge number', '{"text":"x","top":1e308}', ['top']],
    ['a number beyond double', '{"text":"x","top":1e999}', ['top']],
    ['a number with decimals', { text: 'x', top: 1.5 }, ['top']],
    ['zero', { text: 'x', top: 0 }, ['top']],
    ['a word for a switch', { text: 'x', explain: 'yes' }, ['explain']],
    ['a list for a number', { text: 'x', top: [1] }, ['top']],
    ['broken JSON', '{"text": ', ['body']],
    ['text after JSON', '{"text":"x"} more', ['body']],
    ['blank', '   ', ['body']],
    ['deep nesting', '['.repeat(50_000) + ']'.repeat(50_000), ['body']],
    ['unclosed nesting', '{"text":'.repeat(20_000), ['body']],
    ['deep nesting in a field', `{"text":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, ['text']],
  ])('with %s are refused', async (_, body, fields) => {
    expect(await refused(body)).toEqual(fields);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  test('with very many unknown fields give a bounded answer', async () => {
    const body = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, i]));
    expect(await refused(body)).toHaveLength(20);
  });

  test('that are missing are refused', async () => {
    const answer = await h.send('post', CLASSIFY);
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'body', message: 'is missing' }] },
    });
    expect(await refused('')).toEqual(['body']);
  });

  test('with a field of the wrong type say so, and not that it is missing', async () => {
    const answer = await h.send('post', CLASSIFY, { body: { text: 5 } });
    expect(answer.body).toMatchObject({ errors: [{ field: 'text', message: 'must be a string' }] });
  });

  test('that are no UTF-8 are refused', async () => {
    const answer = await request(h.app)
      .post(CLASSIFY)
      .set('content-type', 'application/json')
      .serialize((bytes) => bytes as unknown as string)
      .send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
    expect(answer).toMatchObject({ status: 400, body: { detail: 'body: must be UTF-8' } });
  });

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/json; charset=latin1'],
    ['application/jsonp'],
    [''],
  ])('of type %p are refused with 415', async (type) => {
    const answer = await h.send('post', CLASSIFY, {
      body: '{"text":"x"}',
      headers: { 'content-type': type },
    });
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
  });

  test.each([['application/json; charset=UTF-8'], ['Application/JSON'], ['application/problem+json']])(
    'of type %s are read',
    async (type) => {
      const answer = await h.send('post', CLASSIFY, {
        body: '{"text":"x"}',
        headers: { 'content-type': type },
      });
      expect(answer.status).toBe(200);
    },
  );

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('compressed by %s are read, up to the limit of what they inflate to', async (encoding, compress) => {
    const post = (bytes: Buffer) =>
      request(h.app)
        .post(CLASSIFY)
        .set({ 'content-type': 'application/json', 'content-encoding': encoding })
        .serialize((body) => body as unknown as string)
        .send(bytes);
    expect((await post(compress(Buffer.from('{"text":"x"}')))).status).toBe(200);
    const bomb = compress(Buffer.alloc(5_000_000, ' '));
    expect(bomb.length).toBeLessThan(LIMITS.maxBodyBytes);
    expect(await post(bomb)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect(await post(Buffer.from('{"text":"x"}'))).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test('compressed otherwise are refused', async () => {
    const headers = { 'content-encoding': 'zstd' };
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x' }, headers });
    expect(answer.status).toBe(415);
    expect(answer.headers['accept-encoding']).toBe('gzip, deflate, br');
  });
});

describe('writes', () => {
  const INTENT = '/v1/bots/bank/intents/y';
  const INTENTS = '/v1/bots/bank/intents';

  test('without examples say so, so that none are lost by leaving them out', async () => {
    expect(await refused({ description: 'y' }, INTENT, 'put')).toEqual(['examples']);
    expect((await h.send('put', INTENT, { body: { examples: [] } })).status).toBe(201);
  });

  test('name the wrong place', async () => {
    expect(await refused({ examples: ['x', ''] }, INTENT, 'put')).toEqual(['examples.1']);
    expect(await refused({ examples: 'x' }, INTENT, 'put')).toEqual(['examples']);
    expect(await refused({ examples: [], description: 3 }, INTENT, 'put')).toEqual(['description']);
    expect(await refused({ examples: [] }, `${INTENT}/examples`)).toEqual(['examples']);
    expect(await refused({ intents: [] }, INTENTS, 'put')).toEqual(['intents']);
    const second = { name: 'b', examples: ['x', 4], more: 1 };
    expect(await refused({ intents: [{ name: 'a', examples: [] }, second] }, INTENTS, 'put')).toEqual([
      'intents.1.examples.1',
      'intents.1.more',
    ]);
    expect(await refused({ head: '' }, '/v1/bots/bank', 'put')).toEqual(['head']);
    expect(await refused({ threshold: 1.01 }, '/v1/bots/bank', 'put')).toEqual(['threshold']);
  });

  test.each([['a\ud800'], ['a\u2028b'], ['.'], ['..'], [' a'], [''], ['a'.repeat(129)], ['a\u0085b']])(
    'that name an intent %j are refused',
    async (name) => {
      expect(await refused({ intents: [{ name, examples: [] }] }, INTENTS, 'put')).toEqual([
        'intents.0.name',
      ]);
    },
  );

  test('that name an intent twice are refused, also where only the spelling differs', async () => {
    const twice = { intents: ['caf\u00e9', 'b', 'cafe\u0301'].map((name) => ({ name, examples: [] })) };
    expect(await refused(twice, INTENTS, 'put')).toEqual(['intents.2.name']);
  });

  test('of too many examples are refused, for an intent and in all', async () => {
    const examples = Array.from({ length: LIMITS.maxExamplesPerIntent + 1 }, (_, i) => String(i));
    expect(await refused({ examples }, INTENT, 'put')).toEqual(['examples']);
    expect(await refused({ examples }, '/v1/bots/bank/counterexamples', 'put')).toEqual(['examples']);
    const half = examples.slice(1);
    const intents = ['a', 'b'].map((name) => ({ name, examples: half }));
    expect(await refused({ intents }, INTENTS, 'put')).toEqual(['intents']);
  });
});

describe('addresses', () => {
  test.each([
    ['a bot with a slash', '/v1/bots/a%2Fb', 'bot'],
    ['a bot of dots', '/v1/bots/%2e%2e', 'bot'],
    ['a bot that is too long', `/v1/bots/${'x'.repeat(65)}`, 'bot'],
    ['a bot with a blank', '/v1/bots/a%20b', 'bot'],
    ['a bot with NUL', '/v1/bots/a%00', 'bot'],
    ['an intent of dots', '/v1/bots/bank/intents/%2E%2E', 'intent'],
    ['an intent that is a dot', '/v1/bots/bank/intents/%2E', 'intent'],
    ['an intent with a line break', '/v1/bots/bank/intents/a%0Ab', 'intent'],
    ['an intent with NUL', '/v1/bots/bank/intents/%00', 'intent'],
    ['a blank intent', '/v1/bots/bank/intents/%20', 'intent'],
    ['an intent that is too long', `/v1/bots/bank/intents/${'x'.repeat(129)}`, 'intent'],
    ['a wrong query', '/v1/bots/bank/intents?examples=yes', 'examples'],
    ['a query given twice', '/v1/bots/bank/intents?examples=true&examples=false', 'examples'],
    ['an unknown query', '/v1/bots?page=2', 'page'],
    ['an unknown query that is no field', '/v1/bots?__proto__=2', '__proto__'],
  ])('%s is refused', async (_, path, field) => {
    const answer = await h.send('get', path);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  test.each([['abc'], ['-1'], ['1.5'], ['99999999999999999999'], ['9007199254740993'], ['%00']])(
    'the example id %s is refused',
    async (id) => {
      const answer = await h.send('delete', `/v1/bots/bank/intents/x/examples/${id}`);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'id' }] } });
    },
  );

  test('broken percent-encoding is refused', async () => {
    const answers = [
      await h.send('get', '/v1/bots/%E0%A4%A'),
      await h.send('get', '/v1/bots/bank/intents/%ff'),
      await h.send('post', '/v1/bots/%zz/classify', { body: { text: 'x' } }),
    ];
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test.each([
    ['/v2/bots'],
    ['/v1/bots/'],
    ['/V1/bots'],
    ['/v1/bots/bank/intents/a/b'],
    ['/v1/bots//classify'],
    ['/%00'],
    ['/.env'],
  ])('%s is not found', async (path) => {
    expect(await h.send('get', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('a method that a path does not know is 405, with those that it knows', async () => {
    const answer = await h.send('patch', '/v1/bots/bank', { body: {} });
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers['allow']).toBe('GET, PUT, DELETE, HEAD, OPTIONS');
    expect((await h.send('get', CLASSIFY)).headers['allow']).toBe('POST, OPTIONS');
    expect(await h.send('options', CLASSIFY)).toMatchObject({
      status: 200,
      headers: { allow: 'POST, OPTIONS' },
    });
    expect(await h.send('head', '/v1/bots')).toMatchObject({ status: 200 });
  });
});
