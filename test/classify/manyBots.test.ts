import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openService, type ServiceOptions } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

/** Room for no more than the bot that was used last. */
const ONE_BOT = 1;
/** Room for some of BOTS. */
const SOME_BOTS = 400_000;

const BOTS = Array.from({ length: 8 }, (_, n) => `bot${n}`);

function intentsOf(bot: string) {
  return [
    { name: 'lost', examples: [`i lost my ${bot}`, `my ${bot} is gone`, `cannot find the ${bot} anywhere`] },
    {
      name: 'price',
      examples: [`what is the price of a ${bot}`, `how much does ${bot} cost`, 'too expensive'],
    },
    { name: 'order', examples: [`order one ${bot}`, `i want to buy a ${bot}`, 'put it on my list'] },
  ];
}

const QUESTIONS = ['i lost it', 'what does one cost', 'i want one', 'purple elephants dance'];

let folder: string;
let encoder: WordEncoder;
let reads: string[];
let adaptations: number;
let beforeRead: (bot: string) => Promise<void>;
const opened: ClassifyService[] = [];
const warnings: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-many-'));
  encoder = new WordEncoder();
  reads = [];
  adaptations = 0;
  beforeRead = () => Promise.resolve();
  warnings.length = 0;
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()));
  await rm(folder, { recursive: true });
  expect(warnings).toEqual([]);
});

/** The store of that name, which tells which bots are read. */
async function openStore(name: string): Promise<Store> {
  const store = await openSqliteStore(join(folder, `${name}.db`));
  const readBot = store.readBot.bind(store);
  return Object.assign(store, {
    readBot: async (...asked: Parameters<Store['readBot']>) => {
      reads.push(asked[0]);
      await beforeRead(asked[0]);
      return readBot(...asked);
    },
  });
}

async function open(botMemoryBytes: number, options: Partial<ServiceOptions> = {}, name = 'kshot') {
  const service = await openService({
    encoder,
    store: await openStore(name),
    maxTextChars: 200,
    botMemoryBytes,
    calibration: bundledCalibration,
    snapshotDirectory: join(folder, `index-${name}`),
    warn: (message, error) => warnings.push(`${message}: ${String(error)}`),
    observer: {
      stage: () => undefined,
      classified: () => undefined,
      adapted: () => adaptations++,
      loaded: () => undefined,
    },
    ...options,
  });
  opened.push(service);
  return service;
}

/** A service on a store with BOTS, of which none has been used since it was opened. */
async function openFilled(botMemoryBytes: number, options: Partial<ServiceOptions> = {}) {
  const before = await open(ONE_BOT);
  for (const bot of BOTS) await before.putIntents(bot, intentsOf(bot));
  await close(before);
  reads.length = 0;
  return open(botMemoryBytes, options);
}

async function close(service: ClassifyService): Promise<void> {
  opened.splice(opened.indexOf(service), 1);
  await service.close();
}

async function settled(service: ClassifyService): Promise<void> {
  while (service.stats().adaptations > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

function answers(service: ClassifyService, bot: string) {
  return service.classify(bot, QUESTIONS, { explain: true });
}

const inMemory = (service: ClassifyService) => service.stats().loaded.bots;

describe('under a limit', () => {
  test('bots answer as without one, also when they come back, and do not adapt again', async () => {
    const roomy = await open(Infinity, {}, 'roomy');
    const tight = await open(SOME_BOTS, {}, 'tight');
    for (const service of [roomy, tight]) {
      for (const bot of BOTS) {
        await service.putIntents(bot, intentsOf(bot));
        await settled(service);
        await answers(service, bot); // Only what is used is weighed.
      }
    }
    expect(inMemory(roomy)).toBe(BOTS.length);
    expect(inMemory(tight)).toBeLessThan(BOTS.length);
    expect(tight.stats().loaded.bytes).toBeLessThanOrEqual(SOME_BOTS);
    const before = adaptations;
    for (let round = 0; round < 2; round++) {
      for (const bot of BOTS) expect(await answers(tight, bot)).toEqual(await answers(roomy, bot));
    }
    await settled(tight);
    expect(adaptations).toBe(before);
    expect(tight.stats().loaded.letGo).toBeGreaterThan(BOTS.length);
    expect(roomy.stats().loaded.letGo).toBe(0);
  });

  test('a bot that is larger than the limit answers, alone, and is read once', async () => {
    const service = await openFilled(ONE_BOT);
    reads.length = 0;
    for (let i = 0; i < 3; i++) expect((await answers(service, 'bot3'))[0]!.intent).toBe('lost');
    expect(inMemory(service)).toBe(1);
    expect(reads.filter((bot) => bot === 'bot3')).toHaveLength(1);
    await answers(service, 'bot4');
    expect(inMemory(service)).toBe(1);
  });

  test('one that a request uses stays until it is answered', async () => {
    const service = await openFilled(ONE_BOT);
    let answer = () => {};
    const gate = new Promise<void>((resolve) => (answer = resolve));
    const encode = encoder.encode.bind(encoder);
    let isWaiting = false;
    encoder.encode = async (texts) => {
      if (!texts.includes('wait')) return encode(texts);
      isWaiting = true;
      await gate;
      return encode(texts);
    };
    const slow = service.classify('bot1', ['wait']);
    while (!isWaiting) await new Promise((resolve) => setImmediate(resolve));
    await answers(service, 'bot2');
    await answers(service, 'bot3');
    reads.length = 0;
    answer();
    expect(await slow).toHaveLength(1);
    expect(reads).toEqual([]);
  });

  test('writes to a bot that was let go count on from what it was', async () => {
    const service = await openFilled(ONE_BOT);
    await answers(service, 'bot0');
    const { revision, added } = await service.addExamples('bot5', 'price', ['is it on sale']);
    expect([revision, added.map(({ text }) => text)]).toEqual([2, ['is it on sale']]);
    await answers(service, 'bot0');
    expect((await service.renameIntent('bot5', 'price', 'cost')).revision).toBe(3);
    await answers(service, 'bot0');
    expect((await service.classify('bot5', ['is it on sale']))[0]).toMatchObject({
      intent: 'cost',
      model: { revision: 3 },
    });
    await answers(service, 'bot0');
    await service.reach('bot5', 3);
    expect(await service.getBot('bot5')).toMatchObject({ revision: 3, intents: 3, examples: 10 });
  });

  test('one that was let go can be deleted, and made anew', async () => {
    const service = await openFilled(ONE_BOT);
    await answers(service, 'bot0');
    await service.deleteBot('bot5');
    await expect(answers(service, 'bot5')).rejects.toMatchObject({ code: 'unknown_bot' });
    expect(service.stats()).toMatchObject({ bots: BOTS.length - 1, intents: 3 * (BOTS.length - 1) });
    await service.putIntents('bot5', [{ name: 'other', examples: ['something else'] }]);
    await answers(service, 'bot0');
    expect((await service.classify('bot5', ['something else']))[0]!.intent).toBe('other');
    expect((await service.listIntents('bot5')).map(({ name }) => name)).toEqual(['other']);
  });

  test('texts that it has classified and keeps are not lost', async () => {
    const service = await openFilled(ONE_BOT);
    await service.putBot('bot1', { keep_texts: true });
    await service.classify('bot1', ['one of a kind']);
    await answers(service, 'bot2');
    await answers(service, 'bot3');
    const { texts } = await service.listUnlabelled('bot1');
    expect(texts.map(({ text }) => text)).toEqual(['one of a kind']);
  });

  test('versions and aliases go and come with the bot', async () => {
    const service = await openFilled(ONE_BOT);
    await service.saveVersion('bot1', 'first', null);
    await service.putAlias('bot1', 'production', 'first');
    await service.putIntents('bot1', [{ name: 'lost', examples: ['nothing of the kind'] }]);
    const ask = () => service.classify('bot1', QUESTIONS, { version: 'production', explain: true });
    const before = await ask();
    for (const bot of ['bot2', 'bot3']) await answers(service, bot);
    expect(inMemory(service)).toBe(1);
    expect(await ask()).toEqual(before);
    expect((await service.listVersions('bot1')).map(({ name }) => name)).toEqual(['first']);
  });

  test('bots that come and go while many ask are right all the time', async () => {
    const service = await openFilled(SOME_BOTS / 4);
    const asked = Array.from({ length: 200 }, (_, n) => BOTS[(n * 5) % BOTS.length]!);
    const results = await Promise.all(asked.map((bot) => service.classify(bot, [`i lost my ${bot}`])));
    expect(results.map(([result]) => result!.evidence[0]!.example)).toEqual(
      asked.map((bot) => `i lost my ${bot}`),
    );
    await Promise.all(
      asked.map((bot, n) =>
        n % 10 === 0
          ? service.addExamples(bot, 'lost', [`number ${n}`])
          : service.classify(bot, [`number ${n}`]),
      ),
    );
    const { examples } = service.stats();
    expect(examples).toBe(9 * BOTS.length + 20);
    expect((await service.listBots()).reduce((sum, bot) => sum + bot.examples, 0)).toBe(examples);
  });
});

describe('what is read, and when', () => {
  test('a start reads the bots that were written to last, and no more than some', async () => {
    const before = await open(ONE_BOT);
    const names = Array.from({ length: 30 }, (_, n) => `bot${n}`);
    for (const name of names) await before.putBot(name, {});
    await before.putBot('bot0', { threshold: 0.3 });
    await close(before);
    reads.length = 0;
    const service = await open(Infinity);
    expect(inMemory(service)).toBe(20);
    expect(reads[0]).toBe('bot0');
    expect(reads).not.toContain('bot1');
    expect(service.stats().bots).toBe(30);
    expect(await service.listBots()).toHaveLength(30);
    expect(reads).toHaveLength(20);
  });

  test('the list shows all bots as they are, and loads none', async () => {
    const service = await openFilled(ONE_BOT);
    await service.putCounterexamples('bot1', ['sing a song']);
    await service.putBot('bot2', { threshold: 0.2 });
    await answers(service, 'bot0');
    reads.length = 0;
    const listed = await service.listBots();
    expect(reads).toEqual([]);
    expect(listed.map(({ name }) => name)).toEqual(BOTS);
    for (const bot of listed) expect(await service.getBot(bot.name)).toEqual(bot);
    expect(listed[1]).toMatchObject({ intents: 3, examples: 9, counterexamples: 1, revision: 2 });
    expect(listed[2]).toMatchObject({ settings: { threshold: 0.2 }, revision: 2 });
  });

  test('many that use a bot first share one reading', async () => {
    const service = await openFilled(ONE_BOT);
    await answers(service, 'bot0');
    reads.length = 0;
    await Promise.all([
      ...Array.from({ length: 20 }, () => answers(service, 'bot6')),
      service.addExamples('bot6', 'lost', ['where has it gone']),
      service.check('bot6'),
    ]);
    expect(reads).toEqual(['bot6']);
  });

  test('one that could not be read is tried again', async () => {
    const service = await openFilled(ONE_BOT);
    await answers(service, 'bot0');
    let failures = 1;
    beforeRead = () => (failures-- > 0 ? Promise.reject(new Error('disk')) : Promise.resolve());
    await expect(answers(service, 'bot6')).rejects.toThrow('disk');
    expect((await answers(service, 'bot6'))[0]!.intent).toBe('lost');
  });

  test('the service closes while a bot is being read', async () => {
    const service = await openFilled(ONE_BOT);
    await answers(service, 'bot0');
    let read = () => {};
    let isReading = () => {};
    const reading = new Promise<void>((resolve) => (isReading = resolve));
    beforeRead = () => {
      isReading();
      return new Promise((resolve) => (read = resolve));
    };
    const answered = answers(service, 'bot6').catch((error: unknown) => error);
    await reading;
    const closed = close(service);
    read();
    await closed;
    await answered; // In one way or another.
    await expect(answers(service, 'bot5')).rejects.toMatchObject({ code: 'not_ready' });
  });
});

test('heads are counted by what bots have chosen, loaded or not', async () => {
  const service = await openFilled(ONE_BOT);
  await service.putBot('bot1', { head: 'prototypical' });
  await service.putBot('bot2', { head: 'prototypical' });
  await close(service);
  const store = await openSqliteStore(join(folder, 'kshot.db'));
  await store.putBot('bot3', { head: 'gone' });
  await store.close();
  const again = await open(ONE_BOT);
  warnings.length = 0; // That the head is gone is told when the bot is loaded.
  const bots = new Map((await again.listHeads()).map((head) => [head.name, head.bots]));
  expect([bots.get('prototypical'), bots.get('adapted')]).toEqual([2, BOTS.length - 2]);
  expect(again.stats().fallbacks).toBe(1);
  expect((await again.listBots())[3]!.head).toMatchObject({ wanted: 'gone', serving: 'adapted' });
});
