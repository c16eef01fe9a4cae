import { beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { keyOperations } from '../../src/http/keyRoutes.js';
import { apiOperations } from '../../src/http/routes.js';
import { requestSchemas } from '../../src/http/schemas.js';
import type { KeyRequest, NewKey } from '../../src/keys/keyTypes.js';
import { harness, LIMITS, type Answer, type Harness, type Method } from './harness.js';

let h: Harness;
let now: number;
let admin: string;

beforeEach(async () => {
  now = Date.parse('2026-01-02T03:04:05.000Z');
  h = harness({ now: () => now });
  for (const bot of ['bank', 'shop']) {
    await h.service.putIntents(bot, [{ name: 'lost', examples: ['i lost it'] }]);
  }
  admin = (await made({ name: 'admin', access: 'write' })).secret;
});

const bearer = (key: string | undefined) => (key === undefined ? {} : { authorization: `Bearer ${key}` });
const send = (method: Method, path: string, key?: string, body?: unknown): Promise<Answer> =>
  h.send(method, path, { headers: bearer(key), ...(body !== undefined && { body }) });
const code = ({ status, body }: Pick<Answer, 'status' | 'body'>) => [
  status,
  (body as { code?: string }).code,
];

/** @param by undefined: anybody. */
async function made(request: KeyRequest, by?: string): Promise<NewKey> {
  const answer = await send('post', '/v1/keys', by, request);
  expect(answer.status).toBe(201);
  return answer.body as NewKey;
}

describe('keys', () => {
  test('are made, listed and revoked', async () => {
    const request: KeyRequest = { name: 'chat', access: 'read', bots: ['bank', 'bank'], rate: 2.5 };
    const { secret, notice, ...chat } = await made(request, admin);
    expect([secret.slice(0, 10), notice]).toEqual([chat.hint, null]);
    const listed = await send('get', '/v1/keys', admin);
    expect(listed.body).toMatchObject({
      keys: [
        { id: 1, name: 'admin', access: 'write', bots: null, rate: null },
        { ...chat, bots: ['bank'], rate: 2.5, last_used_at: null, revoked_at: null },
      ],
    });
    expect(listed.text).not.toContain(secret);
    expect((await send('get', '/v1/bots', secret)).status).toBe(200);
    expect(await send('delete', `/v1/keys/${chat.id}`, admin)).toMatchObject({
      status: 200,
      body: { id: chat.id, revoked_at: expect.any(String), last_used_at: '2026-01-02T03:04:05.000Z' },
    });
    expect(code(await send('get', '/v1/bots', secret))).toEqual([401, 'unauthorized']);
    expect((await send('delete', `/v1/keys/${chat.id}`, admin)).status).toBe(200);
    expect(code(await send('delete', '/v1/keys/99', admin))).toEqual([404, 'unknown_key']);
    expect(code(await send('delete', '/v1/keys/1', admin))).toEqual([409, 'no_managing_key']);
  });

  test.each([
    [{ access: 'read' }, 'name'],
    [{ name: ' ', access: 'read' }, 'name'],
    [{ name: 'x'.repeat(101), access: 'read' }, 'name'],
    [{ name: 'x' }, 'access'],
    [{ name: 'x', access: 'admin' }, 'access'],
    [{ name: 'x', access: 'read', bots: [] }, 'bots'],
    [{ name: 'x', access: 'read', bots: ['a/b'] }, 'bots.0'],
    [{ name: 'x', access: 'read', bots: 'bank' }, 'bots'],
    [{ name: 'x', access: 'read', rate: 0 }, 'rate'],
    [{ name: 'x', access: 'read', rate: -1 }, 'rate'],
    [{ name: 'x', access: 'read', rate: '5' }, 'rate'],
    [{ name: 'x', access: 'read', secret: 'mine' }, 'secret'],
  ])('%j is refused', async (body, field) => {
    const answer = await send('post', '/v1/keys', admin, body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  test('are managed by keys that write to all bots', async () => {
    for (const request of [
      { name: 'reader', access: 'read' },
      { name: 'writer', access: 'write', bots: ['bank'] },
    ] as const) {
      const { secret } = await made(request, admin);
      expect(code(await send('get', '/v1/keys', secret))).toEqual([403, 'forbidden']);
      expect(code(await send('post', '/v1/keys', secret, request))).toEqual([403, 'forbidden']);
      expect(code(await send('delete', '/v1/keys/1', secret))).toEqual([403, 'forbidden']);
    }
    expect(code(await send('post', '/v1/keys', undefined, { name: 'x', access: 'write' }))).toEqual([
      401,
      'unauthorized',
    ]);
  });

  test('close a server that was open, with a word about it', async () => {
    const open = harness();
    const first = (body: KeyRequest) => open.send('post', '/v1/keys', { body });
    expect((await open.send('get', '/openapi.json')).text).not.toContain('securitySchemes');
    expect(code(await first({ name: 'x', access: 'write', bots: ['bank'] }))).toEqual([
      409,
      'no_managing_key',
    ]);
    expect((await open.send('get', '/v1/bots')).status).toBe(200);
    const { body } = await first({ name: 'x', access: 'write' });
    expect(body).toMatchObject({ notice: expect.stringContaining('every request needs a key') });
    expect(code(await open.send('get', '/v1/bots'))).toEqual([401, 'unauthorized']);
    expect((await open.send('get', '/openapi.json')).text).toContain('securitySchemes');
    expect((await open.send('get', '/docs')).text).toContain('authorization: Bearer');
  });

  test('of the settings make them, too', async () => {
    const WRITER = 'writer-key-0123456789';
    const READER = 'reader-key-0123456789';
    h = harness({ keys: { readWrite: [WRITER], readOnly: [READER] } });
    expect((await made({ name: 'chat', access: 'read', bots: ['bank'] }, WRITER)).notice).toBeNull();
    expect(code(await send('get', '/v1/keys', READER))).toEqual([403, 'forbidden']);
  });
});

describe('a key for some bots', () => {
  let key: string;
  beforeEach(async () => {
    key = (await made({ name: 'bank', access: 'write', bots: ['bank', 'new'] }, admin)).secret;
  });

  test('does all with these, and lists no others', async () => {
    const list = await send('get', '/v1/bots', key);
    expect((list.body as { bots: { name: string }[] }).bots.map(({ name }) => name)).toEqual(['bank']);
    expect((await send('post', '/v1/bots/bank/classify', key, { text: 'x' })).status).toBe(200);
    expect((await send('put', '/v1/bots/new', key, {})).status).toBe(201);
    expect((await send('get', '/v1/heads', key)).status).toBe(200);
  });

  const requests = requestSchemas(LIMITS);
  const operations = [
    ...apiOperations(requests, LIMITS, false),
    ...keyOperations(harness().options.keys),
  ].map((row) => [`${row.method} ${row.path}`, row] as const);
  const values: Record<string, string> = { id: '1', intent: 'lost', version: 'v1', alias: 'a' };
  const address = (path: string, bot: string) =>
    path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'bot' ? bot : values[name]!));

  test.each(operations.filter(([, { path }]) => path.includes('{bot}')))(
    '%s of another bot is refused, whether there is one or not',
    async (_, { method, path }) => {
      for (const bot of ['shop', 'nobody']) {
        expect(code(await send(method, address(path, bot), key))).toEqual([403, 'forbidden']);
      }
    },
  );

  test('does nothing that is about all of them', async () => {
    const others = operations.filter(([, { path, bots }]) => !path.includes('{bot}') && bots === undefined);
    const names = others.map(([name]) => name);
    expect(names).toEqual(['post /v1/heads/reload', 'get /v1/keys', 'post /v1/keys', 'delete /v1/keys/{id}']);
    for (const [, { method, path }] of others) {
      expect(code(await send(method, address(path, 'bank'), key))).toEqual([403, 'forbidden']);
    }
    expect(code(await send('get', '/metrics', key))).toEqual([403, 'forbidden']);
  });

  test('is held to them by drop-in operations', async () => {
    const clu = (projectName: string) =>
      request(h.app)
        .post('/language/:analyze-conversations?api-version=2023-04-01')
        .set('ocp-apim-subscription-key', key)
        .send({
          kind: 'Conversation',
          analysisInput: { conversationItem: { text: 'i lost it' } },
          parameters: { projectName },
        });
    expect((await clu('bank')).status).toBe(200);
    expect(await clu('shop')).toMatchObject({ status: 403, body: { error: { code: 'Forbidden' } } });

    await h.service.saveVersion('bank', 'v1', null);
    await h.service.saveVersion('shop', 'v1', null);
    const rasa = (bot: string) =>
      request(h.app).post(`/rasa/${bot}/model/parse`).send({ text: 'i lost it', token: key });
    expect((await rasa('bank@v1')).status).toBe(200);
    expect(code(await rasa('shop@v1'))).toEqual([403, 'forbidden']);

    const body = {
      inputs: ['a'],
      examples: ['a', 'b'].flatMap((label) => [1, 2].map((n) => ({ text: `${label}${n}`, label }))),
    };
    const cohere = (by: string) =>
      request(h.app).post('/v1/classify').set('authorization', `Bearer ${by}`).send(body);
    expect((await cohere(key)).status).toBe(200);
    expect((await cohere('nobody')).status).toBe(401);
  });
});

describe('a rate', () => {
  test('is the key’s own; beyond it requests are refused, counted, and told when to come back', async () => {
    const slow = (await made({ name: 'slow', access: 'read', rate: 0.5 }, admin)).secret;
    const ask = (key: string) => send('post', '/v1/bots/bank/classify', key, { text: 'x' });
    expect((await ask(slow)).status).toBe(200);
    const refused = await ask(slow);
    expect(code(refused)).toEqual([429, 'rate_limited']);
    expect(refused.headers['retry-after']).toBe('2');
    expect((await ask(admin)).status).toBe(200);
    expect((await h.send('get', '/healthz', { headers: bearer(slow) })).status).toBe(200);
    now += 1999;
    expect((await ask(slow)).headers['retry-after']).toBe('1');
    now += 1;
    expect((await ask(slow)).status).toBe(200);
    expect(await h.metrics.text()).toContain('kshot_rate_limited_total{key="2"} 2\n');
  });

  test('counts what is refused for another reason, too', async () => {
    const slow = (await made({ name: 'slow', access: 'read', rate: 1 }, admin)).secret;
    expect(code(await send('put', '/v1/bots/bank', slow, {}))).toEqual([403, 'forbidden']);
    expect(code(await send('put', '/v1/bots/bank', slow, {}))).toEqual([429, 'rate_limited']);
  });

  test('is refused in the words of Azure where its clients ask', async () => {
    const slow = (await made({ name: 'slow', access: 'read', rate: 1 }, admin)).secret;
    const ask = () =>
      request(h.app)
        .post('/language/:analyze-conversations?api-version=1')
        .set('ocp-apim-subscription-key', slow)
        .send({});
    expect((await ask()).status).toBe(400);
    expect(await ask()).toMatchObject({ status: 429, body: { error: { code: 'TooManyRequests' } } });
  });
});

test('the log says which key it was, and holds no secret', async () => {
  const { secret } = await made({ name: 'chat', access: 'read', bots: ['bank'] }, admin);
  await send('get', '/v1/bots/bank', secret);
  await send('get', '/v1/bots/shop', secret);
  await send('delete', '/v1/keys/2', admin);
  await send('get', '/v1/bots/bank', secret);
  const lines = h.lines.filter(({ route }) => route !== '/openapi.json');
  expect(lines.map(({ key, status, created_key, revoked_key }) => [key, status, created_key ?? revoked_key])).toEqual([
    [undefined, 201, '1'],
    ['1', 201, '2'],
    ['2', 200, undefined],
    ['2', 403, undefined],
    ['1', 200, '2'],
    [undefined, 401, undefined],
  ]); // prettier-ignore
  const log = JSON.stringify(h.lines);
  for (const key of [admin, secret]) expect(log).not.toContain(key.slice(6, 16));
});
