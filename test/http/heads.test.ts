import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type {
  BotSummary,
  ClassifyResult,
  ClassifyService,
  HeadReload,
  HeadSummary,
} from '../../src/classify/service.js';
import { loadCheckpoint } from '../../src/heads/checkpoint.js';
import { HeadRuntime, initHeads } from '../../src/heads/runtime.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';
import { WordEncoder } from '../classify/wordEncoder.js';
import { type CheckpointOptions, writeCheckpoint } from '../heads/checkpoints.js';
import { harness, type Harness } from './harness.js';

// Trained heads as clients see them: the real service, on checkpoints that were written for its encoder.

const encoder = new WordEncoder();
const D = encoder.dimension;
const PLAIN: CheckpointOptions = {
  head: 'projected',
  dimension: D,
  encoder: encoder.fingerprint,
  options: { width: 16 },
};
// Names that say nothing, so that the support set is the examples.
const EXAMPLES = {
  i1: ['i lost my card', 'my card is gone'],
  i2: ['what is my balance', 'how much money do i have'],
  i3: ['send money to anna', 'transfer funds abroad'],
};
const INTENTS = Object.entries(EXAMPLES).map(([name, examples]) => ({ name, examples }));
const TEXT = 'how much money is on my card';

let folder: string;
let heads: string;
let service: ClassifyService;
let h: Harness;
let warnings: string[];

beforeAll(initHeads);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-trained-'));
  heads = join(folder, 'heads');
  await mkdir(heads);
  warnings = [];
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

const write = (name: string, options: Partial<CheckpointOptions> = {}) =>
  writeCheckpoint(heads, name, { ...PLAIN, ...options });

async function start(): Promise<void> {
  service = await openService({
    encoder,
    store: await openSqliteStore(join(folder, 'kshot.db')),
    maxTextChars: 200,
    calibration: bundledCalibration,
    headsDirectory: heads,
    warn: (message) => warnings.push(message),
  });
  h = harness({ lifecycle: Lifecycle.of(service) });
}

async function damage(name: string): Promise<void> {
  const [weights] = (await readdir(join(heads, name))).filter((file) => file.startsWith('weights-'));
  await writeFile(join(heads, name, weights!), 'cut short');
}

async function ok<T>(...[method, path, options]: Parameters<Harness['send']>): Promise<T> {
  const answer = await h.send(method, path, options);
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text}`);
  return answer.body as T;
}

const putBank = async (head: string) => {
  await ok('put', '/v1/bots/bank', { body: { head } });
  await ok('put', '/v1/bots/bank/intents', { body: { intents: INTENTS } });
};
const classify = (text = TEXT, bot = 'bank') =>
  ok<ClassifyResult>('post', `/v1/bots/${bot}/classify`, { body: { text, explain: true } });
const reload = () => ok<HeadReload>('post', '/v1/heads/reload');
const bank = () => ok<BotSummary>('get', '/v1/bots/bank');
const confidences = ({ ranking }: ClassifyResult) =>
  new Map(ranking.map(({ intent, confidence }) => [intent, confidence]));

/** The probabilities that a checkpoint gives the text, from its head alone. */
async function expected(name: string): Promise<number[]> {
  const { head, params } = await loadCheckpoint(join(heads, name), { encoder: encoder.fingerprint });
  const runtime = new HeadRuntime(head, D, params);
  const { embeddings: rows } = await encoder.encode(Object.values(EXAMPLES).flat());
  const { embeddings: query } = await encoder.encode([TEXT]);
  const state = runtime.load(runtime.induce({ counts: [2, 2, 2], rows, names: new Float32Array(3 * D) }));
  const weights = [...runtime.score(state, query)].map(Math.exp);
  const total = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / total);
}

async function expectAnswerOf(name: string): Promise<void> {
  const given = confidences(await classify());
  (await expected(name)).forEach((p, c) => expect(given.get(`i${c + 1}`)).toBeCloseTo(p, 3));
}

/** Waits until heads have adapted and calibrations are fitted. */
async function settled(): Promise<void> {
  while (service.stats().adaptations > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('a trained head', () => {
  test('is listed with where it comes from', async () => {
    await write('mine');
    await start();
    const { heads: list } = await ok<{ heads: HeadSummary[] }>('get', '/v1/heads');
    expect(list[0]).toEqual({
      name: 'adapted',
      kind: 'built-in',
      default: true,
      available: true,
      reason: null,
      bots: 0,
      training: null,
    });
    expect(list.find(({ name }) => name === 'mine')).toEqual({
      name: 'mine',
      kind: 'trained',
      default: false,
      available: true,
      reason: null,
      bots: 0,
      training: {
        method: 'projected',
        encoder: 'words-1',
        weights: expect.stringMatching(/^[0-9a-f]{64}$/),
        data: ['toy/train'],
        episodes: 10,
        results: { validation: { accuracy: 0.5 } },
      },
    });
  });

  test('that a bot has chosen answers, with its own scores', async () => {
    await write('mine');
    await write('other', { seed: 2 });
    await start();
    await putBank('mine');
    expect(await bank()).toMatchObject({
      settings: { head: 'mine' },
      head: { wanted: 'mine', serving: 'mine', reason: null },
    });
    expect((await classify()).model.head).toBe('mine');
    await expectAnswerOf('mine');
    await ok('put', '/v1/bots/bank', { body: { head: 'other' } });
    await expectAnswerOf('other');
  });

  test('answers after a restart', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await service.close();
    await start();
    await expectAnswerOf('mine');
    expect(warnings).toEqual([]);
  });

  test('has its calibration fitted, by its own scores, in the worker', async () => {
    await write('mine');
    await start();
    const many = INTENTS.map(({ name, examples }) => ({
      name,
      examples: Array.from({ length: 40 }, (_, i) => `${examples[i % 2]} ${'abcdefgh'[i % 8]}${i}`),
    }));
    await service.putBot('bank', { head: 'mine' });
    await service.putIntents('bank', many); // more than one request may hold here
    expect((await classify()).explanation).toMatchObject({ calibration: 'default', temperature: 1 });
    await settled();
    const { calibration, temperature } = (await classify()).explanation!;
    expect(calibration).toBe('fitted');
    expect(temperature).not.toBe(1);
    expect(warnings).toEqual([]);
  });

  test('answers for a bot whose intents are retrieved', async () => {
    await write('mine');
    await start();
    const intents = Array.from({ length: 600 }, (_, i) => ({ name: `p${i}`, examples: [`city${i} map`] }));
    await service.putIntents('bank', intents);
    await ok('put', '/v1/bots/bank', { body: { head: 'mine' } });
    const result = await classify('city42 map');
    expect(result.model.head).toBe('mine');
    expect(result.ranking[0]!.intent).toBe('p42');
  });

  test('that reads all intents at once answers anew when one of them changes', async () => {
    await write('context', { head: 'matching-fce', options: { steps: 1, maxRows: 16 }, spread: 0.02 });
    await start();
    await putBank('context');
    const before = await classify();
    expect(before.model.head).toBe('context');
    await ok('put', '/v1/bots/bank/intents/i3', { body: { examples: ['money please', 'funds abroad'] } });
    const after = await classify();
    const ratio = (result: ClassifyResult) => {
      const p = confidences(result);
      return p.get('i1')! / p.get('i2')!;
    };
    expect(ratio(after)).not.toBeCloseTo(ratio(before), 3); // the others' scores follow from it too
  });

  test('that cannot take so many intents leaves the bot to the default one, until it can', async () => {
    await write('context', { head: 'matching-fce', options: { steps: 1, maxRows: 8 }, spread: 0.02 });
    await start();
    await putBank('context');
    expect((await bank()).head.serving).toBe('context');
    await ok('put', '/v1/bots/bank/intents/i4', {
      body: { examples: ['one', 'two', 'three', 'four', 'five'] },
    });
    expect((await classify('three')).model.head).toBe('adapted');
    expect((await bank()).head).toMatchObject({
      wanted: 'context',
      serving: 'adapted',
      reason: expect.stringContaining('at most 8 rows'),
    });
    expect(warnings).toEqual([expect.stringContaining('bot bank: the head adapted answers, not context')]);
    await ok('delete', '/v1/bots/bank/intents/i4');
    expect((await classify()).model.head).toBe('context');
    expect((await bank()).head.reason).toBeNull();
  });
});

describe('a head that is not to be had', () => {
  test('because there is none of its name, is refused with those there are', async () => {
    await write('mine');
    await start();
    const { status, body } = await h.send('put', '/v1/bots/bank', { body: { head: 'oracle' } });
    expect({ status, body }).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_request',
        errors: [{ field: 'head', message: expect.stringContaining('mine') }],
      },
    });
    expect((await h.send('get', '/v1/bots/bank')).status).toBe(404);
  });

  test('because it was made for another encoder, is refused with the reason', async () => {
    await write('mine', { encoder: 'words-2' });
    await start();
    const { heads: list } = await ok<{ heads: HeadSummary[] }>('get', '/v1/heads');
    expect(list.at(-1)).toMatchObject({
      name: 'mine',
      available: false,
      reason: expect.stringContaining('words-2'),
      training: { encoder: 'words-2', weights: null },
    });
    const { status, body } = await h.send('put', '/v1/bots/bank', { body: { head: 'mine' } });
    expect({ status, body }).toMatchObject({
      status: 409,
      body: {
        code: 'head_unavailable',
        detail: expect.stringMatching(/"mine".*trained on embeddings of the encoder words-2.*words-1/),
      },
    });
  });

  test('when the server starts, leaves the bots that chose it to the default one', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await service.close();
    await damage('mine');
    await start();
    expect((await classify()).model.head).toBe('adapted');
    expect(await bank()).toMatchObject({
      settings: { head: 'mine' },
      head: { wanted: 'mine', serving: 'adapted', reason: expect.stringContaining('damaged') },
    });
    expect(warnings).toEqual([
      expect.stringMatching(/bot bank: the head adapted answers, not mine.*damaged/),
    ]);
    expect(service.stats().fallbacks).toBe(1);
  });
});

describe('a reload', () => {
  test('puts new weights to work while requests are answered, none of which fails', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    const before = (await classify()).confidence;
    await write('mine', { seed: 2 });
    const answers: Promise<ClassifyResult>[] = [];
    let done = false;
    const load = (async () => {
      while (!done) {
        answers.push(classify(), classify());
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    const { changes, bots_renewed } = await reload();
    done = true;
    await load;
    expect({ changes, bots_renewed }).toEqual({
      changes: [{ head: 'mine', change: 'changed', reason: null }],
      bots_renewed: 1,
    });
    const after = (await classify()).confidence;
    expect(after).not.toBe(before);
    await expectAnswerOf('mine');
    const seen = new Set((await Promise.all(answers)).map(({ confidence }) => confidence));
    expect([...seen].filter((confidence) => confidence !== before && confidence !== after)).toEqual([]);
    expect(seen).toContain(before);
    expect(await reload()).toMatchObject({ changes: [], bots_renewed: 0 });
  });

  test('catches up with writes that come while heads are made ready', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await write('mine', { seed: 2 });
    const reloading = reload();
    await ok('put', '/v1/bots/bank/intents/i4', { body: { examples: ['wire the rent'] } });
    await reloading;
    expect((await classify('wire the rent')).ranking).toHaveLength(4);
    await ok('delete', '/v1/bots/bank/intents/i4');
    await expectAnswerOf('mine');
  });

  test('leaves a bot alone whose owner chooses another head, or deletes it, meanwhile', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await service.putBot('second', { head: 'mine' });
    await service.putIntents('second', INTENTS);
    await write('mine', { seed: 2 });
    await Promise.all([
      reload(),
      ok('put', '/v1/bots/bank', { body: { head: 'matching' } }),
      ok('delete', '/v1/bots/second'),
    ]);
    expect((await classify()).model.head).toBe('matching');
    expect((await bank()).head.serving).toBe('matching');
    expect(warnings).toEqual([]);
  });

  test('brings heads that are new, and takes those whose folder is gone', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await write('late', { seed: 3 });
    await rm(join(heads, 'mine'), { recursive: true });
    expect(await reload()).toMatchObject({
      changes: [
        { head: 'late', change: 'added' },
        { head: 'mine', change: 'removed' },
      ],
      bots_renewed: 1,
    });
    const result = await classify();
    expect(result.model.head).toBe('adapted');
    expect(result.explanation!.adapted).toBe(true); // it took over when it was ready
    expect((await bank()).head).toMatchObject({ wanted: 'mine', serving: 'adapted' });
    await ok('put', '/v1/bots/bank', { body: { head: 'late' } });
    await expectAnswerOf('late');
  });

  test('gives a bot back its head when the checkpoint is there again', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await rm(join(heads, 'mine'), { recursive: true });
    await reload();
    await write('mine');
    await reload();
    expect((await bank()).head).toEqual({ wanted: 'mine', serving: 'mine', reason: null });
    await expectAnswerOf('mine');
  });

  test('of a damaged checkpoint keeps the former weights, and says so', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    const before = (await classify()).ranking;
    await damage('mine');
    const { changes, heads: list, bots_renewed } = await reload();
    expect(changes).toEqual([{ head: 'mine', change: 'kept', reason: expect.stringContaining('damaged') }]);
    expect(bots_renewed).toBe(0);
    expect(list.at(-1)).toMatchObject({
      name: 'mine',
      available: true,
      bots: 1,
      reason: expect.stringContaining('damaged'),
    });
    expect((await classify()).ranking).toEqual(before);
  });

  test('of a folder that is gone changes nothing', async () => {
    await write('mine');
    await start();
    await putBank('mine');
    await rm(heads, { recursive: true });
    expect((await h.send('post', '/v1/heads/reload')).body).toMatchObject({ code: 'invalid_configuration' });
    expect((await classify()).model.head).toBe('mine');
  });

  test('needs a key that may write', async () => {
    await start();
    const keys = { readWrite: ['writer-key-0123456789'], readOnly: ['reader-key-0123456789'] };
    h = harness({ lifecycle: Lifecycle.of(service), keys });
    const status = async (method: 'get' | 'post', path: string, key: string) =>
      (await h.send(method, path, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status('get', '/v1/heads', keys.readOnly[0]!)).toBe(200);
    expect(await status('post', '/v1/heads/reload', keys.readOnly[0]!)).toBe(403);
    expect(await status('post', '/v1/heads/reload', keys.readWrite[0]!)).toBe(200);
  });
});
