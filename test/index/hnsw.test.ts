import { describe, expect, test } from '@jest/globals';
import { HnswIndex, searchBreadth } from '../../src/index/hnsw.js';
import { bruteForce, clustered, recall, unit } from './vectors.js';

const D = 16;

describe('HnswIndex', () => {
  test('finds 98 % of the nearest 50 among 4,000', () => {
    const all = clustered(4050, D, 11, 100);
    const index = HnswIndex.create(D);
    const held = new Map<number, Float32Array>();
    all.slice(0, 4000).forEach((vector, id) => {
      index.add(id, vector);
      held.set(id, vector);
    });
    const recalls = all
      .slice(4000)
      .map((query) => recall(index.search(query, 50), bruteForce(held, query, 50)));
    expect(recalls.reduce((sum, value) => sum + value, 0) / recalls.length).toBeGreaterThanOrEqual(0.98);
  });

  test('many equal vectors neither hide each other nor what lies beside them', () => {
    const index = HnswIndex.create(D);
    const [same, ...others] = clustered(300, D, 12, 1);
    for (let id = 0; id < 200; id++) index.add(id, same!);
    others.forEach((vector, i) => index.add(1000 + i, vector));
    expect(index.nodes).toBeLessThanOrEqual(300);
    const found = index.search(same!, 250);
    expect(found).toHaveLength(250);
    expect(found.slice(0, 200).map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, id) => id));
    for (let id = 0; id < 200; id++) index.remove(id);
    expect(index.search(same!, 50)).toHaveLength(50);
    expect(index.search(same!, 50).every(({ id }) => id >= 1000)).toBe(true);
  });

  test('a removed vector leaves a dead node, which lives again when the vector comes back', () => {
    const index = HnswIndex.create(2);
    index.add(1, Float32Array.of(1, 0));
    index.add(2, Float32Array.of(0, 1));
    index.remove(1);
    expect([index.size, index.nodes, index.dead]).toEqual([1, 2, 1]);
    index.add(9, Float32Array.of(1, 0));
    expect([index.size, index.nodes, index.dead]).toEqual([2, 2, 0]);
    index.add(9, Float32Array.of(0.6, 0.8));
    expect([index.size, index.nodes, index.dead]).toEqual([2, 3, 1]);
    expect(index.search(Float32Array.of(1, 0), 2).map(({ id }) => id)).toEqual([9, 2]);
  });

  test('finds k living neighbours behind any number of dead ones', () => {
    const index = HnswIndex.create(D);
    const all = clustered(1000, D, 13, 1);
    const query = all[0]!;
    all.forEach((vector, id) => index.add(id, vector));
    const nearest = index.search(query, 700);
    for (const { id } of nearest) index.remove(id);
    const found = index.search(query, 100);
    expect(found).toHaveLength(100);
    const gone = new Set(nearest.map(({ id }) => id));
    expect(found.some(({ id }) => gone.has(id))).toBe(false);
  });

  test('gives back the vector under an id, and a digest that changes with it', () => {
    const index = HnswIndex.create(2);
    index.add(1, Float32Array.of(0.6, 0.8));
    const before = index.digest(1);
    expect(index.get(1)).toEqual(Float32Array.of(0.6, 0.8));
    index.add(1, unit(Float32Array.of(0.6, 0.8001)));
    expect(index.digest(1)).not.toBe(before);
    index.remove(1);
    expect(index.get(1)).toBeUndefined();
    expect(index.digest(1)).toBeUndefined();
  });

  test('is empty and usable after it was cleared', () => {
    const index = HnswIndex.create(2);
    for (let id = 0; id < 2000; id++) index.add(id, unit(Float32Array.of(1, id)));
    index.clear();
    expect([index.size, index.nodes, index.dead]).toEqual([0, 0, 0]);
    expect(index.search(Float32Array.of(1, 0), 5)).toEqual([]);
    index.add(3, Float32Array.of(1, 0));
    index.add(4, Float32Array.of(0, 1));
    expect(index.search(Float32Array.of(1, 0), 5).map(({ id }) => id)).toEqual([3, 4]);
  });

  test('keeps more candidates the larger the graph and the more are wanted', () => {
    expect(searchBreadth(5_000, 10)).toBe(100);
    expect(searchBreadth(5_000, 80)).toBe(160);
    expect(searchBreadth(100_000, 50)).toBe(175);
    expect(searchBreadth(1_000_000, 50)).toBe(306);
  });
});
