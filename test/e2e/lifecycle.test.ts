import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import type { ClassifyResult } from '../../src/classify/service.js';
import { classify, json, metric, problemOf, putIntent, send, settled } from './api.js';
import { DEMO, readHeldOut } from './demoBot.js';
import type { Server } from './kshot.js';
import { workplace } from './workplace.js';

const ENCODER = fileURLToPath(new URL('../../../models/encoder', import.meta.url));
/** Names a folder with an encoder of another kind, in the transformers.js layout; without it the test is skipped. */
const OTHER_ENCODER = process.env['KSHOT_TEST_ENCODER'];

const place = workplace();

describe('starting', () => {
  test('is alive at once, ready when it can answer', async () => {
    const dataDir = join(place.folder(), 'store');
    const server = place.launch(dataDir);
    const url = await announced(dataDir);

    // The encoder takes longer to load than a probe to be answered.
    const early = await send(url, 'GET', '/readyz');
    expect(early).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect(problemOf(early).code).toBe('not_ready');
    const tooEarly = await send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body: { text: 'hello' } });
    expect(problemOf(tooEarly)).toMatchObject({ status: 503, code: 'not_ready' });
    expect(json(await send(url, 'GET', '/healthz'))).toMatchObject({ status: 'ok' });

    await server.logged('ready');
    expect(json(await send(url, 'GET', '/readyz'))).toEqual({ status: 'ready' });
    expect(await classify(url, DEMO, ['i lost my card'])).toMatchObject([{ intent: 'card_lost' }]);
  });

  const dataDir = join(place.folder(), 'store');
  let running: Promise<Server> | undefined;
  const first = () => (running ??= place.serve(dataDir, ['--no-demo']));

  test('a second server on the same data folder is refused, and the first one goes on', async () => {
    const { process, url } = await first();
    const second = await place.launch(dataDir).exited;
    expect(second.code).toBe(1);
    const [last] = second.stderr.trimEnd().split('\n').slice(-1);
    expect(last).toMatch(/^kshot: /);
    expect(last).toContain(`process ${process.pid}`);
    expect(last).toContain(url);
    expect(json(await send(url, 'GET', '/readyz'))).toEqual({ status: 'ready' });
  });

  test.each([
    ['a port in use', (port: string) => ['--port', port], 2, 'another program listens there'],
    ['a setting that is wrong', () => ['--max-texts', 'many'], 2, '--max-texts'],
    ['a queue that the largest request never fits', () => ['--max-queued-texts', '5'], 2, '--max-texts'],
    ['an encoder that is not there', () => ['--model', '/no/such/model'], 1, '/no/such/model'],
  ])('with %s ends at once and says why', async (_, flags, code, words) => {
    const { url } = await first();
    const exit = await place.launch(join(place.folder(), 'store'), flags(new URL(url).port)).exited;
    expect(exit.code).toBe(code);
    const [last] = exit.stderr.trimEnd().split('\n').slice(-1);
    expect(last).toMatch(/^kshot: /);
    expect(last).toContain(words);
  });
});

test('a server writes nothing but its data folder, and tells nobody that it runs', async () => {
  const home = place.folder();
  const dataDir = join(place.folder(), 'store');
  // CI is what some libraries take for a reason to be quiet.
  const env = { HOME: home, XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined, CI: undefined };
  const { process, url } = await place.serve(dataDir, [], env);
  expect(await classify(url, DEMO, ['i lost my card'])).toHaveLength(1);
  await process.end('SIGTERM');
  // onnxruntime's telemetry leaves its device id and its queue here.
  expect(readdirSync(home)).toEqual([]);
  expect(readdirSync(dataDir).sort()).toEqual(['kshot.db', 'kshot.db.lock']);
});

describe('stopping', () => {
  test('finishes what was accepted, takes nothing new, and exits with 0', async () => {
    const dataDir = await place.demoStore();
    // The write finds room behind the batch, however slow the machine is.
    const { process, url } = await place.serve(dataDir, ['--max-queue-ms', '100000']);
    // An idle connection that is kept alive must hold nothing up.
    const agent = new Agent({ keepAlive: true });
    json(await send(url, 'GET', '/healthz', { agent }));

    const words = 'and then went to the branch in the high street where nobody could help me either';
    const texts = Array.from({ length: 200 }, (_, n) => `complaint ${n}: i lost my card ${words}`);
    const batch = send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body: { texts } });
    while ((await metric(url, 'kshot_encoder_queued_texts')) === 0) await sleep(5);
    const write = putIntent(url, DEMO, 'complaint', ['i want to complain']);
    let isWritten = false; // its one text may share an early pass with some of the batch
    void write.finally(() => (isWritten = true));
    while (!isWritten && (await metric(url, 'kshot_http_requests_in_flight')) < 3) await sleep(5);

    const exit = process.end('SIGTERM');
    await process.logged('stopping');
    const late = send(url, 'GET', '/readyz').then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    // Reset: it was in the system's queue when that was closed.
    expect(['ECONNREFUSED', 'ECONNRESET', 503]).toContain(await late);

    const { results } = json<{ results: ClassifyResult[] }>(await batch);
    expect(results.map(({ text }) => text)).toEqual(texts);
    await write;
    const { code, stderr } = await exit;
    expect(code).toBe(0);
    expect(process.log.at(-1)).toMatchObject({ msg: 'stopped' });
    expect(stderr).not.toContain('"level":50');
    agent.destroy();

    expect(existsSync(join(dataDir, 'kshot.db.owner.json'))).toBe(false);
    const again = await place.serve(dataDir);
    expect(json(await send(again.url, 'GET', `/v1/bots/${DEMO}/intents/complaint`))).toMatchObject({
      examples: [{ text: 'i want to complain' }],
    });
  });

  test('Ctrl-C does the same', async () => {
    const { process } = await place.serve(join(place.folder(), 'store'), ['--no-demo']);
    expect(await process.end('SIGINT')).toMatchObject({ code: 0 });
  });
});

describe('another encoder', () => {
  test('embeds the store anew at start, and answers alike where it differs in the longest text alone', async () => {
    const model = join(place.folder(), 'encoder');
    mkdirSync(model);
    for (const file of ['config.json', 'tokenizer.json']) cpSync(join(ENCODER, file), join(model, file));
    symlinkSync(join(ENCODER, 'onnx'), join(model, 'onnx'));
    const config = JSON.parse(readFileSync(join(ENCODER, 'tokenizer_config.json'), 'utf8')) as object;
    writeFileSync(join(model, 'tokenizer_config.json'), JSON.stringify({ ...config, model_max_length: 100 }));

    const { before, after, fingerprints } = await answersBeforeAndAfter(model);
    expect(fingerprints).toHaveLength(2);
    expect(fingerprints[0]).not.toBe(fingerprints[1]);
    expect(after).toEqual(before);
  });

  const testOther = OTHER_ENCODER === undefined ? test.skip : test;
  testOther('of another kind answers nearly alike (skipped without KSHOT_TEST_ENCODER)', async () => {
    const { before, after, fingerprints } = await answersBeforeAndAfter(OTHER_ENCODER ?? '');
    expect(new Set(fingerprints).size).toBe(2);
    const same = after.filter(({ ranking }, i) => ranking[0]?.intent === before[i]?.ranking[0]?.intent);
    expect(same.length).toBeGreaterThan(0.7 * before.length);
  });

  /** What one store answers by the shipped encoder and by another, and the fingerprints that its embeddings have. */
  async function answersBeforeAndAfter(model: string) {
    const dataDir = join(place.folder(), 'store');
    const texts = (await readHeldOut()).inScope.map(({ text }) => text);
    const answers = async (...flags: string[]) => {
      const { process, url } = await place.serve(dataDir, flags);
      await settled(url);
      const results = await classify(url, DEMO, texts);
      await process.end('SIGTERM');
      return results;
    };
    // Without trained heads, which answer for their own encoder alone.
    const heads = place.folder();
    const before = await answers('--heads', heads);
    const fingerprints = fingerprintsIn(dataDir);
    const after = await answers('--heads', heads, '--model', model);
    return { before, after, fingerprints: [...fingerprints, ...fingerprintsIn(dataDir)] };
  }
});

/** Where a server listens that may not be ready yet, as it tells other processes. */
async function announced(dataDir: string): Promise<string> {
  const file = join(dataDir, 'kshot.db.owner.json');
  for (;;) {
    const owner = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { url?: string }) : {};
    if (owner.url !== undefined) return owner.url;
    await sleep(2);
  }
}

/** Of the encoders by which every text of a store is embedded. */
function fingerprintsIn(dataDir: string): string[] {
  const db = new Database(join(dataDir, 'kshot.db'), { readonly: true });
  try {
    return db
      .prepare<[], string>(
        `SELECT fingerprint FROM encoders JOIN embeddings ON encoder_id = encoders.id
          GROUP BY fingerprint HAVING count(*) = (SELECT count(*) FROM texts)`,
      )
      .pluck()
      .all();
  } finally {
    db.close();
  }
}
