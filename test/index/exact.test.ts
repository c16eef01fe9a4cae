import { describe, expect, test } from '@jest/globals';
import { ExactIndex } from '../../src/index/exact.js';
import { bruteForce, clustered } from './vectors.js';

describe('ExactIndex', () => {
  // Rows are padded to 16 floats; from 256 rows on the inner products are computed by another loop.
  test.each([1, 3, 16, 17, 50])('is exact in %i dimensions, through every growth', (dimension) => {
    const index = new ExactIndex(dimension);
    const held = new Map<number, Float32Array>();
    clustered(1100, dimension, dimension).forEach((vector, id) => {
      index.add(id, vector);
      held.set(id, vector);
      if (![1, 15, 16, 17, 255, 256, 257, 511, 512, 513, 1024, 1025].includes(index.size)) return;
      expect(index.search(vector, 20)).toEqual(bruteForce(held, vector, 20));
    });
  });

  test('gives a vector back, and forgets what it held when cleared', () => {
    const index = new ExactIndex(2);
    index.add(4, Float32Array.of(0.5, 0.25));
    expect(index.get(4)).toEqual(Float32Array.of(0.5, 0.25));
    expect(index.has(4)).toBe(true);
    expect(index.lastId()).toBe(4);
    index.clear();
    expect(index.size).toBe(0);
    expect(index.get(4)).toBeUndefined();
    expect(index.lastId()).toBeUndefined();
    index.add(5, Float32Array.of(1, 0));
    expect([...index.heldIds()]).toEqual([5]);
  });

  test.each([0, -1, 1.5, NaN])('refuses a dimension of %d', (dimension) => {
    expect(() => new ExactIndex(dimension)).toThrow(RangeError);
  });
});
