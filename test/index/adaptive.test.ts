import { describe, expect, test } from '@jest/globals';
import { AdaptiveIndex } from '../../src/index/adaptive.js';
import type { HnswIndex } from '../../src/index/hnsw.js';
import { bruteForce, clustered, ManualScheduler, similarities } from './vectors.js';

const D = 16;
const VECTORS = clustered(400, D, 21);

function create(exactLimit: number) {
  const scheduler = new ManualScheduler();
  const index = new AdaptiveIndex(D, { exactLimit, schedule: scheduler.schedule });
  const held = new Map<number, Float32Array>();
  const add = (id: number, vector = VECTORS[id]!): void => {
    index.add(id, vector);
    held.set(id, vector);
  };
  const remove = (id: number): void => {
    expect(index.remove(id)).toBe(true);
    held.delete(id);
  };
  const expectTruth = (): void => {
    for (const query of VECTORS.slice(0, 20))
      expect(similarities(index.search(query, 10))).toEqual(similarities(bruteForce(held, query, 10)));
  };
  const graphOf = async (): Promise<HnswIndex> => (await index.withGraph((graph) => Promise.resolve(graph)))!;
  return { scheduler, index, held, add, remove, expectTruth, graphOf };
}

describe('AdaptiveIndex', () => {
  test('has no work while it is small', () => {
    const { scheduler, index, add } = create(100);
    for (let id = 0; id < 100; id++) add(id);
    expect(scheduler.idle).toBe(true);
    expect(index.settled).toBe(true);
    expect(index.graphSize).toBe(0);
  });

  test('stays exact until its first graph holds everything, whatever changes meanwhile', () => {
    const { scheduler, index, add, remove, expectTruth } = create(100);
    for (let id = 0; id < 200; id++) add(id);
    expect(index.settled).toBe(false);
    scheduler.run(20);
    expect(index.graphSize).toBe(0); // begun, not in use
    add(300);
    add(1, VECTORS[301]); // had been taken
    add(199, VECTORS[302]); // had not
    remove(2);
    remove(198);
    expectTruth();
    scheduler.run(10);
    expect(index.graphSize).toBe(0);
    expectTruth();
    scheduler.run();
    expect(index.settled).toBe(true);
    expect(index.graphSize).toBe(199);
    expect(index.size).toBe(199);
    expectTruth(); // 199 are few enough for the graph not to miss any
  });

  test('a vector is found at once, before and after it reaches the graph', () => {
    const { scheduler, index, add, expectTruth } = create(100);
    for (let id = 0; id < 200; id++) add(id);
    scheduler.run();
    add(250);
    add(7, VECTORS[251]);
    expect(index.graphSize).toBe(199);
    expect(index.size).toBe(201);
    expectTruth();
    scheduler.run();
    expect(index.graphSize).toBe(201);
    expectTruth();
  });

  test('rebuilds the graph when too much of it is dead, and serves meanwhile', async () => {
    const { scheduler, index, add, remove, expectTruth, graphOf } = create(100);
    for (let id = 0; id < 300; id++) add(id);
    scheduler.run();
    const before = await graphOf();
    for (let id = 0; id < 100; id++) remove(id);
    expect(scheduler.idle).toBe(true); // a third is not yet too much
    remove(100);
    expect(index.settled).toBe(false);
    scheduler.run(20);
    remove(299);
    add(350);
    add(150, VECTORS[351]);
    expectTruth();
    scheduler.run();
    const after = await graphOf();
    expect(after).not.toBe(before);
    expect(after.size).toBe(index.size);
    expect(after.dead).toBeLessThanOrEqual(2);
    expect(before.nodes).toBe(0); // its memory was given back
    expectTruth();
  });

  test('goes back to exact search when little is left', () => {
    const { scheduler, index, add, remove, expectTruth } = create(100);
    for (let id = 0; id < 200; id++) add(id);
    scheduler.run();
    for (let id = 50; id < 200; id++) remove(id);
    scheduler.run();
    expect(index.graphSize).toBe(0);
    expect(index.size).toBe(50);
    expectTruth();
    remove(0);
    add(60);
    expect(index.settled).toBe(true);
  });

  test('gives up a graph in the making when little is left', () => {
    const { scheduler, index, add, remove, expectTruth } = create(100);
    for (let id = 0; id < 150; id++) add(id);
    scheduler.run(10);
    for (let id = 40; id < 150; id++) remove(id);
    scheduler.run();
    expect(index.settled).toBe(true);
    expect(index.graphSize).toBe(0);
    expectTruth();
  });

  test('leaves the graph alone while it is lent, and goes on afterwards', async () => {
    const { scheduler, index, add, remove, expectTruth } = create(100);
    for (let id = 0; id < 200; id++) add(id);
    scheduler.run();
    let finish = (): void => {};
    const lent = index.withGraph(() => new Promise<void>((resolve) => (finish = resolve)));
    await expect(index.withGraph(() => Promise.resolve())).rejects.toThrow('being written already');
    add(250);
    remove(3);
    scheduler.run();
    expect(index.graphSize).toBe(199);
    expectTruth();
    finish();
    await lent;
    scheduler.run();
    expect(index.graphSize).toBe(200);
    expectTruth();
  });

  test('does nothing more once closed, and still answers', () => {
    const { scheduler, index, add, expectTruth } = create(100);
    for (let id = 0; id < 200; id++) add(id);
    scheduler.run(10);
    index.close();
    scheduler.run();
    expect(index.graphSize).toBe(0);
    add(210);
    expect(scheduler.idle).toBe(true);
    expectTruth();
  });

  test('tells of a failure in the background once, and serves on', () => {
    const scheduler = new ManualScheduler();
    const errors: unknown[] = [];
    const index = new AdaptiveIndex(D, {
      exactLimit: 10,
      schedule: scheduler.schedule,
      onError: (error) => errors.push(error),
      parameters: {
        links: 16,
        get constructionBreadth(): number {
          throw new Error('out of memory');
        },
      },
    });
    for (let id = 0; id < 30; id++) index.add(id, VECTORS[id]!);
    scheduler.run();
    expect(errors).toEqual([new Error('out of memory')]);
    index.add(40, VECTORS[40]!);
    expect(scheduler.idle).toBe(true);
    expect(index.search(VECTORS[40]!, 1)[0]!.id).toBe(40);
  });

  test('works by itself, in slices that let others run', async () => {
    const index = new AdaptiveIndex(D, { exactLimit: 100 });
    for (let id = 0; id < 200; id++) index.add(id, VECTORS[id]!);
    let turns = 0;
    while (!index.settled) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(turns).toBeGreaterThan(20);
    expect(index.graphSize).toBe(200);
  });
});
