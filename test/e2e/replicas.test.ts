import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import type { BotSummary, WriteResult } from '../../src/classify/service.js';
import { describeOnPostgres, postgresPlace, SERVER_ADDRESS } from '../store/postgresServer.js';
import { TcpProxy } from '../store/tcpProxy.js';
import { classify, json, listIntents, problemOf, putIntent, send } from './api.js';
import { DEMO } from './demoBot.js';
import type { Server } from './kshot.js';
import { workplace } from './workplace.js';

const place = workplace();
const database = postgresPlace();
const proxy = new TcpProxy(SERVER_ADDRESS);

afterAll(() => proxy.stop());

const launchOn = (store: string, ...flags: string[]): Promise<Server> =>
  place.serve(place.folder(), ['--store', store, ...flags]);

describeOnPostgres('servers that share a PostgreSQL database', () => {
  test('start at once on an empty one, and answer by what either was taught; kill -9 loses nothing', async () => {
    const { url: store } = await database.schema();
    const [a, b] = await Promise.all([launchOn(store), launchOn(store)]);
    // One of them has made the demo bot, in two writes.
    const minimum = `/v1/bots/${DEMO}?min_revision=2`;
    for (const { url } of [a, b]) {
      expect(json<BotSummary>(await send(url, 'GET', minimum))).toMatchObject({ revision: 2, intents: 20 });
    }
    const { revision } = await putIntent(a.url, 'pets', 'cats', ['my cat purrs', 'the kitten sleeps']);
    const body = { text: 'a kitten purrs', min_revision: revision };
    expect(json(await send(b.url, 'POST', '/v1/bots/pets/classify', { body }))).toMatchObject({
      intent: 'cats',
      model: { revision },
    });

    // Writes to one until it is killed; what it acknowledged is there.
    let acknowledged = 0;
    let exit: Promise<unknown> | undefined;
    for (let n = 1; exit === undefined || n < 1000; n++) {
      const path = '/v1/bots/pets/intents/cats/examples';
      const sent = send(a.url, 'POST', path, { body: { examples: [`cat number ${n}`] } });
      if (n === 12) exit = a.process.end('SIGKILL');
      const answer = await sent.catch(() => undefined);
      if (answer === undefined) break;
      acknowledged = json<WriteResult>(answer, 201).revision;
    }
    await exit;
    expect(acknowledged).toBeGreaterThanOrEqual(revision + 10);
    const present = json<BotSummary>(await send(b.url, 'GET', `/v1/bots/pets?min_revision=${acknowledged}`));
    // The one that was under way may have been kept.
    expect([acknowledged, acknowledged + 1]).toContain(present.revision);
    expect((await listIntents(b.url, 'pets'))[0]!.examples).toHaveLength(2 + present.revision - revision);
  });

  test('without the database they answer, refuse writes, say so, and recover by themselves', async () => {
    await proxy.start();
    const schema = await database.schema();
    const { process, url } = await launchOn(schema.through(proxy.port), '--revision-check-ms', '50');
    const write = () =>
      send(url, 'PUT', `/v1/bots/${DEMO}/intents/pets`, { body: { examples: ['my cat purrs'] } });
    expect((await send(url, 'GET', '/readyz')).status).toBe(200);

    await proxy.stop();
    const refused = await write();
    expect(problemOf(refused)).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    expect(problemOf(await send(url, 'GET', '/readyz'))).toMatchObject({ code: 'store_unavailable' });
    expect(await classify(url, DEMO, ['i lost my card'])).toMatchObject([{ intent: 'card_lost' }]);

    await proxy.start();
    while ((await send(url, 'GET', '/readyz')).status !== 200) await sleep(20);
    json(await write(), 201);
    expect(await classify(url, DEMO, ['the cat purrs'])).toMatchObject([{ intent: 'pets' }]);
    expect(await process.end('SIGTERM')).toMatchObject({ code: 0 });
  });

  test('that cannot be reached at the start ends the server, which does not tell the password', async () => {
    const { stderr, code } = await place.launch(place.folder(), [
      '--store',
      'postgres://somebody:dont-tell@127.0.0.1:1/kshot',
    ]).exited;
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^kshot: Store postgres:\/\/somebody@127\.0\.0\.1:1\/kshot: the server cannot be reached/,
    );
    expect(stderr).not.toContain('dont-tell');
  });
});
