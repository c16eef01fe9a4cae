import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { EvaluationSummary } from '../../../src/classify/evaluationTypes.js';
import { isOver } from '../../../src/client/index.js';
import { openService } from '../../../src/classify/live.js';
import type { ClassifyService } from '../../../src/classify/service.js';
import type { Jobs } from '../../../src/jobs/jobs.js';
import { openJobs } from '../../../src/jobs/openJobs.js';
import { evaluationsOnly } from '../../../src/jobs/runners.js';
import { openSqliteStore } from '../../../src/store/sqlite.js';
import { bundledCalibration } from '../bundledCalibration.js';
import { WordEncoder } from '../wordEncoder.js';

// Evaluations as the service makes them: with its store, its worker threads, and an encoder that knows words alone.

const WORDS = {
  card_lost: ['card', 'lost', 'gone', 'stolen', 'missing', 'wallet'],
  balance: ['balance', 'money', 'account', 'left', 'funds', 'sum'],
};
const INTENTS = Object.entries(WORDS).map(([name, words]) => ({
  name,
  examples: words.map((word) => `${word} ${words[0]} ${words[1]}`),
}));
const COUNTEREXAMPLES = ['weather tomorrow', 'sing a song', 'the weather'];

let folder: string;
let encoder: WordEncoder;
let service: ClassifyService;
let jobs: Jobs;
let warnings: string[];

async function open(): Promise<void> {
  const warn = (message: string, error: unknown) => void warnings.push(`${message}: ${String(error)}`);
  const store = await openSqliteStore(join(folder, 'kshot.db'));
  jobs = await openJobs(store, undefined, { warn });
  const opened = await openService({
    encoder,
    store,
    maxTextChars: 200,
    calibration: bundledCalibration,
    warn,
  });
  service = opened;
  await jobs.begin(evaluationsOnly(opened));
}

async function close(): Promise<void> {
  await jobs.close();
  await service.close();
}

// One service for all tests but one: what its worker threads have compiled stays.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-evaluations-'));
  encoder = new WordEncoder();
  warnings = [];
  await open();
});
beforeEach(async () => {
  await service.putIntents('bank', INTENTS);
  await service.putCounterexamples('bank', COUNTEREXAMPLES);
});
afterEach(async () => {
  encoder.failure = undefined;
  for (const { name } of await service.listBots()) await service.deleteBot(name);
  expect(warnings.splice(0)).toEqual([]);
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true });
  expect(warnings).toEqual([]);
});

/** Waits until an evaluation is over. */
async function over({ id }: EvaluationSummary) {
  for (;;) {
    const evaluation = await service.getEvaluation('bank', id);
    if (isOver(evaluation)) return evaluation;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a cross-validation', () => {
  test('judges every text once, by intent, and encodes none', async () => {
    const before = encoder.seen.length;
    const begun = await service.crossValidate('bank', { folds: 3, name: 'first' });
    expect(begun).toMatchObject({
      name: 'first',
      kind: 'cross-validation',
      version: null,
      revision: 2,
      head: 'adapted',
      threshold: 0.5,
      folds: 3,
      status: 'queued',
      progress: { done: 0, total: 15 },
      headline: null,
    });
    const evaluation = await over(begun);
    expect(evaluation).toMatchObject({
      status: 'done',
      progress: { done: 15, total: 15 },
      headline: { texts: 15 },
    });
    expect(evaluation.rows.map(({ text, expected }) => [text, expected])).toEqual([
      ...INTENTS.flatMap(({ name, examples }) => examples.map((text) => [text, name])),
      ...COUNTEREXAMPLES.map((text) => [text, null]),
    ]);
    expect(evaluation.measures!.accuracy.total).toBe(15);
    expect(encoder.seen).toHaveLength(before);
    const list = await service.listEvaluations('bank');
    expect(list.map(({ id }) => id)).toEqual([begun.id]);
    expect(list[0]).not.toHaveProperty('rows');
  });

  test('does not show a text to the bot that judges it', async () => {
    // Only the text itself says what it means: who has seen it is right, who has not cannot be.
    const examples = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
    await service.putIntents('odd', [
      { name: 'first', examples: examples.slice(0, 4).map((word) => `${word} same`) },
      { name: 'second', examples: examples.slice(4).map((word) => `${word} same`) },
    ]);
    await service.putBot('odd', { threshold: 0 });
    const [seen] = await service.classify('odd', ['three same']);
    expect(seen!.intent).toBe('first');
    const { id } = await service.crossValidate('odd', { folds: 2 });
    let evaluation = await service.getEvaluation('odd', id);
    while (!isOver(evaluation)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      evaluation = await service.getEvaluation('odd', id);
    }
    expect(evaluation.threshold).toBe(0);
    expect(evaluation.measures!.accuracy.correct).toBeLessThan(8);
  });

  test('of an intent with one example holds it out, and leaves its name', async () => {
    await service.putIntents('bank', [{ name: 'greeting_hello', examples: ['greeting hello friend'] }]);
    const { rows } = await over(await service.crossValidate('bank'));
    expect(rows.find(({ expected }) => expected === 'greeting_hello')).toMatchObject({
      text: 'greeting hello friend',
      best: 'greeting_hello',
    });
  });

  test('is the same whenever the seed is, and judges what the bot was then', async () => {
    const first = await service.crossValidate('bank', { seed: 3, folds: 2 });
    const second = await service.crossValidate('bank', { seed: 3, folds: 2 });
    await service.addExamples('bank', 'balance', ['a new one']);
    const [a, b] = [await over(first), await over(second)];
    expect(b.rows).toEqual(a.rows);
    expect(b).toMatchObject({ revision: 2, progress: { total: 15 } });
    const later = await service.crossValidate('bank', { folds: 2 });
    expect(await over(later)).toMatchObject({ revision: 3 });
  });

  test('of a version judges what it holds, whatever has become of the bot', async () => {
    const before = await over(await service.crossValidate('bank', { folds: 2 }));
    await service.saveVersion('bank', 'v1', null);
    await service.putAlias('bank', 'production', 'v1');
    await service.deleteIntent('bank', 'balance');
    const version = await over(await service.crossValidate('bank', { version: 'production', folds: 2 }));
    expect(version).toMatchObject({ version: 'v1', revision: before.revision });
    expect(version.rows).toEqual(before.rows);
    const unknown = service.crossValidate('bank', { version: 'v2' });
    await expect(unknown).rejects.toMatchObject({ code: 'unknown_version' });
  });

  test.each([
    ['no text', [], 'has no examples'],
    ['one text', [{ name: 'a', examples: ['one'] }], 'has one example'],
  ])('of a bot with %s is refused', async (_, intents, message) => {
    await service.putBot('small', {});
    if (intents.length > 0) await service.putIntents('small', intents);
    await expect(service.crossValidate('small')).rejects.toMatchObject({
      code: 'nothing_to_evaluate',
      message: expect.stringContaining(message),
    });
    expect(await service.listEvaluations('small')).toEqual([]);
  });
});

describe('a test set', () => {
  test('is judged as it is classified, in its order, each text once', async () => {
    const document = {
      intents: [
        { name: 'balance', examples: ['funds money', ' funds money ', 'sum of my account'] },
        { name: 'unheard_of', examples: ['lost card'] },
      ],
      counterexamples: ['weather tomorrow'],
    };
    const begun = await service.evaluateTestSet('bank', document, { name: 'production' });
    expect(begun).toMatchObject({ kind: 'test-set', folds: null, progress: { total: 4 } });
    const { rows, measures } = await over(begun);
    expect(rows.map(({ text, expected }) => [text, expected])).toEqual([
      ['funds money', 'balance'],
      ['sum of my account', 'balance'],
      ['lost card', 'unheard_of'],
      ['weather tomorrow', null],
    ]);
    expect(measures!.intents.find(({ intent }) => intent === 'unheard_of')).toMatchObject({ recall: 0 });
    while (service.stats().adaptations > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const live = await service.classify(
      'bank',
      rows.map(({ text }) => text),
      { top: 1 },
    );
    expect(rows.map(({ answered, confidence, in_scope }) => [answered, confidence, in_scope])).toEqual(
      live.map(({ intent, confidence, in_scope }) => [intent, confidence, in_scope]),
    );
  });

  test('that cannot be encoded makes the evaluation fail, and says so', async () => {
    encoder.failure = new Error('out of memory');
    const document = { intents: [{ name: 'balance', examples: ['never seen'] }], counterexamples: [] };
    const failed = await over(await service.evaluateTestSet('bank', document));
    expect(failed).toMatchObject({ status: 'failed', measures: null, rows: [], headline: null });
    expect(failed.error).toContain('out of memory');
    expect(warnings.splice(0)).toEqual([expect.stringContaining('has failed: Error: out of memory')]);
  });

  test('without a text, or with one that cannot be, is refused', async () => {
    const document = (...examples: string[]) => ({
      intents: [{ name: 'a', examples }],
      counterexamples: [],
    });
    await expect(service.evaluateTestSet('bank', document())).rejects.toMatchObject({
      code: 'nothing_to_evaluate',
    });
    await expect(service.evaluateTestSet('bank', document('fine', ' '))).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ field: 'intents.0.examples.1' }],
    });
  });
});

describe('while evaluations wait', () => {
  const begin = (count: number) =>
    Promise.all(Array.from({ length: count }, () => service.crossValidate('bank')));

  test('too many are refused, and one that is cancelled makes room', async () => {
    const waiting = await begin(8);
    await expect(service.crossValidate('bank')).rejects.toMatchObject({ code: 'overloaded' });
    await service.deleteEvaluation('bank', waiting[5]!.id);
    expect(await service.getEvaluation('bank', waiting[5]!.id)).toMatchObject({ status: 'cancelled' });
    const { id } = await service.crossValidate('bank');
    for (const one of [...waiting, { id }]) await service.deleteEvaluation('bank', one.id);
  });

  test('one that runs is cancelled at once, and removed by the next word', async () => {
    const [running, next] = await begin(2);
    await service.deleteEvaluation('bank', running!.id);
    expect(await over(running!)).toMatchObject({ status: 'cancelled', error: null, measures: null });
    expect((await over(next!)).status).toBe('done');
    await service.deleteEvaluation('bank', running!.id);
    expect((await service.listEvaluations('bank')).map(({ id }) => id)).toEqual([next!.id]);
    await expect(service.deleteEvaluation('bank', running!.id)).rejects.toMatchObject({
      code: 'unknown_evaluation',
    });
  });

  test('a bot that is deleted takes its own with it', async () => {
    await begin(2);
    await service.deleteBot('bank');
    await expect(service.listEvaluations('bank')).rejects.toMatchObject({ code: 'unknown_bot' });
  });

  test('the end of the process gives them back, and the next start carries them out', async () => {
    const begun = await begin(2);
    await service.deleteIntent('bank', 'balance');
    await close();
    await open();
    const [first, second] = [await over(begun[0]!), await over(begun[1]!)];
    expect(first).toMatchObject({ status: 'done', revision: 2, progress: { done: 15, total: 15 } });
    // They judge what the bot was when they were asked for; texts that have gone since are encoded.
    expect(first.rows.map(({ text }) => text)).toEqual([
      ...INTENTS.flatMap(({ examples }) => examples),
      ...COUNTEREXAMPLES,
    ]);
    expect(second.rows).toEqual(first.rows);
    expect(await jobs.get(first.job!)).toMatchObject({ status: 'done', attempts: 1 });
  });

  test('one that is not over cannot be compared', async () => {
    const [waiting] = await begin(2);
    await expect(service.compareEvaluations('bank', waiting!.id)).rejects.toMatchObject({
      code: 'nothing_to_compare',
      message: expect.stringContaining('wait until it is done'),
    });
  });
});

describe('a comparison', () => {
  const document = {
    intents: [{ name: 'balance', examples: ['weather tomorrow', 'money left'] }],
    counterexamples: [],
  };

  test('is with the one of the same kind before it, or with the one that is named', async () => {
    const first = await over(await service.evaluateTestSet('bank', document));
    const cross = await over(await service.crossValidate('bank', { folds: 2 }));
    await service.putCounterexamples('bank', []);
    await service.addExamples('bank', 'balance', ['weather tomorrow']);
    const second = await over(await service.evaluateTestSet('bank', document));
    expect(await service.compareEvaluations('bank', second.id)).toMatchObject({
      evaluation: { id: second.id },
      with: { id: first.id },
      texts: 2,
      fixed: [{ text: 'weather tomorrow', expected: 'balance', before: null, now: 'balance' }],
      broken: [],
    });
    expect(await service.compareEvaluations('bank', first.id, second.id)).toMatchObject({
      fixed: [],
      broken: [{ text: 'weather tomorrow' }],
    });
    expect(await service.compareEvaluations('bank', second.id, cross.id)).toMatchObject({
      with: { id: cross.id },
      texts: 0,
      only_in_this: 2,
      only_in_other: 15,
    });
    await expect(service.compareEvaluations('bank', cross.id)).rejects.toMatchObject({
      code: 'nothing_to_compare',
    });
    await expect(service.compareEvaluations('bank', cross.id, 999)).rejects.toMatchObject({
      code: 'unknown_evaluation',
    });
  });
});
