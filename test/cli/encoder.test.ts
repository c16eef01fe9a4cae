import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { BotSummary, HeadSummary } from '../../src/classify/service.js';
import { identifyEncoder } from '../../src/encoder/fingerprint.js';
import { writeCalibration } from '../../src/heads/calibration.js';
import { initHeads } from '../../src/heads/runtime.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';
import { classify, json, send } from '../e2e/api.js';
import { kshot, Kshot } from '../e2e/kshot.js';
import { workplace } from '../e2e/workplace.js';
import { writeTinyModel } from '../encoder/tinyModel.js';
import { writeCheckpoint } from '../heads/checkpoints.js';
import { run } from './harness.js';

// Two small encoders, a folder of heads and a calibration that were made for the first of them, and real stores.

const place = workplace();
const INTENTS = {
  east: ['east', 'east east north', 'east north east'],
  north: ['north', 'north north east', 'north west north'],
};
/** With the labels of the intents. */
const TEXTS = 8;

let one: string;
let two: string;
let heads: string;
const fingerprints = { one: '', two: '' };
/** New for each test. */
let folder: string;
let dataDir: string;

beforeAll(async () => {
  await initHeads();
  one = writeTinyModel({ config: { _name_or_path: 'one', max_position_embeddings: 8 } });
  two = writeTinyModel({
    config: { _name_or_path: 'two', max_position_embeddings: 8 },
    vectors: [
      [9, 9],
      [0, -3],
      [0, 3],
      [1, 2],
      [3, 1],
      [1, 3],
      [0, 0],
      [-3, 1],
    ],
  });
  fingerprints.one = (await identifyEncoder(one, 'cpu')).fingerprint;
  fingerprints.two = (await identifyEncoder(two, 'cpu')).fingerprint;
  heads = join(place.folder(), 'heads');
  const encoder = fingerprints.one;
  await writeCheckpoint(heads, 'mine', { head: 'projected', dimension: 2, encoder, options: { width: 2 } });
  await writeCheckpoint(heads, 'far', {
    head: 'projected',
    dimension: 2,
    encoder: 'unknown',
    options: { width: 2 },
  });
  await writeCalibration(join(heads, 'calibration.json'), { ...bundledCalibration, encoder });
});

afterAll(() => {
  for (const model of [one, two]) rmSync(model, { recursive: true, force: true });
});

beforeEach(() => {
  const workingFolder = place.folder();
  folder = join(workingFolder, 'encoder');
  dataDir = join(workingFolder, 'store');
  cpSync(one, folder, { recursive: true });
});

/** Gives the store a bot, with embeddings of the first encoder. */
async function fill(head?: string, examples: Record<string, readonly string[]> = INTENTS): Promise<void> {
  const store = await openSqliteStore(join(dataDir, 'kshot.db'));
  const embedded = (text: string) => ({ text, embedding: Float32Array.of(1, 0) });
  const intents = Object.entries(examples).map(([name, texts]) => ({
    name,
    description: null,
    label: embedded(name),
    examples: texts.map(embedded),
  }));
  await store.putIntents('compass', intents, fingerprints.one);
  if (head !== undefined) await store.putBot('compass', { head });
  await store.close();
}

function use(source: string, ...flags: string[]) {
  return run(['encoder', 'use', source, ...flags, ...settings(), '--to', folder, '--data-dir', dataDir]);
}

function settings(): string[] {
  return ['--heads', heads, '--device', 'cpu', '--threads', '1'];
}

/** How many embeddings the store has, by encoder. */
function embeddings(): Record<string, number> {
  const db = new Database(join(dataDir, 'kshot.db'), { readonly: true });
  try {
    const rows = db
      .prepare<[], { fingerprint: string; n: number }>(
        'SELECT fingerprint, count(*) AS n FROM embeddings JOIN encoders ON encoders.id = encoder_id GROUP BY 1',
      )
      .all();
    return Object.fromEntries(rows.map(({ fingerprint, n }) => [nameOf(fingerprint), n]));
  } finally {
    db.close();
  }
}

function nameOf(fingerprint: string): string {
  return Object.entries(fingerprints).find(([, known]) => known === fingerprint)?.[0] ?? fingerprint;
}

async function inPlace(directory = folder): Promise<string> {
  return nameOf((await identifyEncoder(directory, 'cpu')).fingerprint);
}

const remnants = () => readdirSync(join(folder, '..')).filter((name) => /^encoder\.(?!former$)/.test(name));

describe('show', () => {
  test('says what the encoder is, its files, and what fits it', async () => {
    const shown = await run(['encoder', '--model', folder, ...settings(), '--json']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(shown.stdout)).toEqual({
      name: 'one',
      folder,
      fingerprint: fingerprints.one,
      dimension: 2,
      max_tokens: 8,
      device: 'cpu',
      files: [
        { path: 'config.json', bytes: expect.any(Number) },
        { path: join('onnx', 'model.onnx'), bytes: readFileSync(join(one, 'onnx', 'model.onnx')).length },
        { path: 'tokenizer.json', bytes: expect.any(Number) },
      ],
      heads: [
        {
          name: 'far',
          default: false,
          fits: false,
          encoder: 'unknown',
          reason: expect.stringContaining('unknown'),
        },
        { name: 'mine', default: false, fits: true, encoder: fingerprints.one, reason: null },
      ],
      calibration: { file: join(heads, 'calibration.json'), encoder: fingerprints.one, fits: true },
    });
    const { stdout } = await run(['encoder', 'show', '--model', two, ...settings()]);
    expect(stdout).toMatch(/^ENCODER +two\n/);
    expect(stdout).toMatch(new RegExp(`\\nmine +no, trained for the encoder ${fingerprints.one}\\n`));
    expect(stdout).toContain('Bots that choose no head are answered by adapted.\n');
    expect(stdout).toContain(`Calibration: made for the encoder ${fingerprints.one}`);
  });

  test('of a folder that is none is an error', async () => {
    expect(await run(['encoder', 'show', '--model', place.folder()])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('config.json'),
    });
  });
});

describe('use', () => {
  test('replaces the encoder and embeds the store; the server starts at once, and says what does not fit', async () => {
    await fill('mine');
    const used = await use(two, '--yes');
    expect(used.code).toBe(0);
    expect(used.stdout).toContain(
      `now     one, ${fingerprints.one}\nthen    two, ${fingerprints.two}, 2 dimensions\n`,
    );
    expect(used.stdout).toContain(`1 bot, ${TEXTS} texts to embed\n`);
    expect(used.stdout).toContain('mine: will not be served; adapted answers for compass\n');
    expect(used.stdout).toContain(`${TEXTS} texts embedded\n`);
    expect([await inPlace(), await inPlace(`${folder}.former`)]).toEqual(['two', 'one']);
    expect(embeddings()).toEqual({ one: TEXTS, two: TEXTS });
    expect(remnants()).toEqual([]);

    const { process, url } = await place.serve(dataDir, ['--model', folder, ...settings()]);
    expect(process.log).toContainEqual(
      expect.objectContaining({ level: 40, heads: ['far', 'mine'], default: 'adapted' }),
    );
    expect(process.log).toContainEqual(
      expect.objectContaining({ level: 40, made_for: fingerprints.one, encoder: fingerprints.two }),
    );
    expect(process.log).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: expect.stringContaining('the head adapted answers, not mine'),
      }),
    );
    expect(await classify(url, 'compass', ['west north'])).toMatchObject([
      { model: { encoder: 'two', head: 'adapted' } },
    ]);
    expect(json<BotSummary>(await send(url, 'GET', '/v1/bots/compass'))).toMatchObject({
      settings: { head: 'mine' },
      head: { wanted: 'mine', serving: 'adapted', reason: expect.stringContaining(fingerprints.one) },
    });
    const { heads: list } = json<{ heads: HeadSummary[] }>(await send(url, 'GET', '/v1/heads'));
    expect(list.find(({ name }) => name === 'mine')).toMatchObject({ available: false });

    // While it serves.
    const refused = await use(`${folder}.former`, '--yes');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`process ${process.pid}`) });
    expect(await inPlace()).toBe('two');
    await process.end('SIGTERM');
    expect(embeddings()).toEqual({ one: TEXTS, two: TEXTS });
  });

  test('goes back at once, and embeds only what has come since', async () => {
    await fill();
    expect(await use(two, '--yes')).toMatchObject({ code: 0 });
    const store = await openSqliteStore(join(dataDir, 'kshot.db'));
    const late = { text: 'west', embedding: Float32Array.of(0, 1) };
    await store.addExamples('compass', 'north', [late], fingerprints.two);
    await store.close();
    const back = await use(`${folder}.former`);
    expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining('1 text embedded\n') });
    expect([await inPlace(), await inPlace(`${folder}.former`)]).toEqual(['one', 'two']);
    expect(embeddings()).toEqual({ one: TEXTS + 1, two: TEXTS + 1 });
  });

  test('twice is as once', async () => {
    await fill();
    await use(two, '--yes');
    const again = await use(two);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('0 texts embedded\n') });
    expect([await inPlace(), await inPlace(`${folder}.former`)]).toEqual(['two', 'one']);
    expect(embeddings()).toEqual({ one: TEXTS, two: TEXTS });
  });

  test('embeds the store that was left, and keeps what is needed to go back', async () => {
    await fill();
    // Which bots there are is not known.
    expect(await use(two, '--no-store')).toMatchObject({ code: 2 });
    expect(await use(two, '--no-store', '--yes')).toMatchObject({ code: 0 });
    expect([await inPlace(), embeddings()]).toEqual(['two', { one: TEXTS }]);
    const store = await use(two);
    expect(store).toMatchObject({ code: 0, stdout: expect.stringContaining(`${TEXTS} texts embedded\n`) });
    expect(embeddings()).toEqual({ one: TEXTS, two: TEXTS });
  });

  test('of a third one deletes the embeddings of the first', async () => {
    await fill();
    const third = writeTinyModel({ vectors: Array.from({ length: 8 }, (_, i) => [1, i] as const) });
    try {
      await use(two, '--yes');
      expect(await use(third, '--yes')).toMatchObject({ code: 0 });
      const { fingerprint } = await identifyEncoder(folder, 'cpu');
      expect(embeddings()).toEqual({ two: TEXTS, [fingerprint]: TEXTS });
    } finally {
      rmSync(third, { recursive: true });
    }
  });

  test('where bots would lose what they use, asks for --yes; a dry run only tells', async () => {
    await fill('mine');
    const refused = await use(two);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the head mine and the calibration would no longer fit; add --yes/),
    });
    const dry = await use(two, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing was changed') });
    expect([await inPlace(), embeddings()]).toEqual(['one', { one: TEXTS }]);
    expect(existsSync(`${folder}.former`)).toBe(false);
    expect(remnants()).toEqual([]);
  });

  test('where there is no store, makes none, and needs no --yes: there is no bot', async () => {
    const used = await use(two);
    expect(used).toMatchObject({ code: 0, stdout: expect.stringContaining('store   there is none\n') });
    expect(await inPlace()).toBe('two');
    expect(existsSync(dataDir)).toBe(false);
  });

  test('mends a folder that holds no encoder any longer', async () => {
    truncateSync(join(folder, 'tokenizer.json'), 10);
    expect(await use(one)).toMatchObject({ code: 0, stdout: expect.stringContaining('tokenizer.json') });
    expect(await inPlace()).toBe('one');
  });

  const broken: [string, (copy: string) => void, string][] = [
    ['that is not there', (copy) => rmSync(copy, { recursive: true }), 'there is no folder'],
    ['without weights', (copy) => rmSync(join(copy, 'onnx'), { recursive: true }), 'no weights'],
    ['with half the weights', (copy) => truncateSync(join(copy, 'onnx', 'model.onnx'), 40), 'model.onnx'],
    [
      'with a damaged tokenizer',
      (copy) => writeFileSync(join(copy, 'tokenizer.json'), '{"a'),
      'tokenizer.json',
    ],
  ];
  test.each(broken)('of a folder %s changes nothing', async (_, damage, words) => {
    await fill();
    const copy = join(place.folder(), 'broken');
    cpSync(two, copy, { recursive: true });
    damage(copy);
    expect(await use(copy, '--yes')).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
    expect([await inPlace(), embeddings()]).toEqual(['one', { one: TEXTS }]);
    expect(readdirSync(join(folder, '..')).sort()).toEqual(['encoder', 'store']);
  });

  test('that fails over a text leaves the former encoder and its embeddings', async () => {
    // This encoder has no direction for it.
    await fill(undefined, { ...INTENTS, odd: ['nowhere'] });
    const failed = await use(two, '--yes');
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('direction') });
    expect(await inPlace()).toBe('one');
    expect(embeddings()['one']).toBe(TEXTS + 2);
    expect(remnants()).toEqual([]);
  });

  test('killed while it embeds leaves the former encoder with its embeddings; another run goes on', async () => {
    const words = ['east', 'north', 'west east north', 'what'];
    const examples = Array.from({ length: 20_000 }, (_, i) => `${words[i % words.length]} x${i}`);
    await fill(undefined, { east: examples });
    const total = examples.length + 1;
    const flags = ['--yes', ...settings(), '--to', folder, '--data-dir', dataDir];
    const process = new Kshot(['encoder', 'use', two, ...flags]);
    while ((embeddings()['two'] ?? 0) === 0) await sleep(1);
    await process.end('SIGKILL');
    const { two: done = 0 } = embeddings();
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(total);
    expect([await inPlace(), embeddings()['one']]).toEqual(['one', total]);

    const { code, stdout } = await kshot(['encoder', 'use', two, ...flags]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${total - done} texts embedded\n`);
    expect([await inPlace(), await inPlace(`${folder}.former`)]).toEqual(['two', 'one']);
    expect(embeddings()).toEqual({ one: total, two: total });
    expect(remnants()).toEqual([]);
  });
});

test('a progress bar is shown on a terminal', async () => {
  await fill(undefined, { east: Array.from({ length: 300 }, (_, i) => `east ${i}`) });
  const flags = ['--yes', ...settings(), '--to', folder, '--data-dir', dataDir];
  const { stderr } = await run(['encoder', 'use', two, ...flags], { terminal: true });
  expect(stderr).toContain('Embedding the store anew');
});
