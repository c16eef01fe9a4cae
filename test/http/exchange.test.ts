import { describe, expect, test } from '@jest/globals';
import { KshotError } from '../../src/errors.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { FakeService } from './fakeService.js';
import { harness } from './harness.js';

const CLASSIFY = '/v1/bots/bank/classify';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

async function withBot(changes: Parameters<typeof harness>[0] = {}) {
  const h = harness(changes);
  await h.service.putIntents('bank', [{ name: 'x', examples: ['a secret text'] }]);
  return h;
}

describe('request ids', () => {
  test.each([
    ['of the caller', { 'x-request-id': 'abc-123.X:/+=@' }, 'abc-123.X:/+=@'],
    ['of the trace', { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }, TRACE],
    [
      'of the caller before the trace',
      { 'x-request-id': 'a', traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
      'a',
    ],
  ])('%s are taken', async (_, headers, expected) => {
    const h = await withBot();
    const answer = await h.send('get', '/v1/bots/none', { headers });
    expect(answer.headers['x-request-id']).toBe(expected);
    expect(answer.body).toHaveProperty('request_id', expected);
    expect(h.lines.at(-1)).toHaveProperty('request_id', expected);
  });

  test.each([
    ['blanks', { 'x-request-id': 'a b' }],
    ['too long', { 'x-request-id': 'a'.repeat(129) }],
    ['markup', { 'x-request-id': '<script>' }],
    ['an empty trace', { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }],
    ['a broken trace', { traceparent: '00-xyz' }],
  ])('that are not sane are replaced: %s', async (_, headers) => {
    const h = await withBot();
    const answer = await h.send('get', '/v1/bots', { headers });
    expect(answer.headers['x-request-id']).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/);
  });
});

describe('the log', () => {
  test('has one line a request, without texts', async () => {
    const h = await withBot();
    await h.send('post', CLASSIFY, { body: { text: 'a secret text' }, headers: { 'x-request-id': 'r1' } });
    const line = h.lines.filter((one) => one['request_id'] === 'r1');
    expect(line).toHaveLength(1);
    expect(line[0]).toMatchObject({
      level: 30,
      method: 'POST',
      route: '/v1/bots/{bot}/classify',
      status: 200,
      texts: 1,
      ms: expect.any(Number),
      bytes: expect.any(Number),
    });
    expect(JSON.stringify(h.lines)).not.toContain('secret');
  });

  test('has texts and intents only where that is wanted', async () => {
    const h = await withBot({ logTexts: true });
    await h.send('post', CLASSIFY, { body: { text: 'a secret text' } });
    expect(h.lines.at(-1)).toHaveProperty('classified', [
      { text: 'a secret text', intent: 'x', confidence: 0.9 },
    ]);
  });

  test('does not hold what a refused request held', async () => {
    const h = await withBot();
    await h.send('post', CLASSIFY, { body: '{"text": "a secret text"' });
    await h.send('post', CLASSIFY, { body: { 'a secret field': 1 } });
    await h.send('get', '/v1/bots?q=secret');
    expect(h.lines.at(-1)).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(h.lines)).not.toContain('secret');
  });

  test('has probes at debug', async () => {
    const h = await withBot();
    await h.send('get', '/healthz');
    expect(h.lines.at(-1)).toMatchObject({ level: 20, route: '/healthz' });
  });
});

describe('errors', () => {
  test('that nobody foresaw are 500, logged whole, and shown to nobody', async () => {
    const h = await withBot();
    h.service.beforeClassify = () => Promise.reject(new TypeError('inner workings'));
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x' } });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(answer.text).not.toContain('inner workings');
    expect(h.lines.at(-1)).toMatchObject({
      level: 50,
      err: { type: 'TypeError', message: 'inner workings' },
    });
  });

  test.each([
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [undefined, '1'],
  ])('overload is 503, with Retry-After in whole seconds: %p ms gives %s', async (retryAfterMs, seconds) => {
    const h = await withBot();
    h.service.beforeClassify = () =>
      Promise.reject(
        new KshotError('overloaded', 'Busy', retryAfterMs === undefined ? {} : { retryAfterMs }),
      );
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x' } });
    expect(answer).toMatchObject({ status: 503, body: { code: 'overloaded', title: 'The server is busy' } });
    expect(answer.headers['retry-after']).toBe(seconds);
    expect(h.lines.at(-1)).toMatchObject({ level: 30, code: 'overloaded' });
    expect(h.lines.at(-1)).not.toHaveProperty('err');
  });

  test('of the store are 503 and logged as faults', async () => {
    const h = await withBot();
    h.service.beforeClassify = () => Promise.reject(new KshotError('store_unavailable', 'The disk is full'));
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x' } });
    expect(answer).toMatchObject({
      status: 503,
      body: { detail: 'The disk is full' },
      headers: { 'retry-after': '1' },
    });
    expect(h.lines.at(-1)).toMatchObject({ level: 50, code: 'store_unavailable' });
  });
});

describe('the life of the server', () => {
  test('it is alive at once, ready when its service is, and refuses requests until then', async () => {
    const lifecycle = new Lifecycle();
    const h = harness({ lifecycle });
    const notReady = { status: 503, body: { code: 'not_ready', detail: 'The server is starting' } };
    expect(await h.send('get', '/healthz')).toMatchObject({
      status: 200,
      body: { status: 'ok', version: '1.2.3' },
    });
    expect(await h.send('get', '/readyz')).toMatchObject(notReady);
    expect(await h.send('get', '/v1/bots')).toMatchObject(notReady);
    expect((await h.send('get', '/metrics')).status).toBe(200);
    lifecycle.ready(new FakeService());
    expect(await h.send('get', '/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
    expect((await h.send('get', '/v1/bots')).status).toBe(200);
    lifecycle.stop();
    expect(await h.send('get', '/readyz')).toMatchObject({
      status: 503,
      body: { detail: 'The server is stopping' },
    });
    expect(await h.send('get', '/v1/bots')).toMatchObject({ status: 503, headers: { connection: 'close' } });
    expect((await h.send('get', '/healthz')).status).toBe(200);
  });

  test('it is not ready while the store is away', async () => {
    const h = harness();
    h.service.ready = () => Promise.reject(new KshotError('store_unavailable', 'No answer'));
    expect(await h.send('get', '/readyz')).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable' },
    });
  });
});

describe('headers', () => {
  test('forbid a browser to make anything of an answer', async () => {
    const { headers } = await harness().send('get', '/v1/bots');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  });
});
