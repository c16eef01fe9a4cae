import { beforeEach, describe, expect, test } from '@jest/globals';
import { harness, type Answer, type Harness, type Method } from './harness.js';

const BOT = '/v1/bots/bank';
const READER = 'reader-key-0123456789';

let h: Harness;

beforeEach(async () => {
  h = harness();
  await h.service.putIntents('bank', [
    { name: 'card_lost', examples: ['i lost my card'], description: 'It is gone' },
    { name: 'balance', examples: ['what is my balance'] },
  ]);
});

const send = (method: Method, path: string, body?: unknown): Promise<Answer> =>
  h.send(method, `${BOT}${path}`, body === undefined ? {} : { body });
const code = ({ status, body }: Answer) => [status, (body as { code?: string }).code];

describe('versions', () => {
  test('are saved, listed, shown and deleted', async () => {
    const saved = await send('put', '/versions/v1', { note: 'the first one' });
    expect(saved).toMatchObject({
      status: 201,
      body: {
        name: 'v1',
        note: 'the first one',
        revision: 1,
        intents: 2,
        examples: 2,
        counterexamples: 0,
        aliases: [],
      },
    });
    expect(await send('put', '/versions/v1', {})).toMatchObject({ status: 200, body: saved.body as object });
    expect(await send('get', '/versions/v1')).toMatchObject({ status: 200, body: saved.body as object });
    await h.service.addExamples('bank', 'balance', ['how rich am i']);
    expect(code(await send('put', '/versions/v1', {}))).toEqual([409, 'version_exists']);
    expect((await send('put', '/versions/v2', {})).status).toBe(201);
    const { versions } = (await send('get', '/versions')).body as { versions: { name: string }[] };
    expect(versions.map(({ name }) => name)).toEqual(['v2', 'v1']);
    expect(await send('delete', '/versions/v1')).toMatchObject({
      status: 200,
      body: { bot: 'bank', version: 'v1', deleted: true },
    });
    expect(code(await send('get', '/versions/v1'))).toEqual([404, 'unknown_version']);
  });

  test('answer where they are asked for, and say so', async () => {
    await send('put', '/versions/v1', {});
    await send('put', '/aliases/production', { version: 'v1' });
    await h.service.deleteIntent('bank', 'card_lost');
    const text = 'i lost my card';
    for (const version of ['v1', 'production']) {
      expect((await send('post', '/classify', { text, version })).body).toMatchObject({
        intent: 'card_lost',
        model: { revision: 1, version: 'v1' },
      });
    }
    const { body } = await send('post', '/classify', { texts: [text] });
    expect(body).toEqual({
      results: [
        expect.objectContaining({
          intent: null,
          model: { encoder: 'fake', head: 'adapted', revision: 2 },
        }),
      ],
    });
    expect(code(await send('post', '/classify', { text, version: 'v2' }))).toEqual([404, 'unknown_version']);
  });

  test('are compared with the bot, and with one another', async () => {
    await send('put', '/versions/v1', {});
    await h.service.addExamples('bank', 'balance', ['how rich am i']);
    await send('put', '/versions/v2', {});
    await h.service.deleteIntent('bank', 'card_lost');
    expect((await send('get', '/versions/v1/changes')).body).toMatchObject({
      from: 'v1',
      to: null,
      totals: { intents: { removed: 1, changed: 1 }, examples: { added: 1, removed: 1, kept: 1 } },
    });
    expect((await send('get', '/versions/v2/changes?to=v1')).body).toMatchObject({
      from: 'v2',
      to: 'v1',
      totals: { intents: { unchanged: 1, changed: 1 }, examples: { added: 0, removed: 1, kept: 2 } },
    });
    expect(code(await send('get', '/versions/v1/changes?to=v3'))).toEqual([404, 'unknown_version']);
  });

  test('are restored', async () => {
    await send('put', '/versions/v1', {});
    await h.service.deleteIntent('bank', 'card_lost');
    expect((await send('post', '/versions/v1/restore')).body).toMatchObject({ bot: 'bank', revision: 3 });
    expect((await send('get', '/intents/card_lost')).status).toBe(200);
    expect(code(await send('post', '/versions/v2/restore'))).toEqual([404, 'unknown_version']);
  });

  test('are exported as files that say so', async () => {
    await send('put', '/versions/v1', {});
    await h.service.deleteIntent('bank', 'card_lost');
    const answer = await send('get', '/export?format=csv&version=v1');
    expect(answer.text).toContain('card_lost,i lost my card');
    expect(answer.headers['content-disposition']).toContain('bank-v1.csv');
    expect((await send('get', '/export?format=csv')).text).not.toContain('card_lost');
    expect(code(await send('get', '/export?version=v2'))).toEqual([404, 'unknown_version']);
  });
});

describe('aliases', () => {
  beforeEach(async () => {
    await send('put', '/versions/v1', {});
    await send('put', '/versions/v2', {});
  });

  test('are made, moved, rolled back, listed and deleted', async () => {
    expect(await send('put', '/aliases/production', { version: 'v1' })).toMatchObject({
      status: 201,
      body: { name: 'production', version: 'v1', history: [] },
    });
    expect(await send('put', '/aliases/production', { version: 'v2' })).toMatchObject({
      status: 200,
      body: { version: 'v2', history: [{ version: 'v1' }] },
    });
    expect((await send('get', '/versions/production')).body).toMatchObject({
      name: 'v2',
      aliases: ['production'],
    });
    expect(code(await send('delete', '/versions/v2'))).toEqual([409, 'version_in_use']);
    const rolledBack = await send('post', '/aliases/production/rollback');
    expect(rolledBack).toMatchObject({ status: 200, body: { version: 'v1', history: [] } });
    expect(code(await send('post', '/aliases/production/rollback'))).toEqual([409, 'nothing_to_roll_back']);
    expect((await send('get', '/aliases')).body).toEqual({ aliases: [rolledBack.body] });
    expect((await send('delete', '/aliases/production')).body).toEqual({
      bot: 'bank',
      alias: 'production',
      deleted: true,
    });
    expect(code(await send('delete', '/aliases/production'))).toEqual([404, 'unknown_alias']);
    expect(code(await send('post', '/aliases/production/rollback'))).toEqual([404, 'unknown_alias']);
  });

  test('and versions have names of their own', async () => {
    await send('put', '/aliases/production', { version: 'v1' });
    expect(code(await send('put', '/aliases/v2', { version: 'v1' }))).toEqual([409, 'name_taken']);
    expect(code(await send('put', '/versions/production', {}))).toEqual([409, 'name_taken']);
    expect(code(await send('put', '/aliases/canary', { version: 'v3' }))).toEqual([404, 'unknown_version']);
  });
});

describe('what is refused', () => {
  test.each<[string, Method, string, unknown]>([
    ['a name that cannot be', 'put', '/versions/a%20b', {}],
    ['a name with the sign between bot and version', 'put', '/versions/a@b', {}],
    ['a name of 65 letters', 'put', `/aliases/${'a'.repeat(65)}`, { version: 'v1' }],
    ['an unknown field', 'put', '/versions/v1', { notes: '' }],
    ['an empty note', 'put', '/versions/v1', { note: ' ' }],
    ['a note that is too long', 'put', '/versions/v1', { note: 'x'.repeat(1001) }],
    ['an alias of nothing', 'put', '/aliases/production', {}],
    ['an alias of a number', 'put', '/aliases/production', { version: 1 }],
    ['a query', 'get', '/versions?limit=1', undefined],
    ['a version that is no name', 'post', '/classify', { text: 'a', version: '' }],
  ])('%s', async (_, method, path, body) => {
    expect(code(await send(method, path, body))).toEqual([400, 'invalid_request']);
  });

  test('a bot that is not there', async () => {
    for (const [method, path, body] of [
      ['get', 'versions'],
      ['put', 'versions/v1', {}],
      ['get', 'versions/v1'],
      ['delete', 'versions/v1'],
      ['get', 'versions/v1/changes'],
      ['post', 'versions/v1/restore'],
      ['get', 'aliases'],
      ['put', 'aliases/a', { version: 'v1' }],
      ['post', 'aliases/a/rollback'],
      ['delete', 'aliases/a'],
    ] as [Method, string, unknown?][]) {
      const answer = await h.send(method, `/v1/bots/none/${path}`, body === undefined ? {} : { body });
      expect(code(answer)).toEqual([404, 'unknown_bot']);
    }
  });

  test('a write with a key that may only read', async () => {
    h = harness({ keys: { readWrite: ['writer-key-0123456789'], readOnly: [READER] } });
    await h.service.putIntents('bank', []);
    const headers = { authorization: `Bearer ${READER}` };
    expect((await h.send('get', `${BOT}/versions`, { headers })).status).toBe(200);
    expect((await h.send('put', `${BOT}/versions/v1`, { headers, body: {} })).status).toBe(403);
    expect((await h.send('post', `${BOT}/aliases/a/rollback`, { headers })).status).toBe(403);
  });
});
