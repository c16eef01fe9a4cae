import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { ClassifyResult } from '../../src/classify/service.js';
import { freePort } from '../../scripts/stress/freePort.js';
import { hasNginx, Nginx } from '../../scripts/stress/nginx.js';
import { SteadyLoad } from '../../scripts/stress/steadyLoad.js';
import { describeOnPostgres, postgresPlace } from '../store/postgresServer.js';
import { json, problemOf, send } from './api.js';
import { DEMO } from './demoBot.js';
import { ready } from './kshot.js';
import { workplace } from './workplace.js';

// What deploy/compose puts up, as processes, behind nginx with its configuration.

const place = workplace();
const database = postgresPlace();
const undo: (() => unknown)[] = [];

afterAll(() => Promise.all(undo.map((one) => one())));

async function behindNginx(replicas: readonly string[]): Promise<Nginx> {
  const nginx = await Nginx.create(place.folder(), replicas);
  undo.push(() => nginx.stop());
  await nginx.start();
  return nginx;
}

const skipped =
  (skip: (name: string, tests: () => void) => void) =>
  (name: string, tests: () => void): void =>
    skip(`${name} (skipped: no nginx here)`, tests);

(hasNginx ? describeOnPostgres : skipped(describe.skip))('three replicas behind nginx', () => {
  test('answer by what any was taught; kill -9 of one, and its restart amid writes, fail no request', async () => {
    const { url: store } = await database.schema();
    const flags = ['--store', store, '--threads', '1', '--no-demo'];
    const folders = Array.from({ length: 3 }, () => place.folder());
    const replicas = await Promise.all(folders.map((folder) => place.serve(folder, flags)));
    const urls = replicas.map(({ url }) => url);
    const nginx = await behindNginx(urls);
    const load = await SteadyLoad.start(nginx.url);

    const min_revision = await load.write();
    const body = { text: 'take a note', min_revision };
    for (const url of urls) {
      const answer = await send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body });
      const { intent, model } = json<ClassifyResult>(answer);
      expect(intent).toBe('notes');
      expect(model.revision).toBeGreaterThanOrEqual(min_revision!);
    }

    await replicas[0]!.process.end('SIGKILL');
    const answered = load.reads.answered;
    while (load.reads.answered < answered + 10) await load.write();
    // It is ready although its bot is never left alone.
    const patient = [...flags, '--port', new URL(urls[0]!).port, '--warmup-timeout-ms', '600000'];
    await ready(place.launch(folders[0]!, patient));
    await load.stop();

    const { sent, answered: got } = load.reads.with(load.writes);
    expect(got).toBe(sent);
    expect(await nginx.triedAgain()).toBeGreaterThan(0);
    expect(await load.readBack(urls)).toEqual({ acknowledged: load.writes.sent, lost: 0 });
  });
});

(hasNginx ? describe : skipped(describe.skip))('nginx, with the configuration of deploy/compose', () => {
  test('says as kshot would that no replica answers', async () => {
    const { url } = await behindNginx(
      (await Promise.all([freePort(), freePort(), freePort()])).map((port) => `http://127.0.0.1:${port}`),
    );
    const ask = (id: string) =>
      send(url, 'POST', `/v1/bots/${DEMO}/classify`, {
        body: { text: 'i lost my card' },
        headers: { 'x-request-id': id },
      });
    const answer = await ask('mine');
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'no_answer', request_id: 'mine' });
    expect(answer.headers).toMatchObject({ 'retry-after': '1', 'x-request-id': 'mine' });
    expect(problemOf(await ask('"} no id')).request_id).toMatch(/^[\da-f]{32}$/);
    expect(problemOf(await send(url, 'GET', '/v1/bots')).code).toBe('no_answer');
  });

  test.each(['/v1/bots/demo/classify', '/v1/bots/demo/intents/card_lost', '/v1/bots/demo/import'])(
    'says as kshot would that a body is too large: %s',
    async (path) => {
      const asked: string[] = [];
      const replica = await listening(({ url }, response) => {
        asked.push(url!);
        response.end();
      });
      const { url } = await behindNginx([replica]);
      const body = { text: 'x'.repeat(path.endsWith('/import') ? 18 * 2 ** 20 : 2 ** 20) };
      const answer = await send(url, 'POST', path, { body, headers: { 'x-request-id': 'mine' } });
      expect(problemOf(answer)).toMatchObject({ status: 413, code: 'body_too_large', request_id: 'mine' });
      expect(answer.headers['x-request-id']).toBe('mine');
      expect(asked).toEqual([]);
    },
  );

  test('answers by itself, as kshot would, what is more than the replicas can answer in time, and nothing else', async () => {
    const held: ServerResponse[] = [];
    const replica = await listening(({ method }, response) => {
      if (method === 'POST') held.push(response);
      else response.end('read');
    });
    const nginx = await behindNginx([replica]);
    const { url } = nginx;
    const ask = (id: string) =>
      send(url, 'POST', '/v1/classify?of=a-query', { body: {}, headers: { 'x-request-id': id } });
    const underWay = Array.from({ length: 256 }, (_, n) => ask(String(n)));
    while (held.length < underWay.length) await sleep(5);
    const refused = await ask('one-more');
    expect(problemOf(refused)).toMatchObject({ status: 503, code: 'overloaded', request_id: 'one-more' });
    expect(refused.headers).toMatchObject({ 'retry-after': '1', 'x-request-id': 'one-more' });
    expect(await send(url, 'GET', '/v1/bots')).toMatchObject({ status: 200, text: 'read' });

    held.pop()!.end('answered');
    await Promise.race(underWay);
    const next = ask('has-room');
    while (held.length < underWay.length) await sleep(5);
    for (const response of held) response.end('answered');
    while ((await nginx.refused()).length === 0) await sleep(50);
    expect(await nginx.refused()).toMatchObject([{ request_id: 'one-more', path: '/v1/classify' }]);
    expect((await Promise.all([...underWay, next])).map(({ status }) => status)).toEqual(
      Array(257).fill(200),
    );
  });

  test('asks another replica where one hangs', async () => {
    const hangs: string[] = [];
    const urls = await Promise.all([
      listening((request) => hangs.push(request.url!)),
      ...['b', 'c'].map((name) => listening((_, response) => response.end(name))),
    ]);
    const { url } = await behindNginx(urls);
    const ask = () => send(url, 'POST', '/v1/classify', { body: {} });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(hangs).toEqual(['/v1/classify']);
  });
});

/** The URL of a server that is closed with the tests, whatever it has not answered. */
async function listening(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer);
  undo.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
