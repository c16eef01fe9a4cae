import { describe, expect, test } from '@jest/globals';
import { harness } from './harness.js';

const WRITER = 'writer-key-0123456789';
const READER = 'reader-key-0123456789';
const keys = { readWrite: [WRITER], readOnly: [READER] };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const body = { examples: ['x'] };

describe('with API keys', () => {
  test('a key may be sent in either header', async () => {
    const h = harness({ keys });
    for (const headers of [
      bearer(WRITER),
      { 'x-api-key': WRITER },
      { authorization: `bearer  ${WRITER}` },
      { authorization: 'Basic eDp5', 'x-api-key': WRITER },
    ]) {
      const answer = await h.send('put', '/v1/bots/bank/intents/x', { body, headers });
      expect(answer.status).toBeLessThan(300);
    }
  });

  test.each([
    ['none', {}],
    ['an unknown one', bearer('unknown-key-0123456789')],
    ['a shorter one', bearer(WRITER.slice(0, -1))],
    ['a longer one', { 'x-api-key': `${WRITER}0` }],
    ['an empty one', { 'x-api-key': '' }],
    ['another scheme', { authorization: `Basic ${WRITER}` }],
    ['two in one', bearer(`${WRITER} ${READER}`)],
  ])('%s is refused with 401 before anything else is looked at', async (_, headers) => {
    const h = harness({ keys });
    const answer = await h.send('put', '/v1/bots/bank', { body: 'no json', headers });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect((await h.send('get', '/v1/bots', { headers })).status).toBe(401);
    expect((await h.send('get', '/metrics', { headers })).status).toBe(401);
  });

  test('a read-only key reads and classifies, and does not write', async () => {
    const h = harness({ keys });
    await h.send('put', '/v1/bots/bank/intents/x', { body, headers: bearer(WRITER) });
    const headers = bearer(READER);
    expect((await h.send('get', '/v1/bots', { headers })).status).toBe(200);
    expect((await h.send('get', '/metrics', { headers })).status).toBe(200);
    const classified = await h.send('post', '/v1/bots/bank/classify', { body: { text: 'x' }, headers });
    expect(classified.status).toBe(200);
    for (const refused of [
      await h.send('put', '/v1/bots/bank', { body: {}, headers }),
      await h.send('delete', '/v1/bots/bank', { headers }),
      await h.send('put', '/v1/bots/bank/intents', { body: { intents: [{ name: 'y', ...body }] }, headers }),
      await h.send('put', '/v1/bots/bank/intents/y', { body, headers }),
      await h.send('delete', '/v1/bots/bank/intents/x', { headers }),
      await h.send('post', '/v1/bots/bank/intents/x/examples', { body, headers }),
      await h.send('delete', '/v1/bots/bank/intents/x/examples/1', { headers }),
      await h.send('put', '/v1/bots/bank/counterexamples', { body, headers }),
    ]) {
      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await h.service.listIntents('bank')).toHaveLength(1);
  });

  test('health, the document and its page need none', async () => {
    const h = harness({ keys });
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs']) {
      expect((await h.send('get', path)).status).toBe(200);
    }
  });

  test('no key is logged', async () => {
    const h = harness({ keys });
    await h.send('get', '/v1/bots', { headers: bearer(WRITER) });
    await h.send('get', `/v1/bots?api_key=${READER}`, { headers: { 'x-api-key': READER } });
    await h.send('get', '/v1/bots', { headers: { 'x-api-key': 'a-wrong-key-0123456789' } });
    const log = JSON.stringify(h.lines);
    expect(h.lines.length).toBeGreaterThanOrEqual(3);
    for (const key of [WRITER, READER, 'a-wrong-key']) expect(log).not.toContain(key);
  });
});

test('without API keys every operation is open, and none is announced to answer 401', async () => {
  const h = harness();
  expect((await h.send('put', '/v1/bots/bank', { body: {} })).status).toBe(201);
  const { text } = await h.send('get', '/openapi.json');
  expect(text).not.toContain('unauthorized`');
  expect(text).not.toContain('securitySchemes');
});
