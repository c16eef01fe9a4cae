import { describe, expect, test } from '@jest/globals';
import type { VectorIndex } from '../../src/index/vectorIndex.js';
import { bruteForce, clustered, recall, seeded } from './vectors.js';

export interface Subject {
  readonly index: VectorIndex;
  /** Called between writes and searches: lets work in the background go on for a while, or to its end. */
  readonly work: () => void;
}

const D = 24;
const K = 10;

/** What every index must do. `leastRecall` is 1 for an index that compares all vectors. */
export function testVectorIndex(
  name: string,
  create: (dimension: number) => Subject,
  leastRecall: number,
): void {
  describe(name, () => {
    test('finds nothing when empty', () => {
      const { index } = create(D);
      expect(index.size).toBe(0);
      expect(index.dimension).toBe(D);
      expect(index.search(clustered(1, D, 1)[0]!, K)).toEqual([]);
    });

    test('gives the inner product, nearest first, fewer than k where fewer are held', () => {
      const { index, work } = create(2);
      index.add(7, Float32Array.of(1, 0));
      index.add(0, Float32Array.of(0, 1));
      index.add(4_294_967_295, Float32Array.of(0.6, 0.8));
      work();
      const found = index.search(Float32Array.of(0.8, 0.6), 5);
      expect(found.map(({ id }) => id)).toEqual([4_294_967_295, 7, 0]);
      expect(found[0]!.similarity).toBeCloseTo(0.96, 6);
      expect(found[1]!.similarity).toBeCloseTo(0.8, 6);
      expect(found[2]!.similarity).toBeCloseTo(0.6, 6);
      expect(index.search(Float32Array.of(0.8, 0.6), 1)).toHaveLength(1);
      expect(index.search(Float32Array.of(0.8, 0.6), 0)).toEqual([]);
    });

    test('breaks ties by the smaller id', () => {
      const { index, work } = create(2);
      for (const id of [9, 3, 30, 1, 12]) index.add(id, Float32Array.of(0, 1));
      index.add(5, Float32Array.of(1, 0));
      work();
      expect(index.search(Float32Array.of(0, 1), 3).map(({ id }) => id)).toEqual([1, 3, 9]);
      expect(index.search(Float32Array.of(1, 0), 6).map(({ id }) => id)).toEqual([5, 1, 3, 9, 12, 30]);
    });

    test('copies what it is given', () => {
      const { index, work } = create(2);
      const vector = Float32Array.of(1, 0);
      index.add(1, vector);
      vector.set([0, 1]);
      work();
      expect(index.search(Float32Array.of(1, 0), 1)[0]!.similarity).toBeCloseTo(1, 6);
    });

    test('replaces the vector under an id', () => {
      const { index, work } = create(2);
      index.add(1, Float32Array.of(1, 0));
      index.add(2, Float32Array.of(0.6, 0.8));
      work();
      index.add(1, Float32Array.of(0, 1));
      expect(index.size).toBe(2);
      expect(index.search(Float32Array.of(1, 0), 2).map(({ id }) => id)).toEqual([2, 1]);
      work();
      index.add(1, Float32Array.of(0, 1));
      index.add(1, Float32Array.of(1, 0));
      expect(index.size).toBe(2);
      expect(index.search(Float32Array.of(1, 0), 2).map(({ id }) => id)).toEqual([1, 2]);
    });

    test('one of several ids with the same vector can go, or get another vector', () => {
      const { index, work } = create(2);
      for (const id of [1, 2, 3]) index.add(id, Float32Array.of(1, 0));
      work();
      expect(index.remove(2)).toBe(true);
      index.add(3, Float32Array.of(0, 1));
      work();
      expect(index.search(Float32Array.of(1, 0), 5).map(({ id }) => id)).toEqual([1, 3]);
      expect(index.remove(1)).toBe(true);
      index.add(8, Float32Array.of(1, 0));
      work();
      expect(index.search(Float32Array.of(1, 0), 5).map(({ id }) => id)).toEqual([8, 3]);
    });

    test('says whether a removed id was there, and takes it again', () => {
      const { index, work } = create(2);
      index.add(1, Float32Array.of(1, 0));
      work();
      expect(index.remove(2)).toBe(false);
      expect(index.remove(1)).toBe(true);
      expect(index.remove(1)).toBe(false);
      expect(index.size).toBe(0);
      expect(index.search(Float32Array.of(1, 0), 3)).toEqual([]);
      work();
      index.add(1, Float32Array.of(1, 0));
      expect(index.search(Float32Array.of(1, 0), 3).map(({ id }) => id)).toEqual([1]);
    });

    test('says what is wrong with what it is given', () => {
      const { index } = create(3);
      const vector = Float32Array.of(1, 0, 0);
      expect(() => index.add(1, Float32Array.of(1, 0))).toThrow(
        new RangeError('a vector of 2 components was given to an index of dimension 3'),
      );
      expect(() => index.search(Float32Array.of(1, 0, 0, 0), 1)).toThrow(RangeError);
      expect(() => index.add(1, Float32Array.of(1, NaN, 0))).toThrow('not a finite number');
      expect(() => index.add(1, Float32Array.of(1, 0, Infinity))).toThrow('not a finite number');
      for (const id of [-1, 0.5, 2 ** 32, NaN]) expect(() => index.add(id, vector)).toThrow(RangeError);
      for (const k of [-1, 0.5, NaN]) expect(() => index.search(vector, k)).toThrow(RangeError);
      expect(index.size).toBe(0);
    });

    test('finds what a comparison with all finds, while it grows, is replaced and shrinks', () => {
      const { index, work } = create(D);
      const all = clustered(1220, D, 2);
      const vectors = all.slice(0, 1200);
      const queries = all.slice(1200);
      const held = new Map<number, Float32Array>();
      const random = seeded(4);
      const check = (): void => {
        expect(index.size).toBe(held.size);
        let total = 0;
        for (const query of queries) {
          const found = index.search(query, K);
          const truth = bruteForce(held, query, K);
          expect(found).toHaveLength(truth.length);
          for (const { id, similarity } of found) {
            const vector = held.get(id);
            expect(vector).toBeDefined(); // what was removed is never found
            const product = vector!.reduce((sum, value, i) => sum + value * query[i]!, 0);
            expect(similarity).toBe(product);
          }
          if (leastRecall === 1) expect(found).toEqual(truth);
          total += recall(found, truth);
        }
        expect(total / queries.length).toBeGreaterThanOrEqual(leastRecall);
      };
      // Sparse ids, far apart.
      const idOf = (i: number): number => i * 1_400_003;
      vectors.forEach((vector, i) => {
        index.add(idOf(i), vector);
        held.set(idOf(i), vector);
        if (i % 300 === 0) {
          work();
          check();
        }
      });
      check();
      for (const i of vectors.keys()) {
        const action = random();
        if (action < 0.6) {
          expect(index.remove(idOf(i))).toBe(true);
          held.delete(idOf(i));
        } else if (action < 0.8) {
          const other = vectors[i]!.map((value) => value + Math.round(4 * random() - 2) / 64);
          index.add(idOf(i), other);
          held.set(idOf(i), other);
        }
        if (i % 300 === 0) {
          work();
          check();
        }
      }
      work();
      check();
      for (const id of held.keys()) {
        index.remove(id);
        held.delete(id);
        if (held.size % 100 === 3) check();
      }
      expect(index.size).toBe(0);
    });
  });
}
