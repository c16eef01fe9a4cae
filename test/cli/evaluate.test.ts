import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headlineOf, measuresOf } from '../../src/classify/evaluation/measures.js';
import type { Evaluation, EvaluationSummary } from '../../src/classify/evaluationTypes.js';
import { row } from '../classify/evaluation/rows.js';
import { FakeServer } from './fakeServer.js';
import { run } from './harness.js';

// `kshot evaluate` at the terminal: files through the encoder that ships, bots of a fake server.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kshot-evaluate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const ROWS = [
  row('card', 'card', { text: 'my card' }),
  row('card', 'money', { text: 'a <b>card</b> | [with](x) money' }),
  row('money', 'money', { text: 'my money' }),
  row(null, 'card', { text: 'weather', in_scope: 0.2 }),
];
const MEASURES = measuresOf(ROWS);
const SUMMARY: EvaluationSummary = {
  id: 7,
  job: 3,
  name: 'before',
  kind: 'cross-validation',
  version: null,
  revision: 3,
  head: 'weighing',
  threshold: 0.5,
  folds: 5,
  status: 'running',
  progress: { done: 1, total: 4 },
  error: null,
  created_at: '2026-01-01T00:00:00.000Z',
  finished_at: null,
  headline: null,
};
const DONE: Evaluation = {
  ...SUMMARY,
  status: 'done',
  progress: { done: 4, total: 4 },
  headline: headlineOf(MEASURES),
  measures: MEASURES,
  rows: ROWS,
};

/** Runs a command on a server that gives these answers, one after the other. */
async function onServer(args: readonly string[], ...answers: readonly unknown[]) {
  const server = await FakeServer.start();
  try {
    for (const answer of answers) {
      server.replies.push((response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    }
    const outcome = await run([...args, '--bot', 'bank', '--url', server.url]);
    return { ...outcome, requests: server.requests };
  } finally {
    await server.close();
  }
}

describe('a bot of a server', () => {
  const running = { ...SUMMARY, measures: null, rows: [] };
  const answers = [SUMMARY, running, DONE];

  test('is judged there, waited for, and told', async () => {
    const args = ['evaluate', '--folds', '5', '--seed', '0', '--name', 'before'];
    const { code, stdout, stderr, waits, requests } = await onServer(args, ...answers);
    expect({ code, stderr, waits }).toEqual({ code: 0, stderr: '', waits: [300] });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/bots/bank/evaluations/cross-validation',
      'GET /v1/bots/bank/evaluations/7',
      'GET /v1/bots/bank/evaluations/7',
    ]);
    expect(requests[0]!.body).toEqual({ folds: 5, seed: 0, name: 'before' });
    expect(stdout).toBe(
      [
        'bot bank: before: 5-fold cross-validation of 4 texts of its own, head weighing, threshold 0.5',
        '',
        'MEASURE                  VALUE',
        'Accuracy                 75.0 % (30.1 to 95.4; 3 of 4)',
        'Best intent right        66.7 % (20.8 to 93.8; 2 of 3)',
        'Out of scope, recall     100.0 %',
        'Out of scope, precision  100.0 %',
        'Calibration error        23.3 %',
        '',
        'INTENT  TEXTS   RECALL  PRECISION      F1  TAKEN FOR',
        'card        2   50.0 %    100.0 %  66.7 %  money (1)',
        'money       1  100.0 %     50.0 %  66.7 %',
        '',
        'EXPECTED  ANSWERED  TEXTS',
        'card      money         1',
        '',
        '1 text misread; --html or --markdown lists them',
        '',
      ].join('\n'),
    );
  });

  test('may be printed as JSON, and decides the exit code', async () => {
    const passed = await onServer(['evaluate', '--json', '--fail-under', '0.75'], ...answers);
    expect(passed).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(passed.stdout)).toEqual(DONE);
    const failed = await onServer(['evaluate', '--json', '--fail-under', '0.76'], ...answers);
    expect(failed).toMatchObject({ code: 1, stderr: 'kshot: accuracy is 0.75, below 0.76\n' });
  });

  test('is written as Markdown and as a page, in which texts are what they are', async () => {
    const [page, text] = [join(folder, 'report.html'), join(folder, 'report.md')];
    const { code } = await onServer(['evaluate', '--html', page, '--markdown', text], ...answers);
    expect(code).toBe(0);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('a &#60;b&#62;card&#60;/b&#62; | [with](x) money');
    expect(html).not.toContain('<b>card');
    expect(html).toContain('>threshold 0.5</text');
    expect(html).toMatch(/confidence 90\.0 % to 100\.0 %: 66\.7 % of 3 right/);
    const markdown = readFileSync(text, 'utf8');
    expect(markdown).toContain('| a \\<b\\>card\\</b\\> \\| \\[with\\](x) money | card     | money ');
    expect(markdown).toContain("| 0.5 (the bot's) |");
    const pictures = [...markdown.matchAll(/^!\[[^\]]+\]\(data:image\/svg\+xml;base64,([^)]+)\)$/gm)];
    const [reliability, thresholds] = pictures.map(([, data]) => Buffer.from(data!, 'base64').toString());
    expect(reliability).toMatch(/^<svg\s+xmlns=.*<style>.*66\.7 % of 3 right/s);
    expect(thresholds).toContain('>threshold 0.5</text');
  });

  test('whose evaluation fails, or is cancelled, is exit code 1', async () => {
    const failed = { ...DONE, status: 'failed', error: 'the encoder is gone', measures: null, rows: [] };
    const outcome = await onServer(['evaluate'], SUMMARY, failed);
    expect(outcome).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'kshot: evaluation 7 has failed: the encoder is gone\n',
    });
  });

  test('is judged on a file, which is sent to it', async () => {
    const test = file('test.csv', 'intent,text\nmoney,my money\n__counterexample__,weather\n');
    const args = ['evaluate', '--test', test, '--name', 'held out', '--version', 'production'];
    const { code, requests } = await onServer(args, ...answers);
    expect(code).toBe(0);
    expect(requests[0]).toMatchObject({ method: 'POST' });
    expect(requests[0]!.path).toBe(
      '/v1/bots/bank/evaluations/test-set?name=held+out&version=production&format=jsonl',
    );
  });
});

test('a file is evaluated without a server, and a name that it has not is told', async () => {
  const bot = file(
    'bot.csv',
    'intent,text\ncard,i lost my card\ncard,my card is gone\nmoney,how much money do i have\nmoney,what is my balance\n',
  );
  const test = file('held.csv', 'intent,text\ncard,where is my card\nmony,my balance please\n');
  const outcome = await run(['evaluate', bot, '--test', test, '--json']);
  expect(outcome).toMatchObject({
    code: 0,
    stderr: 'note: the bot has no mony, which the test set has texts of\n',
  });
  const evaluation = JSON.parse(outcome.stdout) as Evaluation;
  expect(evaluation).toMatchObject({ kind: 'test-set', progress: { done: 2, total: 2 } });
  expect(evaluation.rows[0]).toMatchObject({ text: 'where is my card', best: 'card' });
  const single = await run(['evaluate', file('one.csv', 'intent,text\na,one\n')]);
  expect(single).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('needs two at least'),
  });
});

test.each([
  ['nothing to evaluate', ['evaluate'], 'Name a file, or say --bot NAME'],
  ['both a file and a bot', ['evaluate', 'x.csv', '--bot', 'x'], 'either a file, or --bot'],
  ['a format for a bot', ['evaluate', '--bot', 'x', '--format', 'csv'], 'are for a file'],
  ['folds of a test set', ['evaluate', 'x.csv', '--test', 'y.csv', '--folds', '3'], 'for a cross-validation'],
  ['one fold', ['evaluate', 'x.csv', '--folds', '1'], 'at least 2'],
  ['a share that is none', ['evaluate', 'x.csv', '--fail-under', '85'], 'a share from 0 to 1'],
])('%s is exit code 2', async (_, args, message) => {
  const { code, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
