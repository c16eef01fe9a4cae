import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import request from 'supertest';
import { KshotError } from '../../src/errors.js';
import { RefusalLog } from '../../src/http/refusalLog.js';
import { startServer, type RunningServer } from '../../src/http/server.js';
import { harness, type Harness } from './harness.js';

const CLASSIFY = '/v1/bots/bank/classify';
const BUSY = new KshotError('overloaded', '9 texts wait for the encoder already', { retryAfterMs: 1500 });

async function busy(): Promise<Harness> {
  const h = harness({ keys: { readWrite: ['writer-writer-writer'], readOnly: [] } });
  await h.service.putIntents('bank', [{ name: 'x', examples: ['x'] }]);
  h.service.refusal = () => BUSY;
  return h;
}

describe('while the encoder has no room', () => {
  test('classifying is refused, before the key is looked at, with all that a refusal should say', async () => {
    const h = await busy();
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x' }, headers: { 'x-request-id': 'r1' } });
    expect(answer).toMatchObject({
      status: 503,
      headers: {
        'content-type': 'application/problem+json',
        'retry-after': '2',
        'x-request-id': 'r1',
        'cache-control': 'no-store',
      },
      body: { code: 'overloaded', detail: BUSY.message, request_id: 'r1' },
    });
    const labels = `{method="POST",route="/v1/bots/{bot}/classify",status="503"} 1`;
    const metrics = await h.metrics.text();
    expect(metrics).toContain(`kshot_http_requests_total${labels}`);
    expect(metrics).toContain(`kshot_http_request_duration_seconds_count${labels}`);
    expect(metrics).toContain('kshot_http_requests_in_flight 0');
  });

  test('so is classifying in the words of other services, which are kept to', async () => {
    const h = await busy();
    const post = (path: string) => request(h.app).post(path).send({});
    expect(await post('/v1/classify')).toMatchObject({ status: 503, body: { message: BUSY.message } });
    expect(await post('/rasa/bank/model/parse')).toMatchObject({ status: 503 });
    expect(await post('/language/:analyze-conversations')).toMatchObject({
      status: 503,
      body: { error: { code: 'ServiceUnavailable' } },
    });
  });

  test('everything else is served', async () => {
    const h = await busy();
    const headers = { authorization: 'Bearer writer-writer-writer' };
    expect((await h.send('get', '/healthz')).status).toBe(200);
    expect((await h.send('get', '/v1/bots', { headers })).status).toBe(200);
    const added = await h.send('put', '/v1/bots/bank/intents/y', { body: { examples: ['y'] }, headers });
    expect(added.status).toBe(201);
    expect((await h.send('get', CLASSIFY, { headers })).status).toBe(405);
  });

  test('a server that stops says so instead', async () => {
    const h = await busy();
    h.lifecycle.stop();
    const headers = { authorization: 'Bearer writer-writer-writer' };
    const answer = await h.send('post', CLASSIFY, { body: { text: 'x' }, headers });
    expect(answer).toMatchObject({ status: 503, body: { code: 'not_ready' } });
  });
});

test('there is nothing to refuse while there is room', async () => {
  const h = await busy();
  h.service.refusal = () => undefined;
  const headers = { authorization: 'Bearer writer-writer-writer' };
  expect((await h.send('post', CLASSIFY, { body: { text: 'x' }, headers })).status).toBe(200);
});

describe('the connection', () => {
  let server: RunningServer;
  let socket: Socket;
  let h: Harness;
  beforeEach(async () => {
    h = harness();
    await h.service.putIntents('bank', [{ name: 'x', examples: ['x'] }]);
    const options = { host: '127.0.0.1', port: 0, requestTimeoutMs: 5000, keepAliveTimeoutMs: 5000 };
    server = await startServer(h.app, { ...options, lifecycle: h.lifecycle });
    const { hostname, port } = new URL(server.url);
    socket = connect(Number(port), hostname);
    socket.setEncoding('utf8');
  });
  afterEach(async () => {
    socket.destroy();
    await server.close(100);
  });

  test('is answered before the body is there, and serves the next request', async () => {
    h.service.refusal = () => BUSY;
    const body = '{"text":"x"}';
    const head = `POST ${CLASSIFY} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    socket.write(head);
    const [refused] = (await once(socket, 'data')) as [string];
    expect(refused).toMatch(/^HTTP\/1.1 503 /);
    expect(refused).not.toMatch(/connection: close/i);
    h.service.refusal = () => undefined;
    socket.write(body + head + body);
    const [answered] = (await once(socket, 'data')) as [string];
    expect(answered).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('the log', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('has the first refusal of ten seconds, and then how many followed', () => {
    const lines: string[] = [];
    const refusals = new RefusalLog(pino({ base: null }, { write: (line) => lines.push(line) }));
    expect([1, 2, 3].map(() => refusals.refused())).toEqual([true, false, false]);
    jest.advanceTimersByTime(10_000);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 40, requests: 2, seconds: 10 },
    ]);
    expect(refusals.refused()).toBe(false);
    jest.advanceTimersByTime(10_000);
    expect(lines).toHaveLength(2);
    jest.advanceTimersByTime(10_000);
    expect(lines).toHaveLength(2);
    expect(refusals.refused()).toBe(true);
  });

  test('has every refusal at debug', async () => {
    jest.useRealTimers();
    const h = await busy();
    for (let n = 0; n < 3; n++) await h.send('post', CLASSIFY, { body: {} });
    const refused = h.lines.filter((line) => line['code'] === 'overloaded');
    expect(refused.map(({ level }) => level)).toEqual([30, 20, 20]);
  });
});
