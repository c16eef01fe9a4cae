import { describe, expect, test } from '@jest/globals';
import { takeBatch, type BatchLimits } from '../../src/encoder/takeBatch.js';

const LIMITS: BatchLimits = { maxTexts: 4, maxTokens: 1000, passOverhead: 16 };

const lengthsOf = (waiting: readonly number[], limits = LIMITS): number[] =>
  takeBatch(
    waiting.map((tokens) => ({ tokens })),
    limits,
  ).map(({ tokens }) => tokens);

describe('takeBatch', () => {
  test('an empty queue gives an empty batch', () => {
    expect(lengthsOf([])).toEqual([]);
  });

  test('texts of like length share a pass, up to the limit of rows', () => {
    expect(lengthsOf([10, 10, 10, 10, 10, 10])).toEqual([10, 10, 10, 10]);
  });

  test('of equally long texts the oldest go first', () => {
    const waiting = [1, 2, 3, 4, 5, 6].map((age) => ({ tokens: 10, age }));
    expect(takeBatch(waiting, LIMITS).map(({ age }) => age)).toEqual([1, 2, 3, 4]);
  });

  test('a short text does not pay for the padding of a long one', () => {
    // With 100: (16 + 2 * 100 - 110) / 2 = 53 a row; alone: 16.
    expect(lengthsOf([10, 100])).toEqual([10]);
    expect(lengthsOf([100, 10])).toEqual([100]);
  });

  test('texts share a pass when its fixed cost outweighs their padding', () => {
    // (16 + 2 * 20 - 30) / 2 = 13 a row; alone 16.
    expect(lengthsOf([10, 20])).toEqual([10, 20]);
    expect(lengthsOf([10, 100], { ...LIMITS, passOverhead: 200 })).toEqual([10, 100]);
  });

  test('the padded tokens of a pass are bounded', () => {
    expect(lengthsOf([30, 30, 30, 30], { ...LIMITS, maxTokens: 90 })).toEqual([30, 30, 30]);
    // 3 * 40 would be 120, though 20 + 20 + 40 is only 80.
    expect(lengthsOf([20, 20, 40], { ...LIMITS, maxTokens: 100, passOverhead: 1000 })).toHaveLength(2);
  });

  test('a text that is longer than the bound goes alone', () => {
    expect(lengthsOf([500, 10], { ...LIMITS, maxTokens: 100 })).toEqual([500]);
  });

  test('always holds the oldest, keeps the limits, and takes nothing twice', () => {
    let state = 1;
    const random = (below: number): number => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    for (let round = 0; round < 300; round++) {
      const waiting = Array.from({ length: 1 + random(40) }, (_, age) => ({ age, tokens: 1 + random(60) }));
      const limits = { maxTexts: 1 + random(12), maxTokens: 20 + random(400), passOverhead: random(100) };
      const batch = takeBatch(waiting, limits);
      const longest = Math.max(...batch.map(({ tokens }) => tokens));
      expect(batch).toContain(waiting[0]);
      expect(new Set(batch).size).toBe(batch.length);
      expect(batch.length).toBeLessThanOrEqual(limits.maxTexts);
      if (batch.length > 1) expect(batch.length * longest).toBeLessThanOrEqual(limits.maxTokens);
    }
  });

  test('a queue that nothing joins is emptied, with little padding', () => {
    let waiting = Array.from({ length: 200 }, (_, i) => ({ tokens: 5 + ((i * 37) % 40) }));
    const tokens = waiting.reduce((sum, item) => sum + item.tokens, 0);
    let padded = 0;
    while (waiting.length > 0) {
      const batch = new Set(takeBatch(waiting, { maxTexts: 32, maxTokens: 2048, passOverhead: 16 }));
      padded += batch.size * Math.max(...[...batch].map((item) => item.tokens));
      waiting = waiting.filter((item) => !batch.has(item));
    }
    expect(padded / tokens).toBeLessThan(1.15);
  });
});
