import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, Socket } from 'node:net';
import { KshotError } from '../../src/errors.js';
import {
  messageClasses,
  startServer,
  type RunningServer,
  type ServerOptions,
} from '../../src/http/server.js';
import { harness, type Harness } from './harness.js';

const GET = 'GET /v1/bots HTTP/1.1\r\nhost: x\r\n\r\n';

let running: RunningServer | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await running?.close(100);
  running = undefined;
});

async function start(h: Harness, changes: Partial<ServerOptions> = {}): Promise<RunningServer> {
  running = await startServer(h.app, {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 5000,
    keepAliveTimeoutMs: 5000,
    lifecycle: h.lifecycle,
    ...changes,
  });
  return running;
}

async function withBot(): Promise<Harness> {
  const h = harness();
  await h.service.putIntents('bank', [{ name: 'x', examples: ['x'] }]);
  return h;
}

function open(server: RunningServer): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  return socket;
}

/** All that the server sends until it ends the connection. */
async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'close');
  return text;
}

function classify(server: RunningServer): Promise<{ status: number; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${server.url}/v1/bots/bank/classify`, {
      method: 'POST',
      agent: new Agent({ keepAlive: true }),
      headers: { 'content-type': 'application/json' },
    });
    sent.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection });
      });
    });
    sent.end('{"text":"x"}');
  });
}

/** A step that the test lets go when it wants to. */
function gate() {
  let release = () => {};
  let enter = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const entered = new Promise<void>((resolve) => (enter = resolve));
  return { release, entered, pass: () => (enter(), released) };
}

describe('starting', () => {
  test('a port that is taken is a clear error', async () => {
    const first = await start(await withBot());
    const again = startServer(harness().app, {
      host: '127.0.0.1',
      port: Number(new URL(first.url).port),
      requestTimeoutMs: 1000,
      keepAliveTimeoutMs: 1000,
      lifecycle: harness().lifecycle,
    });
    await expect(again).rejects.toThrow(
      /Cannot listen on 127.0.0.1, port \d+: another program listens there/,
    );
    await expect(again).rejects.toBeInstanceOf(KshotError);
  });
});

test('requests are made as Express wants them, so that it changes no prototype', async () => {
  const { app } = await withBot();
  const { IncomingMessage, ServerResponse } = messageClasses(app);
  const request = new IncomingMessage(new Socket());
  expect(Object.getPrototypeOf(request)).toBe(app.request);
  expect(Object.getPrototypeOf(new ServerResponse(request))).toBe(app.response);
  expect(typeof app.request.accepts).toBe('function');
});

describe('shutting down', () => {
  test('what was accepted is finished, what comes later is refused', async () => {
    const h = await withBot();
    const server = await start(h);
    const { release, entered, pass } = gate();
    h.service.beforeClassify = pass;
    const accepted = classify(server);
    await entered;
    const closing = server.close(5000);
    const late = await classify(server).catch((error: NodeJS.ErrnoException) => error.code);
    expect(late).toBe('ECONNREFUSED');
    release();
    expect(await accepted).toEqual({ status: 200, connection: 'close' });
    expect(await closing).toBe(true);
  });

  test('a request whose body is still arriving has been accepted', async () => {
    const h = await withBot();
    const server = await start(h);
    const socket = open(server);
    const text = received(socket);
    const { pass, release, entered } = gate();
    h.service.beforeClassify = pass;
    socket.write(
      'POST /v1/bots/bank/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"text"',
    );
    while (h.lines.length === 0 && !(await inFlight(h)))
      await new Promise((resolve) => setImmediate(resolve));
    const closing = server.close(5000);
    socket.write(':"x"}');
    await entered;
    release();
    expect(await text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(await closing).toBe(true);
  });

  test('what is not finished in time is cut, and its work cancelled', async () => {
    const h = await withBot();
    const server = await start(h);
    const { entered, pass, release } = gate();
    let signal: AbortSignal | undefined;
    h.service.beforeClassify = (given) => ((signal = given), pass());
    const accepted = classify(server).catch((error: NodeJS.ErrnoException) => error.code);
    await entered;
    expect(await server.close(20)).toBe(false);
    expect(await accepted).toBe('ECONNRESET');
    while (signal?.aborted !== true) await new Promise((resolve) => setImmediate(resolve));
    release();
  });
});

describe('clients', () => {
  test('that leave cancel their work, and count as 499', async () => {
    const h = await withBot();
    const server = await start(h);
    const left = new Promise<void>((resolve) => {
      h.service.beforeClassify = (signal) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new KshotError('cancelled', 'The client left'));
            resolve();
          });
          socket.destroy();
        });
    });
    const socket = open(server);
    socket.write(
      'POST /v1/bots/bank/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"text":"x"}',
    );
    await left;
    await new Promise((resolve) => setImmediate(resolve));
    expect(h.lines.filter((line) => line['status'] === 499)).toHaveLength(1);
    expect(await h.metrics.text()).toContain('route="/v1/bots/{bot}/classify",status="499"} 1');
  });

  test('that leave while they send count as 499', async () => {
    const h = await withBot();
    const server = await start(h);
    const socket = open(server);
    socket.write(
      'POST /v1/bots/bank/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"te',
    );
    while (!(await inFlight(h))) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    while (h.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(h.lines).toMatchObject([{ status: 499, route: '/v1/bots/{bot}/classify' }]);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['a broken header', 'GET / HTTP/1.1\r\nno colon\r\n\r\n', 400, 'invalid_request'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n', 400, 'invalid_request'],
    [
      'endless headers',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
      'header_too_large',
    ],
    ['an endless address', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'header_too_large'],
  ])('that send %s get a problem', async (_, bytes, status, code) => {
    const server = await start(await withBot());
    const socket = open(server);
    socket.write(bytes);
    const text = await received(socket);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ status, code });
  });

  test('that are slow are cut off', async () => {
    const server = await start(await withBot(), { requestTimeoutMs: 50 });
    const socket = open(server);
    socket.write('GET /v1/bots HTTP/1.1\r\nhost:');
    expect(await received(socket)).toContain('"code":"request_timeout"');
  });

  test('may send one request after another on a connection', async () => {
    const server = await start(await withBot());
    const socket = open(server);
    socket.write(GET + GET + GET.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    expect((await received(socket)).match(/HTTP\/1.1 200 OK/g)).toHaveLength(3);
  });

  test('that send too much are answered before they have sent it all', async () => {
    const server = await start(await withBot());
    const socket = open(server);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.write('POST /v1/bots/bank/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
    socket.write('transfer-encoding: chunked\r\n\r\n');
    const chunk = 'a'.repeat(65_536);
    for (let i = 0; i < 5; i++) socket.write(`10000\r\n${chunk}\r\n`);
    await once(socket, 'data');
    expect(text).toMatch(/^HTTP\/1.1 413 /);
  });
});

async function inFlight(h: Harness): Promise<boolean> {
  return (await h.metrics.text()).includes('kshot_http_requests_in_flight 1');
}
