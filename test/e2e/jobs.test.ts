import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { isOver } from '../../src/client/index.js';
import type { EvaluationSummary } from '../../src/classify/evaluationTypes.js';
import type { JobSummary } from '../../src/jobs/jobTypes.js';
import { describeOnPostgres, postgresPlace } from '../store/postgresServer.js';
import { json, putIntent, send } from './api.js';
import { DEMO } from './demoBot.js';
import { Kshot, kshot, ready } from './kshot.js';
import { workplace } from './workplace.js';

// Jobs of real processes: servers that leave them to a worker, and one that is killed.

const place = workplace();
const database = postgresPlace();
const EVALUATION = { kind: 'evaluation', bot: DEMO, folds: 2 };

const start = async (url: string, body: object) => {
  const answer = await send(url, 'POST', '/v1/jobs', { body });
  const job = json<JobSummary>(answer, 202);
  expect(answer.headers['location']).toBe(`/v1/jobs/${job.id}`);
  return job;
};

/** Looks until it is so. */
async function until(
  url: string,
  { id }: JobSummary,
  isSo: (job: JobSummary) => boolean,
): Promise<JobSummary> {
  for (;;) {
    const job = json<JobSummary>(await send(url, 'GET', `/v1/jobs/${id}`));
    if (isSo(job)) return job;
    await sleep(50);
  }
}

/** Enough that its evaluation does not end while a test looks at it; the head adapts in a third of the default's time. */
async function makeLargeBot(url: string): Promise<string> {
  json(await send(url, 'PUT', '/v1/bots/large', { body: { head: 'adapted' } }), 201);
  for (let intent = 0; intent < 12; intent++) {
    const examples = Array.from(
      { length: 20 },
      (_, n) => `text ${n} about the matter ${intent} ${n * intent}`,
    );
    await putIntent(url, 'large', `matter_${intent}`, examples);
  }
  return 'large';
}

test('kill -9 in an evaluation: the next start carries it out', async () => {
  const folder = await place.demoStore();
  const first = await place.serve(folder);
  const bot = await makeLargeBot(first.url);
  const job = await start(first.url, { kind: 'evaluation', bot, folds: 2 });
  await until(first.url, job, ({ status }) => status === 'running');
  await first.process.end('SIGKILL');
  const { url } = await place.serve(folder);
  const done = await until(url, job, isOver);
  expect(done).toMatchObject({ status: 'done', attempts: 2, result: { texts: 240 } });
  const { evaluations } = json<{ evaluations: EvaluationSummary[] }>(
    await send(url, 'GET', `/v1/bots/${bot}/evaluations`),
  );
  expect(evaluations).toMatchObject([{ status: 'done', job: job.id, progress: { done: 240, total: 240 } }]);
});

test('a worker needs a database, and says so', async () => {
  const { code, stderr } = await kshot(['worker', '--data-dir', place.folder()]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^kshot: --store \(KSHOT_STORE\) must name the PostgreSQL database/);
});

describeOnPostgres('servers that leave jobs to a worker', () => {
  test('show and cancel what it runs, which it gives back when it stops', async () => {
    const { url: store } = await database.schema();
    const { url } = await place.serve(place.folder(), ['--store', store, '--no-run-jobs']);
    const bot = await makeLargeBot(url);
    const job = await start(url, { kind: 'evaluation', bot });
    const next = await start(url, EVALUATION);
    const args = ['worker', '--port', '0', '--store', store, '--data-dir', place.folder()];
    const startWorker = () => ready(new Kshot(args));
    const worker = await startWorker();
    try {
      const running = await until(url, job, ({ progress }) => progress.done > 0);
      expect(running).toMatchObject({ status: 'running', progress: { total: 240 } });
      const list = json<{ jobs: JobSummary[] }>(await send(url, 'GET', '/v1/jobs?status=queued'));
      expect(list.jobs).toMatchObject([{ id: next.id, status: 'queued', bot: DEMO }]);
      expect((await send(worker.url, 'GET', '/readyz')).status).toBe(200);
      expect((await send(worker.url, 'GET', '/metrics')).text).toContain('kshot_jobs{kind="evaluation"');
      expect((await send(worker.url, 'GET', '/v1/bots')).status).toBe(404);

      const cancelled = json(await send(url, 'DELETE', `/v1/jobs/${job.id}`));
      expect(cancelled).toEqual({ job: job.id, outcome: 'cancelled' });
      // What waits behind it is run as soon as the worker has let it go.
      await until(url, next, ({ status }) => status !== 'queued');
      expect(await until(url, next, isOver)).toMatchObject({ status: 'done', result: { texts: 172 } });

      const last = await start(url, { kind: 'evaluation', bot });
      await until(url, last, ({ status }) => status === 'running');
      expect(await worker.process.end('SIGTERM')).toMatchObject({ code: 0 });
      expect(await until(url, last, () => true)).toMatchObject({ status: 'queued', attempts: 0 });
    } finally {
      await worker.process.end('SIGKILL');
    }
  });
});
