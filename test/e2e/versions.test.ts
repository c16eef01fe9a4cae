import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { ClassifyResult, WriteResult } from '../../src/classify/service.js';
import type { AliasSummary, VersionSummary } from '../../src/classify/versionTypes.js';
import { classify, json, putIntent, send, settled } from './api.js';
import { DEMO, readHeldOut } from './demoBot.js';
import { kshot } from './kshot.js';
import { workplace } from './workplace.js';

// A bot is saved, broken, and mended, while clients are answered by its versions: a real process, the encoder that ships.

const place = workplace();
const BOT = `/v1/bots/${DEMO}`;

async function ask(url: string, texts: readonly string[], version: string): Promise<ClassifyResult[]> {
  const answer = await send(url, 'POST', `${BOT}/classify`, { body: { texts, version } });
  return json<{ results: ClassifyResult[] }>(answer).results;
}

const save = async (url: string, version: string) =>
  json<VersionSummary>(await send(url, 'PUT', `${BOT}/versions/${version}`, { body: {} }), 201);
const point = async (url: string, version: string) =>
  json<AliasSummary>(await send(url, 'PUT', `${BOT}/aliases/production`, { body: { version } }), 200, 201);

/** Has two intents mean the opposite. */
async function breakBot(url: string): Promise<void> {
  await putIntent(url, DEMO, 'balance', ['i lost my card', 'my card is gone', 'card stolen']);
  await putIntent(url, DEMO, 'card_lost', ['how much money do i have', 'what is left on my account']);
}

test('production answers as it did, whatever becomes of the bot; it is moved, rolled back, and the bot restored', async () => {
  const dataDir = await place.demoStore();
  const { process, url } = await place.serve(dataDir);
  await settled(url);
  const { inScope, outOfScope } = await readHeldOut();
  const texts = [...inScope.map(({ text }) => text), ...outOfScope].slice(0, 60);
  const before = await classify(url, DEMO, texts);
  const good = await save(url, 'good');
  await point(url, 'good');
  const intentsOf = (results: readonly ClassifyResult[]) => results.map(({ intent }) => intent);

  await breakBot(url);
  await settled(url);
  const broken = await classify(url, DEMO, texts);
  expect(intentsOf(broken)).not.toEqual(intentsOf(before));
  const production = await ask(url, texts, 'production');
  expect(production).toEqual(
    before.map((result) => ({ ...result, model: { ...result.model, version: 'good' } })),
  );

  await save(url, 'broken');
  await point(url, 'broken');
  expect(intentsOf(await ask(url, texts, 'production'))).toEqual(intentsOf(broken));
  const back = json<AliasSummary>(await send(url, 'POST', `${BOT}/aliases/production/rollback`));
  expect(back).toMatchObject({ version: 'good', history: [] });
  expect(await ask(url, texts, 'production')).toEqual(production);

  const written = json<WriteResult>(await send(url, 'POST', `${BOT}/versions/production/restore`));
  expect(written.revision).toBe(good.revision + 3);
  await settled(url);
  expect(intentsOf(await classify(url, DEMO, texts))).toEqual(intentsOf(before));

  expect(await process.end('SIGTERM')).toMatchObject({ code: 0 });
  const again = await place.serve(dataDir);
  await settled(again.url);
  expect(await ask(again.url, texts, 'production')).toEqual(production);
  const { stdout } = await kshot(['aliases', '--bot', DEMO, '--data-dir', dataDir, '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'production', version: 'good' }]);
  expect(await again.process.end('SIGTERM')).toMatchObject({ code: 0 });
});

test('while an alias is moved back and forth, every answer is one of the two versions', async () => {
  const { process, url } = await place.serve(await place.demoStore());
  const TEXT = 'someone took my credit card';
  await save(url, 'good');
  await breakBot(url);
  await save(url, 'broken');
  const expected = new Map<string, ClassifyResult>();
  for (const version of ['good', 'broken']) expected.set(version, (await ask(url, [TEXT], version))[0]!);
  expect(expected.get('good')!.intent).not.toBe(expected.get('broken')!.intent);
  await point(url, 'good');

  const seen = new Map<string, number>();
  let isMoving = true;
  const clients = Array.from({ length: 4 }, async () => {
    while (isMoving) {
      const [answer] = await ask(url, [TEXT], 'production');
      const version = answer!.model.version!;
      expect(answer).toEqual(expected.get(version));
      seen.set(version, (seen.get(version) ?? 0) + 1);
    }
  });
  for (let i = 0; i < 20; i++) {
    const version = i % 2 === 0 ? 'broken' : 'good';
    await point(url, version);
    // Acknowledged: whoever asks from now on is answered by it.
    expect((await ask(url, [TEXT], 'production'))[0]!.model.version).toBe(version);
    await sleep(20);
  }
  isMoving = false;
  await Promise.all(clients);
  expect(seen.get('good')).toBeGreaterThan(5);
  expect(seen.get('broken')).toBeGreaterThan(5);
  expect(await process.end('SIGTERM')).toMatchObject({ code: 0 });
});
