import { expect, test } from '@jest/globals';
import { harness, LIMITS } from './harness.js';

// What SECURITY.md promises of every answer.

const ORIGIN = { origin: 'https://elsewhere.example' };

test.each([
  ['a preflight', 'options', { ...ORIGIN, 'access-control-request-method': 'PUT' }],
  ['a request', 'get', ORIGIN],
] as const)('%s of another origin is granted nothing', async (_, method, headers) => {
  const answer = await harness().send(method, '/v1/bots', { headers });
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test.each(['/v1/bots', '/nothing/here', '/openapi.json', '/metrics', '/docs'])(
  'the answer of %s cannot be sniffed, framed, cached or read by other origins',
  async (path) => {
    const { headers } = await harness().send('get', path);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  },
);

test('a page cannot write with what it may send unasked', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const headers = { 'content-type': type };
    const body = JSON.stringify({ text: 'x' });
    expect((await harness().send('post', '/v1/bots/x/classify', { body, headers })).status).toBe(415);
    expect((await harness().send('post', '/v1/bots/x/import', { body, headers })).status).toBe(415);
  }
});

test('a body that is too long is refused, and before it a key that is none', async () => {
  const body = JSON.stringify({ text: 'x'.repeat(LIMITS.maxBodyBytes) });
  expect((await harness().send('post', '/v1/bots/x/classify', { body })).status).toBe(413);
  const locked = harness({ keys: { readWrite: ['k'.repeat(16)], readOnly: [] } });
  expect((await locked.send('post', '/v1/bots/x/classify', { body })).status).toBe(401);
});
