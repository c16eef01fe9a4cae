import { beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_EVALUATIONS, type Store } from '../../src/store/store.js';
import { type Backend, useBackend } from './backend.js';
import { intentInput } from './texts.js';

const FP = 'encoder-a';
const DONE = {
  done: 5,
  headline: { accuracy: 1 },
  result: { rows: [{ text: 'ü' }] },
} as const;

const job = (bot: string) => ({ kind: 'evaluation', bot, input: {}, mostOpen: 1000 });
const SUBJECT = { texts: ['ü'] };

/** What every store promises of evaluations (src/store/store.ts). */
export function describeEvaluationsContract(
  name: string,
  createBackend: () => Promise<Backend>,
  options: {
    /** Whether a store outlives its closing. */
    readonly persistent: boolean;
  },
): void {
  describe(`${name} keeps evaluations`, () => {
    const testPersistence = options.persistent ? test : test.skip;
    let store: Store;
    const { reopen } = useBackend(createBackend, (opened) => (store = opened));

    beforeEach(async () => {
      await store.putBot('bank', {});
    });

    const add = (about: object = {}, bot = 'bank') =>
      store.addEvaluation(bot, { ...about }, SUBJECT, job(bot));
    /** Adds one, and has its job begun. */
    async function run(lease = 'a') {
      const record = await add();
      await store.takeJob(record.job!, lease);
      return { ...record, job: record.job! };
    }

    const unknown = { code: 'unknown_evaluation' };
    const noBot = { code: 'unknown_bot' };

    test('one that is taken up waits, as its job does, with what is known of it', async () => {
      const about = { kind: 'test-set', nested: { list: [1, null, 'ü'] } };
      const record = await add(about);
      expect(record).toMatchObject({ status: 'queued', about, done: 0, headline: null, error: null });
      expect(record.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(record.finishedAt).toBeNull();
      expect(await store.listEvaluations('bank')).toEqual([record]);
      expect(await store.readEvaluation('bank', record.id)).toEqual({ record, result: null });
      expect(await store.readJob(record.job!)).toMatchObject({
        kind: 'evaluation',
        bot: 'bank',
        status: 'queued',
      });
      expect(await store.findEvaluation(record.job!)).toEqual({ bot: 'bank', record, subject: SUBJECT });
      expect(await store.findEvaluation(record.job! + 1)).toBeUndefined();
    });

    test('it is as far as its job, until it is done', async () => {
      const { id, job } = await run();
      await store.renewJob(job, 'a', { done: 2, total: 5 });
      expect((await store.readEvaluation('bank', id)).record).toMatchObject({ status: 'running', done: 2 });
      await store.giveJobBack(job, 'a');
      expect((await store.readEvaluation('bank', id)).record).toMatchObject({ status: 'queued', done: 0 });
      await store.takeJob(job, 'b');
      expect(await store.finishEvaluation('bank', id, DONE)).toBe(true);
      expect(await store.endJob(job, 'b', { status: 'failed', done: 0, total: null, error: 'late' })).toBe(
        true,
      );
      expect((await store.readEvaluation('bank', id)).record).toMatchObject({ status: 'done', error: null });
    });

    test('it fails and is cancelled with its job', async () => {
      const failed = await run();
      await store.endJob(failed.job, 'a', { status: 'failed', done: 3, total: 5, error: 'no memory' });
      const cancelled = await run();
      await store.cancelJob(cancelled.job);
      const records = await store.listEvaluations('bank');
      expect(records).toMatchObject([
        { id: cancelled.id, status: 'cancelled', error: null },
        { id: failed.id, status: 'failed', error: 'no memory', done: 3 },
      ]);
      for (const { finishedAt } of records) expect(finishedAt).not.toBeNull();
      for (const { id, job } of [failed, cancelled]) {
        expect(await store.findEvaluation(job)).toMatchObject({ subject: null });
        expect(await store.finishEvaluation('bank', id, DONE)).toBe(false);
      }
    });

    test('one that is done has its result, and a list only its headline', async () => {
      const { id, job } = await run();
      expect(await store.finishEvaluation('bank', id, DONE)).toBe(true);
      expect(await store.finishEvaluation('bank', id, DONE)).toBe(false);
      const { record, result } = await store.readEvaluation('bank', id);
      expect(record).toMatchObject({ status: 'done', done: 5, headline: { accuracy: 1 }, error: null });
      expect(record.finishedAt).not.toBeNull();
      expect(result).toEqual(DONE.result);
      expect(await store.listEvaluations('bank')).toEqual([record]);
      expect(await store.findEvaluation(job)).toEqual({ bot: 'bank', record, subject: null });
      expect(await store.finishEvaluation('bank', id + 1, DONE)).toBe(false);
      expect(await store.finishEvaluation('nobody', id, DONE)).toBe(false);
    });

    test('it outlives its job', async () => {
      const { id, job } = await run();
      await store.finishEvaluation('bank', id, DONE);
      await store.endJob(job, 'a', { status: 'done', done: 5, total: 5, result: {} });
      expect(await store.removeJob(job)).toBe(true);
      expect((await store.readEvaluation('bank', id)).record).toMatchObject({ status: 'done', job: null });
    });

    test('no more are taken up than may wait, and then nothing is', async () => {
      const one = { ...job('bank'), mostOpen: 1 };
      await store.addEvaluation('bank', {}, {}, one);
      const refused = store.addEvaluation('bank', {}, {}, one);
      await expect(refused).rejects.toMatchObject({ code: 'overloaded' });
      await expect(store.addEvaluation('nobody', {}, {}, job('nobody'))).rejects.toMatchObject(noBot);
      expect(await store.listEvaluations('bank')).toHaveLength(1);
      expect(await store.listJobs()).toHaveLength(1);
    });

    test('they are listed newest first, and leave the revision as it is', async () => {
      const first = await add();
      const second = await add();
      expect(second.id).toBeGreaterThan(first.id);
      expect((await store.listEvaluations('bank')).map(({ id }) => id)).toEqual([second.id, first.id]);
      expect((await store.listBots())[0]!.revision).toBe(1);
    });

    test('those of a bot are its own, and go with it', async () => {
      await store.putIntents('other', [intentInput('a', ['one'], FP)], FP);
      const { id, job } = await run();
      expect(await store.listEvaluations('other')).toEqual([]);
      await expect(store.readEvaluation('other', id)).rejects.toMatchObject(unknown);
      await expect(store.removeEvaluation('other', id)).rejects.toMatchObject(unknown);
      expect(await store.finishEvaluation('other', id, DONE)).toBe(false);
      await store.deleteBot('bank');
      expect(await store.finishEvaluation('bank', id, DONE)).toBe(false);
      expect(await store.findEvaluation(job)).toBeUndefined();
      await store.putBot('bank', {});
      expect(await store.listEvaluations('bank')).toEqual([]);
      expect((await add()).id).toBeGreaterThan(id);
    });

    test('one that is removed is gone', async () => {
      const { id } = await add();
      await store.removeEvaluation('bank', id);
      expect(await store.listEvaluations('bank')).toEqual([]);
      await expect(store.readEvaluation('bank', id)).rejects.toMatchObject(unknown);
      await expect(store.removeEvaluation('bank', id)).rejects.toMatchObject(unknown);
    });

    test('a bot that is not there has none', async () => {
      await expect(add({}, 'nobody')).rejects.toMatchObject(noBot);
      await expect(store.listEvaluations('nobody')).rejects.toMatchObject(noBot);
      await expect(store.readEvaluation('nobody', 1)).rejects.toMatchObject(noBot);
      await expect(store.removeEvaluation('nobody', 1)).rejects.toMatchObject(noBot);
    });

    test('beyond the most that are kept the oldest go that are over', async () => {
      const running = await add();
      const over: number[] = [];
      for (let i = 0; i < MAX_EVALUATIONS + 2; i++) {
        const { id, job } = await add();
        await store.cancelJob(job!);
        over.push(id);
      }
      const last = await add();
      const kept = over.slice(2).reverse();
      expect((await store.listEvaluations('bank')).map(({ id }) => id)).toEqual([
        last.id,
        ...kept,
        running.id,
      ]);
    });

    testPersistence('they outlive the process', async () => {
      const { id } = await add({ kind: 'test-set' });
      await store.finishEvaluation('bank', id, DONE);
      await reopen();
      const { record, result } = await store.readEvaluation('bank', id);
      expect(record).toMatchObject({ about: { kind: 'test-set' }, status: 'done' });
      expect(result).toEqual(DONE.result);
    });
  });
}
