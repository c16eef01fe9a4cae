import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { Kshot as Client } from '../../src/client/index.js';
import type { NewKey } from '../../src/keys/keyTypes.js';
import { describeOnPostgres, postgresPlace } from '../store/postgresServer.js';
import { json, problemOf, send } from './api.js';
import { DEMO } from './demoBot.js';
import { kshot } from './kshot.js';
import { workplace } from './workplace.js';

const place = workplace();
let dataDir: string;
beforeAll(async () => {
  dataDir = await place.demoStore();
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function create(url: string, body: object, by?: string): Promise<NewKey> {
  const headers = by === undefined ? {} : bearer(by);
  return json(await send(url, 'POST', '/v1/keys', { body, headers }), 201);
}

const classify = (url: string, key: string) =>
  send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body: { text: 'i lost my card' }, headers: bearer(key) });

test('keys are made, held to their bots and rate, revoked, and kept over a restart', async () => {
  let { process, url } = await place.serve(dataDir);
  const admin = await create(url, { name: 'admin', access: 'write' });
  expect(problemOf(await send(url, 'GET', '/v1/bots')).code).toBe('unauthorized');

  const chat = await create(url, { name: 'chat', access: 'read', bots: [DEMO], rate: 0.01 }, admin.secret);
  const shop = await create(url, { name: 'shop', access: 'write', bots: ['shop'] }, admin.secret);
  expect((await classify(url, chat.secret)).status).toBe(200);
  const limited = await classify(url, chat.secret);
  expect(problemOf(limited)).toMatchObject({ status: 429, code: 'rate_limited' });
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(60);
  expect(problemOf(await classify(url, shop.secret)).code).toBe('forbidden');

  const client = new Client({ url, apiKey: chat.secret, maxWaitMs: 1000 });
  await expect(client.classify(DEMO, 'lost')).rejects.toMatchObject({ code: 'rate_limited' });

  await new Client({ url, apiKey: admin.secret }).keys.revoke(shop.id);
  expect(problemOf(await send(url, 'PUT', '/v1/bots/shop', { body: {}, headers: bearer(shop.secret) }))).toMatchObject(
    { code: 'unauthorized' },
  ); // prettier-ignore
  const first = await process.end('SIGTERM');
  expect(first.stderr).toContain(`"key":"${chat.id}"`);

  // With keys in the store it may listen beyond loopback without any in the settings.
  ({ process, url } = await place.serve(dataDir, ['--host', '0.0.0.0']));
  url = url.replace('0.0.0.0', '127.0.0.1');
  expect(problemOf(await send(url, 'GET', '/v1/bots')).code).toBe('unauthorized');
  expect((await classify(url, chat.secret)).status).toBe(200);
  expect((await classify(url, shop.secret)).status).toBe(401);
  const { keys } = json<{ keys: NewKey[] }>(
    await send(url, 'GET', '/v1/keys', { headers: bearer(admin.secret) }),
  );
  expect(keys.map(({ name, last_used_at, revoked_at }) => [name, last_used_at !== null, revoked_at !== null])).toEqual([
    ['admin', true, false],
    ['chat', true, false],
    ['shop', true, true],
  ]); // prettier-ignore
  const second = await process.end('SIGTERM');
  for (const { secret } of [admin, chat, shop]) {
    expect(first.stderr + second.stderr).not.toContain(secret.slice(6));
  }
});

test('whoever has the data folder makes a key while no server runs: the way back in', async () => {
  const made = await kshot(['keys', 'create', 'way back', '--access', 'write', '--data-dir', dataDir]);
  expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('it cannot be shown again') });
  const { process, url } = await place.serve(dataDir);
  const headers = bearer(made.stdout.trim());
  expect((await send(url, 'GET', '/v1/keys', { headers })).status).toBe(200);
  const listed = await kshot(['keys', '--data-dir', dataDir], { env: { KSHOT_API_KEY: made.stdout.trim() } });
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('way back') });
  await process.end('SIGTERM');
});

describeOnPostgres('servers that share a PostgreSQL database', () => {
  const database = postgresPlace();

  test('follow one another: a key made by one is asked for by the other, and revoked there too', async () => {
    const { url: store } = await database.schema();
    const flags = ['--store', store, '--revision-check-ms', '50'];
    const [a, b] = await Promise.all([1, 2].map(() => place.serve(place.folder(), flags)));
    const statusAtB = async (headers = {}) => (await send(b!.url, 'GET', '/v1/bots', { headers })).status;
    const becomes = async (status: number, headers = {}) => {
      while ((await statusAtB(headers)) !== status) await sleep(10);
    };
    const admin = await create(a!.url, { name: 'admin', access: 'write' });
    await becomes(401);
    const chat = await create(b!.url, { name: 'chat', access: 'read' }, admin.secret);
    expect(await statusAtB(bearer(chat.secret))).toBe(200);
    await new Client({ url: a!.url, apiKey: admin.secret }).keys.revoke(chat.id);
    await becomes(401, bearer(chat.secret));
    expect(await statusAtB(bearer(admin.secret))).toBe(200);
  });
});
