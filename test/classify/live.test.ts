import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openService, type ServiceOptions } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

const INTENTS = [
  { name: 'card_lost', examples: ['i lost my card', 'my card is gone', 'cannot find my card anywhere'] },
  { name: 'balance', examples: ['what is my balance', 'how much money do i have', 'show the balance'] },
  { name: 'transfer', examples: ['send money to anna', 'transfer funds abroad', 'make a transfer please'] },
];

let folder: string;
let encoder: WordEncoder;
let service: ClassifyService;
const warnings: string[] = [];

async function open(options: Partial<ServiceOptions> = {}): Promise<ClassifyService> {
  return openService({
    encoder,
    store: await openSqliteStore(join(folder, 'kshot.db')),
    maxTextChars: 200,
    calibration: bundledCalibration,
    snapshotDirectory: join(folder, 'index'),
    warn: (message, error) => warnings.push(`${message}: ${String(error)}`),
    ...options,
  });
}

// One service for all tests that do not close it: what its worker threads have compiled stays.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-live-'));
  encoder = new WordEncoder();
  service = await open();
});

beforeEach(() => {
  encoder.seen.length = 0;
});

afterEach(async () => {
  for (const { name } of await service.listBots()) await service.deleteBot(name);
  expect(warnings.splice(0)).toEqual([]);
});

afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true });
  expect(warnings).toEqual([]);
});

async function classify(text: string, bot = 'bank') {
  const [result] = await service.classify(bot, [text], { explain: true });
  return result!;
}

/** Waits until the bot's head has adapted to its present support set, and its calibration is fitted. */
async function adapted(bot = 'bank'): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const { adapted: isAdapted } = (await classify('anything', bot)).explanation!;
    if (isAdapted && service.stats().adaptations === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the head did not adapt');
}

describe('classify', () => {
  test('an intent is live with the request that follows its write', async () => {
    const { revision } = await service.putIntents('bank', INTENTS);
    const result = await classify('i lost my card');
    expect(result).toMatchObject({
      text: 'i lost my card',
      intent: 'card_lost',
      out_of_scope: false,
      model: { encoder: 'words', head: 'adapted', revision },
    });
    expect(result.ranking[0]).toEqual({ intent: 'card_lost', confidence: result.confidence });
    expect(result.evidence[0]).toEqual({ example: 'i lost my card', intent: 'card_lost', similarity: 1 });

    await service.putIntents('bank', [
      { name: 'weather', examples: ['is it going to rain', 'weather forecast'] },
    ]);
    expect((await classify('the weather forecast')).intent).toBe('weather');
  });

  test('confidences are probabilities over all intents, best first', async () => {
    await service.putIntents('bank', INTENTS);
    const { ranking } = await classify('how much money can i transfer');
    expect(ranking.map(({ confidence }) => confidence)).toEqual(
      ranking.map(({ confidence }) => confidence).sort((a, b) => b - a),
    );
    expect(ranking.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1, 3);
  });

  test('the ranking holds as many intents as asked for', async () => {
    await service.putIntents('bank', INTENTS);
    const [result] = await service.classify('bank', ['show my balance'], { top: 2 });
    expect(result!.ranking).toHaveLength(2);
    expect(result!.explanation).toBeUndefined();
  });

  test('results of a batch come in order and equal those of single texts', async () => {
    await service.putIntents('bank', INTENTS);
    await adapted();
    const texts = Array.from({ length: 150 }, (_, i) => INTENTS[i % 3]!.examples[i % 2]!);
    const results = await service.classify('bank', texts);
    expect(results.map(({ text }) => text)).toEqual(texts);
    expect(results.map(({ intent }) => intent)).toEqual(texts.map((_, i) => INTENTS[i % 3]!.name));
    const [alone] = await service.classify('bank', [texts[4]!]);
    expect(alone!.confidence).toBeCloseTo(results[4]!.confidence, 3);
  });

  test('what shares no word with any example is out of scope, and the best guess is shown', async () => {
    await service.putIntents('bank', INTENTS);
    const result = await classify('purple elephants dance tonight');
    expect(result).toMatchObject({ intent: null, out_of_scope: true });
    expect(result.ranking).toHaveLength(3);
    expect(result.explanation!.summary).toContain('Out of scope');
  });

  test('a bot without intents answers out of scope', async () => {
    await service.putBot('empty', {});
    expect(await classify('hello', 'empty')).toMatchObject({
      intent: null,
      confidence: 0,
      out_of_scope: true,
      ranking: [],
      evidence: [],
    });
  });

  test('an intent without examples is found by its name or description', async () => {
    await service.putIntents('bank', [
      ...INTENTS,
      { name: 'openAccount', examples: [] },
      { name: 'x17', examples: [], description: 'customer complains about fees' },
    ]);
    expect((await classify('open account')).ranking[0]!.intent).toBe('openAccount');
    const complaint = await classify('complains about fees');
    expect(complaint.ranking[0]!.intent).toBe('x17');
    expect(complaint.evidence.every(({ intent }) => intent !== 'x17')).toBe(true);
  });

  test('a text beyond the limit of the encoder is cut, and says so', async () => {
    await service.putIntents('bank', INTENTS);
    expect((await classify('i lost my card')).truncated).toBeUndefined();
    expect((await classify('i lost my card '.repeat(6))).truncated).toBe(true);
  });

  test('unknown bots are an error', async () => {
    await expect(service.classify('nobody', ['hi'])).rejects.toMatchObject({ code: 'unknown_bot' });
  });

  test.each([
    ['empty', ''],
    ['only space and control characters', ' \u0007\t\u200b'],
    ['NUL', 'a\0b'],
    ['half a surrogate pair', 'a\ud800'],
    ['too long', 'x'.repeat(201)],
  ])('%s text is refused by its place', async (_name, text) => {
    await service.putIntents('bank', INTENTS);
    await expect(service.classify('bank', ['fine', text])).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ field: 'texts.1' }],
    });
  });

  test('emoji, right-to-left text and control characters among words are answered', async () => {
    await service.putIntents('bank', INTENTS);
    const results = await service.classify('bank', ['👩‍👩‍👧 lost 💳', 'فقدت بطاقتي', 'lost\u0007card']);
    expect(results).toHaveLength(3);
  });
});

describe('writes', () => {
  test('replacing an intent keeps the ids of examples that stay', async () => {
    await service.putIntents('bank', INTENTS);
    const before = await service.getIntent('bank', 'balance');
    const change = await service.putIntents('bank', [
      {
        name: 'balance',
        examples: ['what is my balance', 'account total'],
        description: 'how much there is',
      },
    ]);
    const after = await service.getIntent('bank', 'balance');
    expect(after.description).toBe('how much there is');
    expect(after.examples[0]).toEqual(before.examples[0]);
    expect(change.added.map(({ text }) => text)).toEqual(['account total']);
    expect(change.removed.map(({ text }) => text)).toEqual(['how much money do i have', 'show the balance']);
  });

  test('the same write again changes nothing', async () => {
    const first = await service.putIntents('bank', INTENTS);
    const again = await service.putIntents('bank', INTENTS);
    expect(again).toEqual({ ...first, added: [] });
  });

  test('an example added or removed tells at once', async () => {
    await service.putIntents('bank', INTENTS);
    await service.addExamples('bank', 'transfer', ['wire the rent']);
    const { evidence } = await classify('wire the rent');
    expect(evidence[0]).toMatchObject({ intent: 'transfer', similarity: 1 });
    const { examples } = await service.getIntent('bank', 'transfer');
    await service.removeExample('bank', 'transfer', examples.at(-1)!.id);
    expect((await classify('wire the rent')).evidence.map(({ example }) => example)).not.toContain(
      'wire the rent',
    );
    await expect(service.removeExample('bank', 'transfer', examples.at(-1)!.id)).rejects.toMatchObject({
      code: 'unknown_example',
    });
  });

  test('an intent whose last example goes is still found by its name', async () => {
    await service.putIntents('bank', [...INTENTS, { name: 'exchange_rate', examples: ['dollars in euros'] }]);
    const { examples } = await service.getIntent('bank', 'exchange_rate');
    await service.removeExample('bank', 'exchange_rate', examples[0]!.id);
    expect((await classify('exchange rate')).ranking[0]!.intent).toBe('exchange_rate');
    await service.addExamples('bank', 'exchange_rate', ['dollars in euros']);
    expect((await classify('dollars in euros')).intent).toBe('exchange_rate');
  });

  test('a deleted intent is gone from the answers', async () => {
    await service.putIntents('bank', INTENTS);
    await service.deleteIntent('bank', 'card_lost');
    const { ranking, evidence } = await classify('i lost my card');
    expect([...ranking, ...evidence].map(({ intent }) => intent)).not.toContain('card_lost');
    await expect(service.getIntent('bank', 'card_lost')).rejects.toMatchObject({ code: 'unknown_intent' });
  });

  test('a counter-example takes a text out of scope, and its removal brings it back', async () => {
    await service.putIntents('bank', INTENTS);
    expect((await classify('my card trick is gone')).intent).toBe('card_lost');
    await service.putCounterexamples('bank', ['my card trick is gone']);
    const result = await classify('my card trick is gone');
    expect(result).toMatchObject({ intent: null, out_of_scope: true });
    expect(result.explanation!.nearest_counterexample).toEqual({
      example: 'my card trick is gone',
      similarity: 1,
    });
    expect(result.explanation!.summary).toContain('counter-example');
    expect((await classify('i lost my card')).intent).toBe('card_lost');
    await service.putCounterexamples('bank', []);
    expect((await classify('my card trick is gone')).intent).toBe('card_lost');
  });

  test('concurrent writes and reads: every answer is of one revision, and sees the writes before it', async () => {
    const { revision } = await service.putIntents('bank', INTENTS);
    const words = Array.from({ length: 20 }, (_, i) => `zebra${i} stripe${i}`);
    await Promise.all(
      words.map(async (text, i) => {
        const write = await service.putIntents('bank', [{ name: `animal_${i}`, examples: [text] }]);
        const result = await classify(text);
        expect(result.model.revision).toBeGreaterThanOrEqual(write.revision);
        expect(result.evidence[0]).toMatchObject({ intent: `animal_${i}`, similarity: 1 });
      }),
    );
    expect((await service.getBot('bank')).revision).toBe(revision + 20);
    expect((await service.listIntents('bank')).length).toBe(23);
  });

  test('a failing encoder leaves everything as it was', async () => {
    const { revision } = await service.putIntents('bank', INTENTS);
    encoder.failure = new Error('no memory');
    await expect(service.addExamples('bank', 'balance', ['anything'])).rejects.toThrow('no memory');
    encoder.failure = undefined;
    expect((await service.getBot('bank')).revision).toBe(revision);
    expect((await classify('show the balance')).intent).toBe('balance');
  });
});

describe('heads and settings', () => {
  test('a head that adapts serves its prototypes until it has', async () => {
    await service.putIntents('bank', INTENTS);
    const first = await classify('show my balance');
    expect(first.intent).toBe('balance');
    await adapted();
    const second = await classify('show my balance');
    expect(second.intent).toBe('balance');
    // A write keeps what was learned about the intents that it leaves alone, and adapts again.
    await service.addExamples('bank', 'transfer', ['pay anna back']);
    expect((await classify('show my balance')).intent).toBe('balance');
    await adapted();
  });

  test('an intent that is new takes no texts from those that have adapted', async () => {
    // Texts share most of their words, so that adapting moves the class rows far.
    const text = (i: number, k: number) =>
      `please tell me about topic${i} of my account today ${'abc'[k]!}${i}`;
    const intents = Array.from({ length: 12 }, (_, i) => ({
      name: `t${i}`,
      examples: [0, 1, 2].map((k) => text(i, k)),
    }));
    await service.putIntents('bank', intents);
    await adapted();
    await service.putIntents('bank', [{ name: 'fresh', examples: [text(99, 0), text(99, 1)] }]);
    const asked = intents.map((_, i) => `please tell me something of topic${i} today`);
    const results = await service.classify('bank', [...asked, 'please tell me something of topic99 today']);
    expect(results.map(({ ranking }) => ranking[0]!.intent)).toEqual([
      ...intents.map(({ name }) => name),
      'fresh',
    ]);
  });

  test.each(['prototypical', 'prototypical-euclidean', 'matching', 'names', 'adapted'] as const)(
    'the head %s can be chosen, and the choice is kept',
    async (head) => {
      await service.putIntents('bank', INTENTS);
      expect((await service.putBot('bank', { head })).settings).toEqual({ head });
      const result = await classify('transfer');
      expect(result.model.head).toBe(head);
      expect(result.ranking[0]!.intent).toBe('transfer');
      await service.close();
      service = await open();
      expect((await service.getBot('bank')).settings).toEqual({ head });
      expect((await classify('transfer')).ranking).toHaveLength(3);
    },
  );

  test('the threshold decides on scope', async () => {
    await service.putIntents('bank', INTENTS);
    await service.putBot('bank', { threshold: 0 });
    expect((await classify('purple elephants dance tonight')).out_of_scope).toBe(false);
    await service.putBot('bank', { threshold: 1 });
    expect((await classify('i lost the card')).out_of_scope).toBe(true);
  });
});

describe('the store is the truth', () => {
  test('a service opened anew answers as before', async () => {
    await service.putIntents('bank', INTENTS);
    await service.putCounterexamples('bank', ['card trick']);
    await adapted();
    const texts = ['lost it', 'card trick', 'how much do i have', 'send it'];
    const before = await service.classify('bank', texts);
    const listed = await service.listIntents('bank');
    await service.close();
    service = await open();
    await adapted();
    expect(await service.classify('bank', texts)).toEqual(before);
    expect(await service.listIntents('bank')).toEqual(listed);
    expect(await service.getCounterexamples('bank')).toMatchObject([{ text: 'card trick' }]);
  });

  test('another encoder embeds every text anew, and an interruption resumes', async () => {
    const examples = Array.from({ length: 300 }, (_, i) => `text number ${i}`);
    await service.putIntents('bank', [{ name: 'numbers', examples }]);
    await service.close();

    encoder = new WordEncoder('words-2');
    const progress: number[] = [];
    const interrupted = open({
      embedding: (done) => {
        progress.push(done);
        encoder.failure = new Error('killed');
      },
    });
    await expect(interrupted).rejects.toThrow('killed');
    expect(progress).toEqual([128]);

    encoder.failure = undefined;
    const store = await openSqliteStore(join(folder, 'kshot-other.db'));
    await store.close();
    const totals: number[] = [];
    service = await open({ embedding: (_done, total) => totals.push(total) });
    expect(totals).toEqual([173, 173]);
    expect(encoder.seen).toHaveLength(301);
    expect((await classify('text number 7')).evidence[0]).toMatchObject({
      example: 'text number 7',
      similarity: 1,
    });

    await service.close();
    encoder = new WordEncoder('words-2');
    service = await open();
    expect(encoder.seen).toEqual([]);
  });

  test('deleting a bot deletes it for good', async () => {
    await service.putIntents('bank', INTENTS);
    await service.deleteBot('bank');
    await expect(classify('hi')).rejects.toMatchObject({ code: 'unknown_bot' });
    await expect(service.deleteBot('bank')).rejects.toMatchObject({ code: 'unknown_bot' });
    await service.close();
    service = await open();
    expect(await service.listBots()).toEqual([]);
  });
});

test('a bot of many intents is answered from retrieved candidates', async () => {
  const intents = Array.from({ length: 600 }, (_, i) => ({
    name: `place_${i}`,
    examples: [`town${i} village${i}`, `go to town${i}`],
  }));
  await service.putIntents('atlas', intents);
  for (const i of [0, 300, 599]) {
    const result = await classify(`visit town${i} village${i}`, 'atlas');
    expect(result.ranking[0]!.intent).toBe(`place_${i}`);
    expect(result.ranking.length).toBeGreaterThan(1);
  }
  await service.putIntents('atlas', [{ name: 'late', examples: ['late arrival'] }]);
  expect((await classify('late arrival', 'atlas')).ranking[0]!.intent).toBe('late');
});

describe('an import', () => {
  const DOCUMENT = {
    intents: [
      { name: 'card_lost', examples: ['i lost my card', 'card vanished', ' card vanished '] },
      { name: 'weather', description: 'What the weather is like', examples: ['will it rain'] },
    ],
    counterexamples: ['tell me a joke'],
  };

  test('says beforehand what it will change, and changes that', async () => {
    await service.putIntents('bank', INTENTS);
    await service.putCounterexamples('bank', ['sing a song']);
    const { revision } = await service.getBot('bank');
    const before = await service.listIntents('bank');

    const foretold = await service.importBot('bank', DOCUMENT, { dryRun: true });
    expect(foretold).toEqual({
      bot: 'bank',
      dry_run: true,
      revision,
      totals: {
        intents: { added: 1, changed: 1, removed: 0, unchanged: 2 },
        examples: { added: 2, removed: 2, kept: 7 },
        counterexamples: { added: 1, removed: 1, kept: 0 },
      },
      intents: [
        {
          name: 'card_lost',
          change: 'changed',
          description: 'unchanged',
          added: ['card vanished'],
          removed: ['my card is gone', 'cannot find my card anywhere'],
          kept: 1,
        },
        {
          name: 'weather',
          change: 'added',
          description: 'added',
          added: ['will it rain'],
          removed: [],
          kept: 0,
        },
        { name: 'balance', change: 'unchanged', description: 'unchanged', added: [], removed: [], kept: 3 },
        { name: 'transfer', change: 'unchanged', description: 'unchanged', added: [], removed: [], kept: 3 },
      ],
      counterexamples: {
        change: 'changed',
        added: ['tell me a joke'],
        removed: ['sing a song'],
        kept: 0,
      },
    });
    expect(await service.listIntents('bank')).toEqual(before);

    const done = await service.importBot('bank', DOCUMENT);
    expect(done).toEqual({ ...foretold, dry_run: false, revision: revision + 1 });
    expect((await classify('will it rain')).intent).toBe('weather');
    expect((await service.getCounterexamples('bank')).map(({ text }) => text)).toEqual(['tell me a joke']);
    expect((await service.importBot('bank', DOCUMENT)).totals.intents).toMatchObject({ unchanged: 4 });
    expect((await service.getBot('bank')).revision).toBe(revision + 1);
  });

  test('that prunes leaves what the document says, and it stays so', async () => {
    await service.putIntents('bank', [{ name: 'balance', description: 'Money', examples: ['my balance'] }]);
    await service.putCounterexamples('bank', ['sing a song']);
    const document = { intents: DOCUMENT.intents, counterexamples: [] };
    const result = await service.importBot('bank', document, { prune: true });
    expect(result.intents.at(-1)).toEqual({
      name: 'balance',
      change: 'removed',
      description: 'removed',
      added: [],
      removed: ['my balance'],
      kept: 0,
    });
    expect(result.counterexamples).toEqual({
      change: 'removed',
      added: [],
      removed: ['sing a song'],
      kept: 0,
    });
    const names = async () => (await service.listIntents('bank')).map(({ name }) => name);
    expect(await names()).toEqual(['card_lost', 'weather']);
    await service.close();
    service = await open();
    expect(await names()).toEqual(['card_lost', 'weather']);
    expect(await service.getCounterexamples('bank')).toEqual([]);
  });

  test('of a bot that is not there makes it; a dry run does not', async () => {
    const foretold = await service.importBot('new', DOCUMENT, { dryRun: true });
    expect(foretold).toMatchObject({ revision: 0, totals: { intents: { added: 2, unchanged: 0 } } });
    await expect(service.getBot('new')).rejects.toMatchObject({ code: 'unknown_bot' });
    expect((await service.importBot('new', DOCUMENT)).revision).toBe(1);
    expect((await classify('card vanished', 'new')).intent).toBe('card_lost');
  });

  test('with one text that cannot be, or whose client has left, changes nothing', async () => {
    await service.putIntents('bank', INTENTS);
    const before = await service.listIntents('bank');
    const bad = { intents: DOCUMENT.intents, counterexamples: ['fine', '\0'] };
    await expect(service.importBot('bank', bad)).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ field: 'counterexamples.1', message: 'must not hold NUL characters' }],
    });
    const signal = AbortSignal.abort();
    await expect(service.importBot('bank', DOCUMENT, { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(await service.listIntents('bank')).toEqual(before);
  });
});
