import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { KshotError } from '../../src/errors.js';
import { embeddingInput, embeddingRunner } from '../../src/jobs/embedding.js';
import type { JobRun } from '../../src/jobs/jobRun.js';
import type { ChangeFeed } from '../../src/store/changeFeed.js';
import { openPostgresStore } from '../../src/store/postgres.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';
import { WordEncoder } from '../classify/wordEncoder.js';
import { describeOnPostgres, postgresPlace } from '../store/postgresServer.js';

const NEVER_MS = 3_600_000;
/** More than two slices, which are of 128; two texts stand for the intents. */
const TEXTS = 300;

let directory: string;
let service: ClassifyService;
let store: Store;
let feed: ChangeFeed | undefined;
let own: WordEncoder;
let opened: WordEncoder[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-embedding-'));
  for (const name of ['words-2', 'words-3'])
    mkdirSync(join(directory, 'encoders', name), { recursive: true });
  own = new WordEncoder('words-1');
  opened = [];
});
afterEach(async () => {
  await service.close();
  rmSync(directory, { recursive: true });
});

async function fill(given: Store, itsFeed?: ChangeFeed): Promise<void> {
  store = given;
  feed = itsFeed;
  service = await openService({
    encoder: own,
    store,
    ...(feed && { feed }),
    revisionTimeoutMs: 1000,
    maxTextChars: 200,
    calibration: bundledCalibration,
    warn: () => undefined,
  });
  const examples = Array.from({ length: TEXTS - 2 }, (_, i) => `text number ${i}`);
  await service.putIntents('bot', [
    { name: 'numbers', examples },
    { name: 'letters', examples: ['a b c'] },
  ]);
}

/** Embeds under the encoder of that name, which is its fingerprint. */
function embed(
  model: string | undefined,
  run: Partial<JobRun> = {},
  encoders: string | undefined = join(directory, 'encoders'),
) {
  const runner = embeddingRunner({
    encoder: own,
    store,
    feed,
    encoders,
    open: (folder) => {
      const encoder = new WordEncoder(folder.split('/').at(-1));
      opened.push(encoder);
      return Promise.resolve(encoder);
    },
  });
  const { signal } = new AbortController();
  return runner(embeddingInput.parse({ model }), { id: '1', signal, progress: () => undefined, ...run });
}

const missing = (fingerprint: string) => store.countMissingEmbeddings(fingerprint);

function embeddingOfAStore(): void {
  test('another encoder has all embeddings, and the first one stays in force', async () => {
    const total = await missing('words-2');
    expect(total).toBeGreaterThan(2 * 128);
    const told: [number, number][] = [];
    const result = await embed('words-2', { progress: (done, of) => told.push([done, of]) });
    expect(result).toEqual({
      encoder: 'words',
      fingerprint: 'words-2',
      embedded: total,
      seconds: expect.any(Number),
    });
    expect(told).toEqual([
      [128, total],
      [256, total],
      [total, total],
    ]);
    expect([await missing('words-1'), await missing('words-2')]).toEqual([0, 0]);
    expect(await service.classify('bot', ['text number 7'])).toMatchObject([{ intent: 'numbers' }]);

    // Of third ones, that nobody uses, nothing is kept.
    await embed('words-3');
    expect([await missing('words-1'), await missing('words-2'), await missing('words-3')]).toEqual([
      0,
      total,
      0,
    ]);
  });

  test('aborted between two slices it is gone on with', async () => {
    const total = await missing('words-2');
    const stop = new AbortController();
    const reason = new KshotError('cancelled', 'the job was cancelled');
    await expect(embed('words-2', { signal: stop.signal, progress: () => stop.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(await missing('words-2')).toBe(total - 128);
    expect(await missing('words-1')).toBe(0);
    expect(await embed('words-2')).toMatchObject({ embedded: total - 128 });
    expect(opened.map(({ seen }) => seen.length)).toEqual([128, total - 128]);
  });

  test("the server's own encoder lacks nothing, and what was made ready for another is kept", async () => {
    await embed('words-2');
    expect(await embed(undefined)).toMatchObject({ fingerprint: 'words-1', embedded: 0 });
    expect(await missing('words-2')).toBe(0);
  });
}

describe('a store of its own', () => {
  beforeEach(async () => fill(await openSqliteStore(join(directory, 'kshot.db'))));

  embeddingOfAStore();

  test.each(['../words-2', '/tmp', 'a/../../b', ''])('"%s" is no name of an encoder', (model) => {
    expect(embeddingInput.safeParse({ model }).success).toBe(false);
  });

  test('without --encoders it says so; an encoder that is not there is named', async () => {
    const runner = embeddingRunner({
      encoder: own,
      store,
      feed,
      encoders: undefined,
      open: () => Promise.reject(new Error()),
    });
    const run = { id: '1', signal: new AbortController().signal, progress: () => undefined };
    await expect(runner({ model: 'words-2' }, run)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('--encoders (KSHOT_ENCODERS)'),
    });
    await expect(embed('words-4')).rejects.toMatchObject({
      code: 'encoder_unavailable',
      message: expect.stringContaining('"words-4"'),
    });
  });
});

const place = postgresPlace();

describeOnPostgres('a store in PostgreSQL', () => {
  beforeEach(async () => {
    const { url } = await place.schema();
    const postgres = await openPostgresStore({ url, connections: 3, checkEveryMs: NEVER_MS });
    await fill(postgres, postgres);
  });

  embeddingOfAStore();

  test('aborted while another process embeds, it does not wait for that', async () => {
    const stop = new AbortController();
    const hasTurn = new EventTarget();
    const other = feed!.exclusively(
      async () => {
        hasTurn.dispatchEvent(new Event('has'));
        await once(stop.signal, 'abort');
        // The one that waits has been told to end before the turn is given back.
        await expect(waiting).rejects.toBe(reason);
      },
      () => undefined,
    );
    await once(hasTurn, 'has');
    const reason = new KshotError('cancelled', 'the job was cancelled');
    const waiting = embed('words-2', { signal: stop.signal });
    stop.abort(reason);
    await other;
    expect(await missing('words-2')).toBeGreaterThan(0);
  });
});
