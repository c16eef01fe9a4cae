import { describe, expect, test } from '@jest/globals';
import { type JobInput, MAX_JOBS } from '../../src/store/jobStore.js';
import type { Store } from '../../src/store/store.js';
import { type Backend, useBackend } from './backend.js';

const TRAINING: JobInput = {
  kind: 'training',
  bot: null,
  input: { head: 'mine', nested: ['ü', 1] },
  mostOpen: 1000,
};
const AN_HOUR_MS = 3_600_000;

/** What every store promises of jobs (src/store/jobStore.ts). */
export function describeJobsContract(
  name: string,
  createBackend: () => Promise<Backend>,
  options: {
    /** Whether a store outlives its closing. */
    readonly persistent: boolean;
  },
): void {
  describe(`${name} keeps jobs`, () => {
    const testPersistence = options.persistent ? test : test.skip;
    let store: Store;
    const { reopen } = useBackend(createBackend, (opened) => (store = opened));

    const add = (changes: Partial<JobInput> = {}) => store.addJob({ ...TRAINING, ...changes });
    /** A job that runs. */
    async function running(lease = 'a') {
      const { id } = await add();
      return (await store.takeJob(id, lease))!;
    }
    const unknown = { code: 'unknown_job' };

    test('one that is added waits', async () => {
      const record = await add();
      expect(record).toMatchObject({
        kind: 'training',
        bot: null,
        input: TRAINING.input,
        status: 'queued',
        done: 0,
        total: null,
        attempts: 0,
        result: null,
        error: null,
        startedAt: null,
        finishedAt: null,
        heartbeatAt: null,
      });
      expect(record.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(await store.readJob(record.id)).toEqual(record);
      await expect(store.readJob(record.id + 1)).rejects.toMatchObject(unknown);
    });

    test('they are listed newest first, of a kind, of a status', async () => {
      const first = await add();
      const second = await add({ kind: 'embedding' });
      const ids = async (filter: Parameters<Store['listJobs']>[0]) =>
        (await store.listJobs(filter)).map(({ id }) => id);
      expect(await ids({})).toEqual([second.id, first.id]);
      expect(await ids({ kind: 'embedding' })).toEqual([second.id]);
      await store.takeJob(first.id, 'a');
      expect(await ids({ statuses: ['running', 'done'] })).toEqual([first.id]);
      expect(await ids({ kind: 'embedding', statuses: ['running'] })).toEqual([]);
    });

    test('one is taken once', async () => {
      const { id } = await add();
      const [a, b] = await Promise.all([store.takeJob(id, 'a'), store.takeJob(id, 'b')]);
      const taken = (a ?? b)!;
      expect([a, b].filter((record) => record !== undefined)).toEqual([taken]);
      expect(taken).toMatchObject({ id, status: 'running', attempts: 1 });
      expect(taken.startedAt).not.toBeNull();
      expect(taken.heartbeatAt).toBe(taken.startedAt);
      expect(await store.takeJob(id, 'c')).toBeUndefined();
      expect(await store.takeJob(id + 1, 'c')).toBeUndefined();
    });

    test('who holds the lease says how far it is, and how it ends; nobody else does', async () => {
      const { id } = await running();
      const end = { status: 'done', done: 3, total: 3, result: { accuracy: 0.5 } } as const;
      expect(await store.renewJob(id, 'b', { done: 1, total: 3 })).toBe(false);
      expect(await store.endJob(id, 'b', end)).toBe(false);
      expect(await store.giveJobBack(id, 'b')).toBe(false);
      expect(await store.renewJob(id, 'a', { done: 2, total: 3 })).toBe(true);
      expect(await store.readJob(id)).toMatchObject({ status: 'running', done: 2, total: 3 });
      expect(await store.endJob(id, 'a', end)).toBe(true);
      const record = await store.readJob(id);
      expect(record).toMatchObject({ ...end, error: null });
      expect(record.finishedAt).not.toBeNull();
      expect(await store.endJob(id, 'a', end)).toBe(false);
      expect(await store.renewJob(id, 'a', { done: 0, total: 3 })).toBe(false);
    });

    test('one that fails says why', async () => {
      const { id } = await running();
      await store.endJob(id, 'a', { status: 'failed', done: 1, total: null, error: 'no such data' });
      expect(await store.readJob(id)).toMatchObject({
        status: 'failed',
        error: 'no such data',
        result: null,
      });
    });

    test('one that is given back waits again, and that was no attempt', async () => {
      const { id } = await running();
      await store.renewJob(id, 'a', { done: 2, total: 3 });
      expect(await store.giveJobBack(id, 'a')).toBe(true);
      expect(await store.readJob(id)).toMatchObject({ status: 'queued', attempts: 0, done: 0 });
      expect(await store.takeJob(id, 'b')).toMatchObject({ attempts: 1 });
    });

    test('one that waits or runs is cancelled, and then nobody holds it', async () => {
      const waiting = await add();
      const { id } = await running();
      for (const job of [waiting.id, id]) {
        expect(await store.cancelJob(job)).toBe(true);
        const record = await store.readJob(job);
        expect(record).toMatchObject({ status: 'cancelled', error: null });
        expect(record.finishedAt).not.toBeNull();
        expect(await store.cancelJob(job)).toBe(false);
      }
      expect(await store.renewJob(id, 'a', { done: 1, total: 1 })).toBe(false);
      expect(await store.takeJob(waiting.id, 'a')).toBeUndefined();
      await expect(store.cancelJob(id + 1)).rejects.toMatchObject(unknown);
    });

    test('one that is over is removed, no other', async () => {
      const { id } = await add();
      expect(await store.removeJob(id)).toBe(false);
      await store.cancelJob(id);
      expect(await store.removeJob(id)).toBe(true);
      await expect(store.removeJob(id)).rejects.toMatchObject(unknown);
      expect((await add()).id).toBeGreaterThan(id);
    });

    test('those of a bot that is deleted are cancelled, no others', async () => {
      await store.putBot('bank', {});
      const [waiting, runs, other, none] = [
        await add({ bot: 'bank' }),
        await add({ bot: 'bank' }),
        await add({ bot: 'shop' }),
        await add(),
      ];
      await store.takeJob(runs.id, 'a');
      await store.deleteBot('bank');
      const statusOf = async ({ id }: { id: number }) => (await store.readJob(id)).status;
      expect(await Promise.all([waiting, runs, other, none].map(statusOf))).toEqual([
        'cancelled',
        'cancelled',
        'queued',
        'queued',
      ]);
    });

    test('of a kind as many wait or run as may', async () => {
      const { id } = await add({ mostOpen: 2 });
      await store.takeJob(id, 'a');
      await add({ mostOpen: 2 });
      await expect(add({ mostOpen: 2 })).rejects.toMatchObject({ code: 'overloaded' });
      await add({ kind: 'embedding', mostOpen: 1 });
      await store.cancelJob(id);
      await add({ mostOpen: 2 });
    });

    test('beyond the most that are kept the oldest go that are over', async () => {
      const waiting = await add();
      const over: number[] = [];
      for (let i = 0; i < MAX_JOBS + 2; i++) {
        const { id } = await add();
        await store.cancelJob(id);
        over.push(id);
      }
      const last = await add();
      expect((await store.listJobs()).map(({ id }) => id)).toEqual([
        last.id,
        ...over.slice(2).reverse(),
        waiting.id,
      ]);
    });

    test('one that nobody has renewed for a while waits again, and its former holder has lost it', async () => {
      const { id } = await running();
      expect(await store.takeJobsBack(AN_HOUR_MS, 3, 'died')).toBe(0);
      expect(await store.readJob(id)).toMatchObject({ status: 'running' });
      expect(await store.takeJobsBack(0, 3, 'died')).toBe(1);
      expect(await store.readJob(id)).toMatchObject({ status: 'queued', attempts: 1 });
      expect(await store.takeJob(id, 'b')).toMatchObject({ attempts: 2 });
      expect(await store.renewJob(id, 'a', { done: 9, total: 9 })).toBe(false);
      expect(await store.readJob(id)).toMatchObject({ status: 'running', done: 0 });
    });

    test('one that was begun often enough fails instead', async () => {
      const { id } = await running();
      await store.takeJobsBack(0, 2, 'died');
      await store.takeJob(id, 'b');
      expect(await store.takeJobsBack(0, 2, 'died')).toBe(1);
      expect(await store.readJob(id)).toMatchObject({ status: 'failed', error: 'died', attempts: 2 });
    });

    test('the watcher is told of those that are added here', async () => {
      const told: number[] = [];
      store.watchJobs({ added: ({ id }) => told.push(id), changed: () => undefined });
      const { id } = await add();
      await store.putBot('bank', {});
      const { job } = await store.addEvaluation('bank', {}, {}, { ...TRAINING, bot: 'bank' });
      expect(told).toEqual([id, job]);
    });

    testPersistence('they outlive the process', async () => {
      const { id } = await running();
      const record = await store.readJob(id);
      await reopen();
      expect(await store.readJob(id)).toEqual(record);
    });
  });
}
