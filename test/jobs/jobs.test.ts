import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { isOver } from '../../src/client/index.js';
import { KshotError } from '../../src/errors.js';
import type { JobRun } from '../../src/jobs/jobRun.js';
import type { JobRunners, Jobs } from '../../src/jobs/jobs.js';
import type { JobSummary } from '../../src/jobs/jobTypes.js';
import { queueSchemaOf } from '../../src/store/postgres.js';
import { spawnScript } from '../store/child.js';
import { describeOnPostgres, postgresPlace, SERVER_ADDRESS } from '../store/postgresServer.js';
import { TcpProxy } from '../store/tcpProxy.js';
import { temporaryDirectories } from '../store/temporary.js';
import { endless, type JobsBench, openBench } from './jobsBench.js';

const place = postgresPlace();
const temporaryDirectory = temporaryDirectories();
const opened: JobsBench[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((bench) => bench.close()));
});

async function open(...asked: Parameters<typeof openBench>): Promise<JobsBench> {
  const bench = await openBench(...asked);
  opened.push(bench);
  return bench;
}

async function close(bench: JobsBench): Promise<void> {
  opened.splice(opened.indexOf(bench), 1);
  await bench.close();
}

/** Looks until it is so. */
async function until(jobs: Jobs, id: number, isSo: (job: JobSummary) => boolean): Promise<JobSummary> {
  for (;;) {
    const job = await jobs.get(id);
    if (isSo(job)) return job;
    await sleep(10);
  }
}
const over = (jobs: Jobs, { id }: JobSummary) => until(jobs, id, isOver);

/** A runner that goes on until it is told to stop, and the first run that it has. */
function held() {
  let began: (run: JobRun) => void = () => undefined;
  const first = new Promise<JobRun>((resolve) => (began = resolve));
  return { runner: endless((run) => began(run)), first };
}

const double: JobRunners = {
  work: ({ number }: { readonly number: number }, run) => {
    run.progress(1, 1);
    return Promise.resolve({ doubled: 2 * number });
  },
};

function describeJobs(name: string, locate: () => Promise<string>): void {
  describe(`${name}: jobs`, () => {
    test('are run in their order, and give what came of them', async () => {
      const { jobs } = await open(await locate());
      const order: number[] = [];
      await jobs.begin({
        work: ({ number }: { readonly number: number }) => {
          order.push(number);
          return Promise.resolve({ number });
        },
      });
      const started: JobSummary[] = [];
      for (const number of [1, 2, 3]) started.push(await jobs.start('work', { number }));
      for (const [at, job] of started.entries()) {
        expect(await over(jobs, job)).toMatchObject({
          status: 'done',
          result: { number: at + 1 },
          attempts: 1,
          error: null,
        });
      }
      expect(order).toEqual([1, 2, 3]);
    });

    test('wait for whoever runs them', async () => {
      const location = await locate();
      const first = await open(location);
      await first.jobs.begin({});
      const job = await first.jobs.start('work', { number: 21 });
      if (!location.startsWith('postgres:')) await close(first);
      const { jobs } = await open(location);
      expect(await jobs.get(job.id)).toMatchObject({ status: 'queued' });
      await jobs.begin(double);
      expect(await over(jobs, job)).toMatchObject({
        status: 'done',
        progress: { done: 1, total: 1 },
        result: { doubled: 42 },
      });
    });

    test('that fail say why, and the log has what was not foreseen', async () => {
      const warnings: unknown[] = [];
      const { jobs } = await open(await locate(), {
        warn: (message, error) => warnings.push(message, error),
      });
      const fault = new TypeError('x is not a function');
      await jobs.begin({
        work: ({ number }: { readonly number: number }) =>
          Promise.reject(number === 1 ? new KshotError('invalid_file', 'row 3: no text') : fault),
      });
      const [refused, broken] = [
        await jobs.start('work', { number: 1 }),
        await jobs.start('work', { number: 2 }),
      ];
      expect(await over(jobs, refused)).toMatchObject({ status: 'failed', error: 'row 3: no text' });
      expect(await over(jobs, broken)).toMatchObject({
        status: 'failed',
        error: "it failed for a reason that the server's log has: x is not a function",
      });
      expect(warnings).toEqual([`job ${broken.id}, work, has failed`, fault]);
    });

    test('are cancelled while they wait, and while they run', async () => {
      const { jobs } = await open(await locate());
      const { runner, first } = held();
      await jobs.begin({ work: runner });
      const runs = await jobs.start('work', { number: 1 });
      const waits = await jobs.start('work', { number: 2 });
      const run = await first;
      await until(jobs, runs.id, ({ progress }) => progress.done === 1);
      expect(await jobs.delete(waits.id)).toBe('cancelled');
      expect(await jobs.delete(runs.id)).toBe('cancelled');
      while (!run.signal.aborted) await sleep(5);
      expect(run.signal.reason).toMatchObject({ code: 'cancelled' });
      expect((await jobs.list()).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
      expect(await jobs.delete(runs.id)).toBe('removed');
      await expect(jobs.delete(runs.id)).rejects.toMatchObject({ code: 'unknown_job' });
    });

    test('of one lane are run one at a time, of two beside each other', async () => {
      const { jobs } = await open(await locate());
      const [light, training] = [held(), held()];
      await jobs.begin({ ...double, other: light.runner, training: training.runner });
      const other = await jobs.start('other', {});
      await light.first;
      const work = await jobs.start('work', { number: 1 });
      await jobs.start('training', {});
      await training.first;
      expect(await jobs.get(work.id)).toMatchObject({ status: 'queued' });
      await jobs.delete(other.id);
      expect(await over(jobs, work)).toMatchObject({ status: 'done' });
    });

    test('are given back by a process that stops, which is no attempt', async () => {
      const location = await locate();
      const first = await open(location);
      const { runner, first: begun } = held();
      await first.jobs.begin({ work: runner });
      const job = await first.jobs.start('work', { number: 4 });
      const { signal } = await begun;
      await close(first);
      expect(signal.reason).toMatchObject({ code: 'not_ready' });
      const { jobs } = await open(location);
      expect(await jobs.get(job.id)).toMatchObject({ status: 'queued', attempts: 0 });
      await jobs.begin(double);
      expect(await over(jobs, job)).toMatchObject({ status: 'done', result: { doubled: 8 }, attempts: 1 });
    });

    test('of a process that was killed are run by another', async () => {
      const location = await locate();
      const before = await open(location);
      const job = await before.jobs.start('work', { number: 5 });
      const isShared = location.startsWith('postgres:');
      if (!isShared) await close(before);
      const child = spawnScript('../jobs/worker', [location]);
      expect((await child.lines.next()).value).toBe(String(job.id));
      await child.kill();
      const { jobs } = isShared ? before : await open(location);
      expect(await jobs.get(job.id)).toMatchObject({ status: 'running', attempts: 1 });
      await jobs.begin(double);
      expect(await over(jobs, job)).toMatchObject({ status: 'done', result: { doubled: 10 }, attempts: 2 });
    });

    test('that took their processes with them too often have failed', async () => {
      const { jobs, store } = await open(await locate());
      const { id } = await jobs.start('work', { number: 1 });
      for (let attempt = 1; attempt <= 3; attempt++) {
        await store.takeJob(id, `process ${attempt}`);
        if (attempt < 3) await store.takeJobsBack(0, 3, 'died');
      }
      await jobs.begin(double);
      expect(await until(jobs, id, isOver)).toMatchObject({
        status: 'failed',
        attempts: 3,
        error: 'the process that ran it ended, or could not reach the store, 3 times',
      });
    });

    test('are counted by kind, and what ended here is told', async () => {
      const ended: string[] = [];
      const observer = { jobEnded: (kind: string, outcome: string) => ended.push(`${kind} ${outcome}`) };
      const { jobs } = await open(await locate(), { observer });
      const { runner, first } = held();
      await jobs.begin({ other: runner });
      const job = await jobs.start('other', {});
      await first;
      await jobs.start('other', {});
      await expect(jobs.start('other', {})).rejects.toMatchObject({ code: 'overloaded' });
      const counts = () => jobs.stats().find(({ kind }) => kind === 'other')!;
      while (counts().running + counts().queued < 2) await sleep(5);
      expect(counts()).toMatchObject({ running: 1, queued: 1 });
      expect(counts().waitedMs).toBeGreaterThan(0);
      await jobs.delete(job.id);
      while (ended.length === 0) await sleep(5);
      expect(ended).toEqual(['other given_up']);
    });
  });
}

describeJobs('in a SQLite file', () => Promise.resolve(join(temporaryDirectory(), 'kshot.db')));

describeOnPostgres('on PostgreSQL', () => {
  const locate = async () => (await place.schema()).url;
  describeJobs('of several processes', locate);

  test('find their queues made once by those that begin at the same time', async () => {
    const location = await locate();
    const benches = await Promise.all(Array.from({ length: 4 }, () => open(location)));
    const job = await benches[0]!.jobs.start('work', { number: 3 });
    await benches[3]!.jobs.begin(double);
    expect(await over(benches[1]!.jobs, job)).toMatchObject({ status: 'done', result: { doubled: 6 } });
  });

  test('are shared: each is run once, wherever it was asked for', async () => {
    const location = await locate();
    const runs: string[] = [];
    const runner =
      (process: string) =>
      ({ number }: { readonly number: number }) => {
        runs.push(`${number}`);
        return Promise.resolve({ process });
      };
    const [a, b] = [await open(location), await open(location)];
    await a.jobs.begin({ work: runner('a') });
    await b.jobs.begin({ work: runner('b') });
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    const started = await Promise.all(
      numbers.map((number) => (number % 2 === 0 ? a : b).jobs.start('work', { number })),
    );
    for (const job of started) expect(await over(a.jobs, job)).toMatchObject({ status: 'done', attempts: 1 });
    expect(runs.map(Number).sort((x, y) => x - y)).toEqual(numbers);
  });

  test('that run elsewhere are seen and cancelled, at once by a notification', async () => {
    const location = await locate();
    const never = 3_600_000;
    const times = { heartbeatMs: never, staleMs: never, lookMs: never };
    const [a, b] = [await open(location, { times }), await open(location, { times })];
    const { runner, first } = held();
    await a.jobs.begin({});
    await b.jobs.begin({ work: runner });
    const job = await a.jobs.start('work', { number: 1 });
    const { signal } = await first;
    expect(await a.jobs.get(job.id)).toMatchObject({ status: 'running' });
    await a.jobs.delete(job.id);
    while (!signal.aborted) await sleep(5);
    expect(signal.reason).toMatchObject({ code: 'cancelled' });
  });

  test('that another process has taken over stop', async () => {
    const { jobs, store } = await open(await locate());
    const { runner, first } = held();
    await jobs.begin({ work: runner });
    const { id } = await jobs.start('work', { number: 1 });
    const { signal } = await first;
    await store.takeJobsBack(0, 3, 'silent');
    while (!signal.aborted) await sleep(5);
    expect(signal.reason).toMatchObject({ code: 'not_ready', message: expect.stringContaining('taken') });
    await until(jobs, id, ({ status, attempts }) => status === 'running' && attempts === 2);
  });

  test('that end while the database is away are written when it is back', async () => {
    const schema = await place.schema();
    const proxy = new TcpProxy(SERVER_ADDRESS);
    await proxy.start();
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const times = { heartbeatMs: 25, staleMs: 3_600_000, lookMs: 50 };
    const { jobs } = await open(schema.through(proxy.port), { warn, times });
    const { jobs: elsewhere } = await open(schema.url);
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let begun: () => void = () => undefined;
    const began = new Promise<void>((resolve) => (begun = resolve));
    await jobs.begin({
      work: async () => {
        begun();
        await finished;
        return { kept: true };
      },
    });
    const job = await jobs.start('work', { number: 1 });
    await began;
    await proxy.stop();
    finish();
    const told = `job ${job.id}, work: the store cannot be told of it`;
    while (!warnings.includes(told)) await sleep(5);
    await proxy.start();
    expect(await over(elsewhere, job)).toMatchObject({ status: 'done', result: { kept: true }, attempts: 1 });
    expect(warnings.filter((message) => message === told)).toHaveLength(1);
    await proxy.stop();
  });

  test('whose message was lost are sent again', async () => {
    const schema = await place.schema();
    const { jobs } = await open(schema.url);
    const lost = await jobs.start('work', { number: 1 });
    const messages = `${queueSchemaOf(schema.name)}.job`;
    while ((await schema.query(`DELETE FROM ${messages} RETURNING id`)).length === 0) await sleep(5);
    await jobs.begin(double);
    expect(await over(jobs, lost)).toMatchObject({ status: 'done' });
  });
});
