import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  Evaluation,
  EvaluationComparison,
  EvaluationSummary,
} from '../../src/classify/evaluationTypes.js';
import { openService } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { isOver } from '../../src/client/index.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import type { Jobs } from '../../src/jobs/jobs.js';
import type { JobSummary } from '../../src/jobs/jobTypes.js';
import { openJobs } from '../../src/jobs/openJobs.js';
import { evaluationsOnly } from '../../src/jobs/runners.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';
import { WordEncoder } from '../classify/wordEncoder.js';
import { harness, LIMITS, type Harness } from './harness.js';

// Evaluations as clients see them: the real service and store behind the API, which checks answers against their schemas.

const EVALUATIONS = '/v1/bots/bank/evaluations';
const CROSS = `${EVALUATIONS}/cross-validation`;
const TEST_SET = `${EVALUATIONS}/test-set`;
const CSV = { 'content-type': 'text/csv' };
const WRITER = 'writer-key-0123456789';
const READER = 'reader-key-0123456789';

let folder: string;
let service: ClassifyService;
let jobs: Jobs;
let h: Harness;

// One service for all tests: what its worker threads have compiled stays.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-evaluations-'));
  const store = await openSqliteStore(join(folder, 'kshot.db'));
  const warn = (message: string, error: unknown) => {
    throw new Error(`${message}: ${String(error)}`);
  };
  const opened = await openService({
    encoder: new WordEncoder(),
    store,
    maxTextChars: LIMITS.maxTextChars,
    calibration: bundledCalibration,
    warn,
  });
  service = opened;
  jobs = await openJobs(store, undefined, { warn });
  await jobs.begin(evaluationsOnly(opened));
  h = harness({ lifecycle: Lifecycle.of(service), jobs });
});
beforeEach(async () => {
  const examples = (...words: string[]) => words.map((word) => `${word} ${words[0]}`);
  await service.putIntents('bank', [
    { name: 'card_lost', examples: examples('card', 'lost', 'gone', 'stolen', 'missing') },
    { name: 'balance', examples: examples('balance', 'money', 'account', 'left', 'funds') },
  ]);
  await service.putCounterexamples('bank', ['weather today', 'the weather']);
});
afterEach(async () => {
  for (const { name } of await service.listBots()) await service.deleteBot(name);
});
afterAll(async () => {
  await jobs.close();
  await service.close();
  await rm(folder, { recursive: true });
});

async function over(id: number): Promise<Evaluation> {
  for (;;) {
    const answer = await h.send('get', `${EVALUATIONS}/${id}`);
    expect(answer.status).toBe(200);
    const evaluation = answer.body as Evaluation;
    if (isOver(evaluation)) return evaluation;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function begin(path: string, options: Parameters<Harness['send']>[2]): Promise<EvaluationSummary> {
  const answer = await h.send('post', path, options);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body as EvaluationSummary;
}

test('a cross-validation begins, is done, and is listed', async () => {
  const { id } = await begin(CROSS, { body: { folds: 2, seed: 1, name: 'first' } });
  const done = await over(id);
  expect(done).toMatchObject({ name: 'first', folds: 2, status: 'done', progress: { done: 12, total: 12 } });
  expect(done.measures!.thresholds).toHaveLength(101);
  const list = (await h.send('get', EVALUATIONS)).body as { evaluations: EvaluationSummary[] };
  expect(list.evaluations).toMatchObject([{ id, headline: { texts: 12 } }]);
});

test('a cross-validation is begun as a job, too, which shows how far it is', async () => {
  const body = { kind: 'evaluation', bot: 'bank', folds: 2, name: 'as a job' };
  const answer = await h.send('post', '/v1/jobs', { body });
  expect(answer.status).toBe(202);
  const { id } = answer.body as JobSummary;
  const list = (await h.send('get', EVALUATIONS)).body as { evaluations: EvaluationSummary[] };
  expect(list.evaluations).toMatchObject([{ job: id, name: 'as a job', folds: 2 }]);
  const done = await over(list.evaluations[0]!.id);
  let job = (await h.send('get', `/v1/jobs/${id}`)).body as JobSummary;
  while (!isOver(job)) job = (await h.send('get', `/v1/jobs/${id}`)).body as JobSummary;
  expect(job).toMatchObject({
    kind: 'evaluation',
    bot: 'bank',
    status: 'done',
    input: { evaluation: 'cross-validation', folds: 2, seed: 0, name: 'as a job', version: null },
    progress: { done: 12, total: 12 },
    result: { evaluation: done.id, texts: 12 },
  });
});

test('a test set is any file that an import takes, and its counter-examples are out of scope', async () => {
  const body = 'intent,text\nbalance,money left\n__counterexample__,weather\n';
  const csv = await begin(`${TEST_SET}?name=held%20out`, { body, headers: CSV });
  expect(csv).toMatchObject({ name: 'held out', kind: 'test-set', folds: null });
  const lines = '{"intent":"balance","text":"money"}\n{"intent":"card_lost","text":"lost"}\n';
  const type = { 'content-type': 'application/x-ndjson' };
  const jsonl = await begin(`${TEST_SET}?format=jsonl`, { body: lines, headers: type });
  expect((await over(jsonl.id)).rows.map(({ expected }) => expected)).toEqual(['balance', 'card_lost']);
  expect(await over(csv.id)).toMatchObject({ status: 'done' });
});

test('a version is judged under its own name or an alias of it', async () => {
  await service.saveVersion('bank', 'v1', null);
  await service.putAlias('bank', 'production', 'v1');
  await service.deleteIntent('bank', 'balance');
  const file = { body: 'intent,text\nbalance,money left\n', headers: CSV };
  const version = await begin(`${TEST_SET}?version=production`, file);
  expect(version).toMatchObject({ version: 'v1' });
  expect((await over(version.id)).rows).toMatchObject([{ best: 'balance' }]);
  expect(await begin(CROSS, { body: { version: 'v1' } })).toMatchObject({ version: 'v1' });
  expect(await h.send('post', CROSS, { body: { version: 'v2' } })).toMatchObject({
    status: 404,
    body: { code: 'unknown_version' },
  });
});

test('what a change has mended is seen in a comparison', async () => {
  const file = { body: 'intent,text\nbalance,how rich am i\n', headers: CSV };
  const first = await begin(TEST_SET, file);
  expect((await over(first.id)).rows[0]!.answered).toBeNull();
  expect(await h.send('get', `${EVALUATIONS}/${first.id}/comparison`)).toMatchObject({
    status: 409,
    body: { code: 'nothing_to_compare' },
  });
  await service.addExamples('bank', 'balance', ['how rich am i']);
  const second = await begin(TEST_SET, file);
  await over(second.id);
  const answer = await h.send('get', `${EVALUATIONS}/${second.id}/comparison`);
  expect(answer.body as EvaluationComparison).toMatchObject({
    bot: 'bank',
    with: { id: first.id },
    fixed: [{ text: 'how rich am i', before: null, now: 'balance' }],
  });
  const named = await h.send('get', `${EVALUATIONS}/${first.id}/comparison?with=${second.id}`);
  expect(named.body).toMatchObject({ broken: [{ text: 'how rich am i' }] });
});

test('one that runs is cancelled, one that is over is deleted', async () => {
  const { id } = await begin(CROSS, { body: {} });
  const remove = () => h.send('delete', `${EVALUATIONS}/${id}`);
  expect((await remove()).body).toEqual({ bot: 'bank', evaluation: id, deleted: true });
  expect((await over(id)).status).toBe('cancelled');
  expect((await remove()).status).toBe(200);
  expect(await remove()).toMatchObject({ status: 404, body: { code: 'unknown_evaluation' } });
});

describe('what cannot be is refused', () => {
  test.each([
    ['too few folds', { folds: 1 }, ['folds']],
    ['too many folds', { folds: 11 }, ['folds']],
    ['half a fold', { folds: 2.5 }, ['folds']],
    ['a seed that is none', { seed: 'x' }, ['seed']],
    ['an empty name', { name: ' ' }, ['name']],
    ['a long name', { name: 'x'.repeat(129) }, ['name']],
    ['an unknown field', { fold: 3 }, ['fold']],
  ])('%s', async (_, body, fields) => {
    const answer = await h.send('post', CROSS, { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    const { errors } = answer.body as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(fields);
  });

  test.each([
    ['no bot', '/v1/bots/nobody/evaluations/cross-validation', { body: {} }, 404, 'unknown_bot'],
    ['no file', TEST_SET, { body: 'what is this', headers: CSV }, 400, 'invalid_file'],
    [
      'a name that no intent can have',
      TEST_SET,
      { body: 'intent,text\n.,x\n', headers: CSV },
      400,
      'invalid_request',
    ],
    ['JSON of nothing', TEST_SET, { body: {} }, 400, 'invalid_file'],
    ['a plain text', TEST_SET, { body: 'x', headers: { 'content-type': 'text/plain' } }, 415, undefined],
    ['an unknown parameter', `${TEST_SET}?nmae=x`, { body: 'x', headers: CSV }, 400, 'invalid_request'],
  ])('%s', async (_, path, options, status, code) => {
    const answer = await h.send('post', path, options);
    expect(answer).toMatchObject({ status, body: code === undefined ? {} : { code } });
    if (path.includes('bank')) {
      expect((await h.send('get', EVALUATIONS)).body).toEqual({ evaluations: [] });
    }
  });

  test.each([
    ['get', `${EVALUATIONS}/1`, 404],
    ['get', `${EVALUATIONS}/x`, 400],
    ['get', `${EVALUATIONS}/1/comparison`, 404],
    ['get', `${EVALUATIONS}/1/comparison?with=-1`, 400],
    ['delete', `${EVALUATIONS}/1`, 404],
    ['get', '/v1/bots/nobody/evaluations', 404],
  ] as const)('%s %s', async (method, path, status) => {
    expect((await h.send(method, path)).status).toBe(status);
  });

  test('a bot without examples', async () => {
    await service.putBot('empty', {});
    const answer = await h.send('post', '/v1/bots/empty/evaluations/cross-validation', { body: {} });
    expect(answer).toMatchObject({ status: 409, body: { code: 'nothing_to_evaluate' } });
  });
});

test('a key that may only read sees how good the bot is, but no texts', async () => {
  const { id } = await begin(CROSS, { body: { folds: 2 } });
  await over(id);
  const guarded = harness({
    lifecycle: Lifecycle.of(service),
    keys: { readWrite: [WRITER], readOnly: [READER] },
  });
  const status = async (method: 'get' | 'post', path: string, key: string) =>
    (
      await guarded.send(method, path, {
        headers: { authorization: `Bearer ${key}` },
        ...(method === 'post' && { body: {} }),
      })
    ).status;
  expect(await status('get', EVALUATIONS, READER)).toBe(200);
  expect(await status('get', `${EVALUATIONS}/${id}`, READER)).toBe(403);
  expect(await status('get', `${EVALUATIONS}/${id}/comparison`, READER)).toBe(403);
  expect(await status('post', CROSS, READER)).toBe(403);
  expect(await status('get', `${EVALUATIONS}/${id}`, WRITER)).toBe(200);
  expect(await status('post', CROSS, WRITER)).toBe(202);
});
