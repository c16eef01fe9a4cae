import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_EVALUATIONS, type Store } from '../../src/store/store.js';
import type { Backend } from './contract.js';
import { intentInput } from './texts.js';

const FP = 'encoder-a';
const DONE = {
  status: 'done',
  done: 5,
  headline: { accuracy: 1 },
  result: { rows: [{ text: 'ü' }] },
} as const;

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
    let backend: Backend;
    let store: Store;

    beforeEach(async () => {
      backend = await createBackend();
      store = await backend.open();
      await store.putBot('bank', {});
    });

    afterEach(async () => {
      await store.close();
      await backend.destroy();
    });

    const unknown = { code: 'unknown_evaluation' };
    const noBot = { code: 'unknown_bot' };

    test('one that begins runs, with what is known of it', async () => {
      const about = { kind: 'test-set', nested: { list: [1, null, 'ü'] } };
      const record = await store.addEvaluation('bank', about);
      expect(record).toMatchObject({ status: 'running', about, done: 0, headline: null, error: null });
      expect(record.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(record.finishedAt).toBeNull();
      expect(await store.listEvaluations('bank')).toEqual([record]);
      expect(await store.readEvaluation('bank', record.id)).toEqual({ record, result: null });
    });

    test('one that is done has its result, and a list only its headline', async () => {
      const { id } = await store.addEvaluation('bank', {});
      expect(await store.endEvaluation('bank', id, DONE)).toBe(true);
      const { record, result } = await store.readEvaluation('bank', id);
      expect(record).toMatchObject({ status: 'done', done: 5, headline: { accuracy: 1 }, error: null });
      expect(record.finishedAt).not.toBeNull();
      expect(result).toEqual(DONE.result);
      expect(await store.listEvaluations('bank')).toEqual([record]);
    });

    test('one ends once', async () => {
      const { id } = await store.addEvaluation('bank', {});
      expect(await store.endEvaluation('bank', id, { status: 'cancelled', done: 2 })).toBe(true);
      expect(await store.endEvaluation('bank', id, DONE)).toBe(false);
      expect((await store.readEvaluation('bank', id)).record).toMatchObject({ status: 'cancelled', done: 2 });
      expect(await store.endEvaluation('bank', id + 1, DONE)).toBe(false);
      expect(await store.endEvaluation('nobody', id, DONE)).toBe(false);
    });

    test('they are listed newest first, and leave the revision as it is', async () => {
      const first = await store.addEvaluation('bank', {});
      const second = await store.addEvaluation('bank', {});
      expect(second.id).toBeGreaterThan(first.id);
      expect((await store.listEvaluations('bank')).map(({ id }) => id)).toEqual([second.id, first.id]);
      expect((await store.listBots())[0]!.revision).toBe(1);
    });

    test('those of a bot are its own, and go with it', async () => {
      await store.putIntents('other', [intentInput('a', ['one'], FP)], FP);
      const { id } = await store.addEvaluation('bank', {});
      expect(await store.listEvaluations('other')).toEqual([]);
      await expect(store.readEvaluation('other', id)).rejects.toMatchObject(unknown);
      await expect(store.removeEvaluation('other', id)).rejects.toMatchObject(unknown);
      expect(await store.endEvaluation('other', id, DONE)).toBe(false);
      await store.deleteBot('bank');
      expect(await store.endEvaluation('bank', id, DONE)).toBe(false);
      await store.putBot('bank', {});
      expect(await store.listEvaluations('bank')).toEqual([]);
      expect((await store.addEvaluation('bank', {})).id).toBeGreaterThan(id);
    });

    test('one that is removed is gone', async () => {
      const { id } = await store.addEvaluation('bank', {});
      await store.removeEvaluation('bank', id);
      expect(await store.listEvaluations('bank')).toEqual([]);
      await expect(store.readEvaluation('bank', id)).rejects.toMatchObject(unknown);
      await expect(store.removeEvaluation('bank', id)).rejects.toMatchObject(unknown);
    });

    test('a bot that is not there has none', async () => {
      await expect(store.addEvaluation('nobody', {})).rejects.toMatchObject(noBot);
      await expect(store.listEvaluations('nobody')).rejects.toMatchObject(noBot);
      await expect(store.readEvaluation('nobody', 1)).rejects.toMatchObject(noBot);
      await expect(store.removeEvaluation('nobody', 1)).rejects.toMatchObject(noBot);
    });

    test('beyond the most that are kept the oldest go that are over', async () => {
      const running = await store.addEvaluation('bank', {});
      const over: number[] = [];
      for (let i = 0; i < MAX_EVALUATIONS + 2; i++) {
        const { id } = await store.addEvaluation('bank', {});
        await store.endEvaluation('bank', id, { status: 'cancelled', done: 0 });
        over.push(id);
      }
      const last = await store.addEvaluation('bank', {});
      const kept = over.slice(2).reverse();
      expect((await store.listEvaluations('bank')).map(({ id }) => id)).toEqual([
        last.id,
        ...kept,
        running.id,
      ]);
    });

    test('those that run can be marked as failed', async () => {
      const done = await store.addEvaluation('bank', {});
      await store.endEvaluation('bank', done.id, DONE);
      const { id } = await store.addEvaluation('bank', {});
      expect(await store.failRunningEvaluations('the server stopped')).toBe(1);
      expect(await store.failRunningEvaluations('again')).toBe(0);
      const [failed, other] = await store.listEvaluations('bank');
      expect(failed).toMatchObject({ id, status: 'failed', error: 'the server stopped', headline: null });
      expect(failed!.finishedAt).not.toBeNull();
      expect(other).toMatchObject({ id: done.id, status: 'done' });
    });

    testPersistence('they outlive the process', async () => {
      const { id } = await store.addEvaluation('bank', { kind: 'test-set' });
      await store.endEvaluation('bank', id, DONE);
      await store.close();
      store = await backend.open();
      const { record, result } = await store.readEvaluation('bank', id);
      expect(record).toMatchObject({ about: { kind: 'test-set' }, status: 'done' });
      expect(result).toEqual(DONE.result);
    });
  });
}
