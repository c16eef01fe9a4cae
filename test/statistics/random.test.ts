import { describe, expect, test } from '@jest/globals';
import { Random } from '../../src/statistics/random.js';

const draws = (random: Random, n: number) => Array.from({ length: n }, () => random.word());

describe('a seeded generator', () => {
  test('repeats itself for one seed and differs for another', () => {
    expect(draws(new Random(7), 50)).toEqual(draws(new Random(7), 50));
    expect(draws(new Random(7), 50)).not.toEqual(draws(new Random(8), 50));
    expect(draws(new Random(7), 5)).not.toEqual(draws(new Random('7'), 5));
  });

  test('splits by label alone, whatever was drawn before', () => {
    const fresh = new Random(1).split('episodes').split(4711);
    const used = new Random(1);
    draws(used, 13);
    const child = used.split('episodes');
    draws(child, 5);
    expect(draws(child.split(4711), 20)).toEqual(draws(fresh, 20));
    expect(draws(new Random(1).split('a'), 20)).not.toEqual(draws(new Random(1).split('b'), 20));
    expect(draws(new Random(1).split(1), 20)).not.toEqual(draws(new Random(1).split('1'), 20));
  });

  test('is uniform: mean and variance of [0, 1), and every remainder alike', () => {
    const random = new Random(3);
    const n = 100_000;
    const values = Array.from({ length: n }, () => random.next());
    const mean = values.reduce((a, b) => a + b) / n;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n;
    expect(mean).toBeCloseTo(0.5, 2); // its standard error is 0.0009
    expect(variance).toBeCloseTo(1 / 12, 2);
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);

    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.below(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500); // five standard errors
  });

  test('draws between bounds, both included', () => {
    const random = new Random(5);
    const seen = new Set(Array.from({ length: 500 }, () => random.between(3, 6)));
    expect([...seen].sort()).toEqual([3, 4, 5, 6]);
  });

  test('log-uniform: each doubling is as likely', () => {
    const random = new Random(5);
    const counts = new Map<number, number>();
    for (let i = 0; i < 40_000; i++) {
      const octave = Math.floor(Math.log2(random.logUniform(1, 15)));
      counts.set(octave, (counts.get(octave) ?? 0) + 1);
    }
    // 1 | 2..3 | 4..7 | 8..15
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3]);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(random.logUniform(9, 9)).toBe(9);
  });

  test('samples without replacement, each item as often at each place', () => {
    const random = new Random(11);
    const places = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const picked = random.sample(['a', 'b', 'c', 'd'], 3);
      expect(new Set(picked).size).toBe(3);
      picked.forEach((item, place) => places.set(item + place, (places.get(item + place) ?? 0) + 1));
    }
    expect(places.size).toBe(12);
    for (const count of places.values()) expect(Math.abs(count - 3000)).toBeLessThan(250);
    expect(random.sample([1, 2], 0)).toEqual([]);
    expect(() => random.sample([1, 2], 3)).toThrow(RangeError);
  });

  test('weights', () => {
    const random = new Random(2);
    const counts = [0, 0, 0];
    for (let i = 0; i < 40_000; i++) counts[random.weighted([1, 0, 3])]!++;
    expect(counts[1]).toBe(0);
    expect(counts[2]! / counts[0]!).toBeCloseTo(3, 0);
    expect(() => random.weighted([0, 0])).toThrow(RangeError);
    expect(() => random.below(0)).toThrow(RangeError);
  });
});
