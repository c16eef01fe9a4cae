import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JobSummary } from '../../src/jobs/jobTypes.js';
import { FakeServer } from './fakeServer.js';
import { run } from './harness.js';

// Jobs at the terminal, against a fake server that is told what to answer.

const AT = '2026-01-02T03:04:05.000Z';
const JOB: JobSummary = {
  id: 7,
  kind: 'evaluation',
  bot: 'bank',
  status: 'queued',
  input: { folds: 5 },
  progress: { done: 0, total: null },
  attempts: 0,
  result: null,
  error: null,
  created_at: AT,
  started_at: null,
  finished_at: null,
  heartbeat_at: null,
};
const RUNNING: JobSummary = { ...JOB, status: 'running', progress: { done: 3, total: 9 } };
const FAILED: JobSummary = { ...RUNNING, status: 'failed', error: 'no such data', finished_at: AT };

let server: FakeServer;
beforeEach(async () => {
  server = await FakeServer.start();
});
afterEach(() => server.close());

/** Runs a command that is given these answers. */
function given(answers: readonly unknown[], args: readonly string[], stdin = '') {
  for (const answer of answers) {
    server.replies.push((response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  }
  return run(['jobs', ...args, '--url', server.url], { stdin });
}

test('are listed', async () => {
  const { stdout } = await given([{ jobs: [FAILED, { ...JOB, bot: null }] }], []);
  expect(stdout.split('\n')).toEqual([
    'ID  KIND        BOT   STATUS  DONE  CREATED                   FINISHED                  ERROR',
    ` 7  evaluation  bank  failed   3/9  ${AT}  ${AT}  no such data`,
    ` 7  evaluation        queued        ${AT}`,
    '',
  ]);
  const json = await given(
    [{ jobs: [JOB] }],
    ['list', '--kind', 'evaluation', '--status', 'queued', '--json'],
  );
  expect(JSON.parse(json.stdout)).toEqual([JOB]);
  expect(server.requests.at(-1)).toMatchObject({ path: '/v1/jobs?kind=evaluation&status=queued' });
  expect((await given([{ jobs: [] }], [])).stdout).toBe('There are none.\n');
});

test('are shown, and cancelled or removed', async () => {
  expect(JSON.parse((await given([RUNNING], ['show', '7'])).stdout)).toEqual(RUNNING);
  const cancelled = await given([{ job: 7, outcome: 'cancelled' }], ['cancel', '7']);
  expect(cancelled.stdout).toBe('job 7: cancelled\n');
  expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/jobs/7' });
});

describe('are begun', () => {
  test('from YAML or JSON', async () => {
    const started = await given([JOB], ['start', '-'], 'kind: evaluation\nbot: bank\nfolds: 5\n');
    expect(started).toMatchObject({ code: 0, stdout: 'job 7, evaluation: queued\n' });
    expect(server.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/jobs',
      body: { kind: 'evaluation', bot: 'bank', folds: 5 },
    });
  });

  test('and waited for: the exit code says how it ended', async () => {
    const done: JobSummary = { ...RUNNING, status: 'done', result: { accuracy: 1 } };
    const args = ['start', '-', '--wait', '--json'];
    const waited = await given([JOB, JOB, RUNNING, done], args, '{"kind": "evaluation"}');
    expect(waited).toMatchObject({ code: 0, waits: [500, 500] });
    expect(JSON.parse(waited.stdout)).toEqual(done);
    const failed = await given([JOB, FAILED], args, '{"kind": "evaluation"}');
    expect(failed).toMatchObject({ code: 1, stderr: 'kshot: job 7 has failed: no such data\n' });
  });

  test.each([
    ['[1, 2', /^kshot: -: .*\n$/],
    ['folds: 5\n', /^kshot: -: it must say the job's kind/],
  ])('not from %j', async (stdin, message) => {
    const { code, stderr } = await given([], ['start', '-'], stdin);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(server.requests).toEqual([]);
  });
});
