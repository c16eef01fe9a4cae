import { describe, expect, test } from '@jest/globals';
import { TokenBucket } from '../../src/keys/tokenBucket.js';

describe('a rate', () => {
  test('lets as many through at once as come in a second, then one by one', () => {
    const bucket = new TokenBucket(4, 0);
    expect([0, 0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 0, 0, 250]);
    expect(bucket.take(100)).toBe(150);
    expect(bucket.take(250)).toBe(0);
    expect(bucket.take(250)).toBe(250);
  });

  test('below one a second lets one through, and the next when its time has come', () => {
    const bucket = new TokenBucket(0.1, 0);
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(4000)).toBeCloseTo(6000);
    expect(bucket.take(10_000)).toBe(0);
  });

  test('is not saved up', () => {
    const bucket = new TokenBucket(2, 0);
    expect([0, 0, 0].map(() => bucket.take(3_600_000))).toEqual([0, 0, 500]);
  });

  test('does not refill while the clock goes back', () => {
    const bucket = new TokenBucket(1, 10_000);
    expect(bucket.take(10_000)).toBe(0);
    expect(bucket.take(5000)).toBe(1000);
    expect(bucket.take(6000)).toBe(0);
  });
});
