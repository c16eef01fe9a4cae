import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { BotSummary, HeadReload, HeadSummary } from '../../src/classify/service.js';
import { initHeads } from '../../src/heads/runtime.js';
import { writeCheckpoint } from '../heads/checkpoints.js';
import { classify, json, send } from './api.js';
import { DEMO } from './demoBot.js';
import { kshot } from './kshot.js';
import { workplace } from './workplace.js';

// Trained heads in a real process, with the encoder that ships.

const place = workplace();
const TEXTS = ['someone pinched my card on the bus', 'what do i have left this month'];

beforeAll(initHeads);

test('weights that are exchanged under a running server answer after a signal, or a request', async () => {
  const heads = join(place.folder(), 'heads');
  mkdirSync(heads);
  const dataDir = join(place.folder(), 'store');
  const { process, url } = await place.serve(dataDir, ['--heads', heads]);

  // The fingerprint is what a checkpoint for another encoder is refused with.
  await writeCheckpoint(heads, 'mine', { head: 'projected', dimension: 384, encoder: 'unknown' });
  const first = json<HeadReload>(await send(url, 'POST', '/v1/heads/reload'));
  expect(first.changes).toMatchObject([{ head: 'mine', change: 'refused' }]);
  const encoder = /is of no use with ([0-9a-f]+)/.exec(first.changes[0]!.reason!)![1]!;

  const write = (seed: number) =>
    writeCheckpoint(heads, 'mine', {
      head: 'projected',
      dimension: 384,
      encoder,
      seed,
      options: { width: 32 },
    });
  await write(1);
  const { stdout } = await kshot(['heads', 'reload', '--data-dir', dataDir]);
  expect(stdout).toBe('mine: added\n0 bots renewed\n');
  json(await send(url, 'PUT', `/v1/bots/${DEMO}`, { body: { head: 'mine' } }));
  const before = await classify(url, DEMO, TEXTS);
  expect(before.map(({ model }) => model.head)).toEqual(['mine', 'mine']);

  await write(2);
  process.signal('SIGHUP');
  expect(await process.logged('heads reloaded')).toMatchObject({ bots: 1 });
  const after = await classify(url, DEMO, TEXTS);
  expect(after.map(({ model }) => model.head)).toEqual(['mine', 'mine']);
  expect(after.map(({ ranking }) => ranking)).not.toEqual(before.map(({ ranking }) => ranking));

  rmSync(join(heads, 'mine'), { recursive: true });
  json(await send(url, 'POST', '/v1/heads/reload'));
  expect((await classify(url, DEMO, TEXTS)).map(({ model }) => model.head)).toEqual(['adapted', 'adapted']);
  expect(json<BotSummary>(await send(url, 'GET', `/v1/bots/${DEMO}`)).head).toMatchObject({
    wanted: 'mine',
    serving: 'adapted',
    reason: expect.stringContaining('mine'),
  });
  expect(await process.end('SIGTERM')).toMatchObject({ code: 0 });
});

test('a server starts beside checkpoints for another encoder, and says so in one line', async () => {
  const heads = join(place.folder(), 'heads');
  for (const name of ['one', 'two']) {
    await writeCheckpoint(heads, name, { head: 'projected', dimension: 384, encoder: 'unknown' });
  }
  const { process, url } = await place.serve(join(place.folder(), 'store'), ['--heads', heads]);
  const told = process.log.filter(({ msg }) => msg.includes('another encoder'));
  expect(told).toMatchObject([{ level: 40, heads: ['one', 'two'] }]);
  const { heads: list } = json<{ heads: HeadSummary[] }>(await send(url, 'GET', '/v1/heads'));
  expect(list.filter(({ available }) => !available).map(({ name }) => name)).toEqual(['one', 'two']);
});

test('a folder of heads that is not there ends the start', async () => {
  const exit = await place.launch(join(place.folder(), 'store'), ['--heads', '/no/such/heads']).exited;
  expect(exit.code).toBe(2);
  expect(exit.stderr).toContain('/no/such/heads');
});
