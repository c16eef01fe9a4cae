import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { problemOf, send, type Answer } from './api.js';
import { DEMO } from './demoBot.js';
import { kshot, type Kshot } from './kshot.js';
import { workplace } from './workplace.js';

const WRITER = 'writer-0123456789abcdef';
const READER = 'reader-0123456789abcdef';

const place = workplace();

describe('listening beyond loopback', () => {
  let dataDir: string;
  let server: Kshot;
  let url: string;
  beforeAll(async () => {
    dataDir = await place.demoStore();
    const keys = { KSHOT_API_KEYS: WRITER, KSHOT_READ_ONLY_API_KEYS: READER };
    const serving = await place.serve(dataDir, ['--host', '0.0.0.0'], keys);
    server = serving.process;
    url = serving.url.replace('0.0.0.0', '127.0.0.1');
  });

  function classify(headers: Record<string, string>): Promise<Answer> {
    return send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body: { text: 'i lost my card' }, headers });
  }

  function write(headers: Record<string, string>): Promise<Answer> {
    const body = { examples: ['hello'] };
    return send(url, 'PUT', `/v1/bots/${DEMO}/intents/greet`, { body, headers });
  }

  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

  test('needs keys', async () => {
    const exit = await place.launch(join(place.folder(), 'store'), ['--host', '0.0.0.0']).exited;
    expect(exit.code).toBe(2);
    expect(exit.stderr).toMatch(/^kshot: .*--api-keys \(KSHOT_API_KEYS\) must be set.*\n$/);
  });

  test('health is open, all else is not', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs']) {
      expect(await send(url, 'GET', path)).toMatchObject({ status: 200 });
    }
    for (const path of ['/metrics', '/v1/bots', `/v1/bots/${DEMO}`, `/v1/bots/${DEMO}/intents`]) {
      const answer = await send(url, 'GET', path);
      expect(problemOf(answer).code).toBe('unauthorized');
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
    for (const headers of [{}, bearer('nobody-0123456789abcdef'), bearer(''), bearer(WRITER.slice(0, -1))]) {
      expect(await classify(headers)).toMatchObject({ status: 401 });
      expect(await write(headers)).toMatchObject({ status: 401 });
    }
  });

  test('a read-only key classifies and does not write', async () => {
    expect(await classify(bearer(READER))).toMatchObject({ status: 200 });
    expect(await classify({ 'x-api-key': READER })).toMatchObject({ status: 200 });
    expect(problemOf(await write(bearer(READER)))).toMatchObject({ status: 403, code: 'forbidden' });
    for (const path of ['', '/intents/card_lost', '/intents/card_lost/examples/1']) {
      const answer = await send(url, 'DELETE', `/v1/bots/${DEMO}${path}`, { headers: bearer(READER) });
      expect(answer.status).toBe(403);
    }
  });

  test('another key writes', async () => {
    expect(await write(bearer(WRITER))).toMatchObject({ status: 201 });
    expect(await write({ 'x-api-key': WRITER })).toMatchObject({ status: 200 });
  });

  test('commands take the key from the environment, and say so where it is missing', async () => {
    const args = ['classify', '--bot', DEMO, '--data-dir', dataDir, 'i lost my card'];
    const without = await kshot(args);
    expect(without).toMatchObject({ code: 1, stdout: '' });
    expect(without.stderr).toContain('KSHOT_API_KEY');
    const given = await kshot(args, { env: { KSHOT_API_KEY: READER } });
    expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining('card_lost') });
  });

  test('no key is ever logged', async () => {
    const { stderr, stdout } = await server.end('SIGTERM');
    expect(stderr).toContain('"status":401');
    expect(stderr + stdout).not.toContain('0123456789abcdef');
  });
});
