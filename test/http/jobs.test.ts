import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { isOver } from '../../src/client/index.js';
import type { Jobs } from '../../src/jobs/jobs.js';
import type { JobSummary } from '../../src/jobs/jobTypes.js';
import { openJobs } from '../../src/jobs/openJobs.js';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite.js';
import { harness, type Harness, type SendOptions } from './harness.js';

// Jobs as clients see them; what is done is the test's own.

const ADMIN = 'admin-key-0123456789';
const READER = 'reader-key-0123456789';
const TRAINING = {
  kind: 'training',
  name: 'mine',
  config: { head: 'projected', data: [{ set: 'clinc150' }] },
};

let store: SqliteStore;
let jobs: Jobs;
let h: Harness;

beforeEach(async () => {
  store = await openSqliteStore(':memory:');
  jobs = await openJobs(store, undefined, {
    warn: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  h = harness({ jobs, keys: { readWrite: [ADMIN], readOnly: [READER] } });
});
afterEach(async () => {
  await jobs.close();
  await store.close();
});

const as = (key: string, body?: unknown): SendOptions => ({
  headers: { authorization: `Bearer ${key}` },
  ...(body !== undefined && { body }),
});

async function start(body: unknown): Promise<JobSummary> {
  const answer = await h.send('post', '/v1/jobs', as(ADMIN, body));
  expect(answer.status).toBe(202);
  const job = answer.body as JobSummary;
  expect(answer.headers['location']).toBe(`/v1/jobs/${job.id}`);
  return job;
}

async function listed(query = '', key = ADMIN): Promise<number[]> {
  const answer = await h.send('get', `/v1/jobs${query}`, as(key));
  expect(answer.status).toBe(200);
  return (answer.body as { jobs: JobSummary[] }).jobs.map(({ id }) => id);
}

/** A key for the bot `bank` alone. */
async function bankKey(access: 'read' | 'write'): Promise<string> {
  const body = { name: 'bank', access, bots: ['bank'] };
  const answer = await h.send('post', '/v1/keys', as(ADMIN, body));
  expect(answer.status).toBe(201);
  return (answer.body as { secret: string }).secret;
}

test('a job waits, is run with what it was asked for, and shows what came of it', async () => {
  const job = await start(TRAINING);
  const { kind, ...input } = TRAINING;
  expect(job).toMatchObject({ kind, bot: null, status: 'queued', input, attempts: 0, result: null });
  await jobs.begin({ training: ({ name }: { readonly name: string }) => Promise.resolve({ head: name }) });
  let seen = job;
  while (!isOver(seen)) {
    await sleep(5);
    seen = (await h.send('get', `/v1/jobs/${job.id}`, as(READER, undefined))).body as JobSummary;
  }
  expect(seen).toMatchObject({ status: 'done', result: { head: 'mine' }, attempts: 1, error: null });
});

test('jobs are listed newest first, by kind and status; cancelled, then removed', async () => {
  const training = await start(TRAINING);
  const embedding = await start({ kind: 'embedding' });
  expect(await listed()).toEqual([embedding.id, training.id]);
  expect(await listed('?kind=training')).toEqual([training.id]);
  expect(await listed('?status=done')).toEqual([]);
  const remove = () => h.send('delete', `/v1/jobs/${training.id}`, as(ADMIN));
  expect((await remove()).body).toEqual({ job: training.id, outcome: 'cancelled' });
  expect(await listed('?status=cancelled')).toEqual([training.id]);
  expect((await remove()).body).toEqual({ job: training.id, outcome: 'removed' });
  expect(await remove()).toMatchObject({ status: 404, body: { code: 'unknown_job' } });
});

describe('what cannot be is refused', () => {
  test.each([
    ['no kind', {}, 'kind'],
    ['an unknown kind', { kind: 'cooking' }, 'kind'],
    ['a field too many', { kind: 'embedding', why: 'not' }, 'why'],
    ['a head without a name', { ...TRAINING, name: undefined }, 'name'],
    ['a wrong configuration', { ...TRAINING, config: { head: 'projected' } }, 'config.data'],
    ['an evaluation without a bot', { kind: 'evaluation' }, 'bot'],
    ['too many folds', { kind: 'evaluation', bot: 'bank', folds: 99 }, 'folds'],
  ])('%s', async (_, body, field) => {
    const answer = await h.send('post', '/v1/jobs', as(ADMIN, body));
    expect(answer.status).toBe(400);
    const { errors } = answer.body as { errors: { field: string }[] };
    expect(errors.map((error) => error.field)).toContain(field);
    expect(await listed()).toEqual([]);
  });

  test('a status that is none, and a bot that is not there', async () => {
    expect((await h.send('get', '/v1/jobs?status=asleep', as(ADMIN))).status).toBe(400);
    const unknown = await h.send('post', '/v1/jobs', as(ADMIN, { kind: 'evaluation', bot: 'nobody' }));
    expect(unknown).toMatchObject({ status: 404, body: { code: 'unknown_bot' } });
  });
});

describe('a key', () => {
  const code = async (method: 'get' | 'post' | 'delete', path: string, options: SendOptions) => {
    const { status, body } = await h.send(method, path, options);
    return [status, (body as { code?: string }).code];
  };

  test('that may only read begins and cancels none', async () => {
    const { id } = await start(TRAINING);
    expect(await code('post', '/v1/jobs', as(READER, TRAINING))).toEqual([403, 'forbidden']);
    expect(await code('delete', `/v1/jobs/${id}`, as(READER))).toEqual([403, 'forbidden']);
    expect(await listed('', READER)).toEqual([id]);
  });

  test('for some bots sees and begins what is about these alone', async () => {
    const mine = { kind: 'evaluation', bot: 'bank', input: {}, mostOpen: 9 };
    const [own, other] = [await store.addJob(mine), await store.addJob({ ...mine, bot: 'shop' })];
    const training = await start(TRAINING);
    const key = await bankKey('write');
    expect(await listed('', key)).toEqual([own.id]);
    expect(await code('get', `/v1/jobs/${own.id}`, as(key))).toEqual([200, undefined]);
    for (const { id } of [other, training]) {
      expect(await code('get', `/v1/jobs/${id}`, as(key))).toEqual([403, 'forbidden']);
      expect(await code('delete', `/v1/jobs/${id}`, as(key))).toEqual([403, 'forbidden']);
    }
    expect(await code('post', '/v1/jobs', as(key, TRAINING))).toEqual([403, 'forbidden']);
    expect(await code('post', '/v1/jobs', as(key, { kind: 'evaluation', bot: 'shop' }))).toEqual([
      403,
      'forbidden',
    ]);
    expect(await code('delete', `/v1/jobs/${own.id}`, as(key))).toEqual([200, undefined]);
  });
});

test('a worker answers those who watch over it, and nobody else', async () => {
  const { app } = harness({ jobs, isWorker: true });
  const statusOf = async (path: string) => (await request(app).get(path)).status;
  expect(await Promise.all(['/healthz', '/readyz', '/metrics'].map(statusOf))).toEqual([200, 200, 200]);
  expect(await Promise.all(['/v1/jobs', '/v1/bots', '/', '/docs'].map(statusOf))).toEqual([
    404, 404, 404, 404,
  ]);
});
