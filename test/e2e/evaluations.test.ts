import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type {
  Evaluation,
  EvaluationComparison,
  EvaluationSummary,
} from '../../src/classify/evaluationTypes.js';
import { isOver } from '../../src/client/index.js';
import { classify, json, send } from './api.js';
import { DEMO, DEMO_FILE } from './demoBot.js';
import { kshot } from './kshot.js';
import { workplace } from './workplace.js';

// Evaluations in a real process, over HTTP and at the terminal, with the encoder that ships.

const place = workplace();
const PATH = `/v1/bots/${DEMO}/evaluations`;

/** Polls until it is over; the progress that was seen never goes back. */
async function over(url: string, { id }: EvaluationSummary): Promise<Evaluation> {
  for (let before = 0; ;) {
    const evaluation = json<Evaluation>(await send(url, 'GET', `${PATH}/${id}`));
    expect(evaluation.progress.done).toBeGreaterThanOrEqual(before);
    if (isOver(evaluation)) return evaluation;
    before = evaluation.progress.done;
    await sleep(50);
  }
}

const begin = async (url: string) =>
  json<EvaluationSummary>(await send(url, 'POST', `${PATH}/cross-validation`, { body: { folds: 3 } }), 202);

test('the demo bot is cross-validated while it answers, and once more after a change', async () => {
  const { url } = await place.serve(join(place.folder(), 'store'));
  const first = await begin(url);
  expect((await classify(url, DEMO, ['i lost my card']))[0]!.intent).toBe('card_lost');
  const before = await over(url, first);
  expect(before).toMatchObject({ status: 'done', progress: { done: 172, total: 172 } });
  expect(before.measures!.intents).toHaveLength(20);
  expect(before.headline!.accuracy).toBeGreaterThan(0.75);
  expect(before.headline!.calibration_error).toBeLessThan(0.15);

  // Two intents made one are no longer confused; their texts count as others, for something else is expected of them.
  const deleted = await send(url, 'DELETE', `/v1/bots/${DEMO}/intents/loan_offer`);
  expect(deleted.status).toBe(200);
  const after = await over(url, await begin(url));
  expect(after.progress.total).toBe(164);
  const path = `${PATH}/${after.id}/comparison`;
  const comparison = json<EvaluationComparison>(await send(url, 'GET', path));
  expect(comparison).toMatchObject({ with: { id: first.id }, texts: 164, only_in_this: 0, only_in_other: 8 });
  const rights = ({ rows }: Evaluation) =>
    rows.filter(({ correct, expected }) => correct && expected !== 'loan_offer').length;
  expect(comparison.fixed.length - comparison.broken.length).toBe(rights(after) - rights(before));
});

test('a file is evaluated without a server, and the report needs nothing from elsewhere', async () => {
  const folder = place.folder();
  const [page, text] = [join(folder, 'report.html'), join(folder, 'report.md')];
  const heldOut = DEMO_FILE.replace('demo.yml', 'demo-heldout.csv');
  const args = ['evaluate', DEMO_FILE, '--test', heldOut, '--html', page, '--markdown', text];
  const outcome = await kshot([...args, '--fail-under', '0.8']);
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toMatch(/demo\.yml: test set of 55 texts, head weighing, threshold 0\.5\n/);
  const html = await readFile(page, 'utf8');
  expect(html).toMatch(/^<!doctype html>/);
  expect(html.match(/<svg/g)).toHaveLength(2);
  expect(html).not.toMatch(/<script|<link|<img|src=|https?:/);
  expect(await readFile(text, 'utf8')).toContain('## Misread texts');
});
