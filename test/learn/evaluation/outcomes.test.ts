import { describe, expect, test } from '@jest/globals';
import {
  accuracy,
  decodeHits,
  difference,
  discordant,
  encodeHits,
  mcnemar,
  seedDeviation,
} from '../../../src/learn/evaluation/outcomes.js';
import { proportion } from '../../../src/statistics/measures.js';

const queries = (hits: readonly number[]) => ({ all: { of: 1, hits } });
const episodes = (of: number, hits: readonly number[]) => ({ all: { of, hits } });

describe('accuracy', () => {
  test('over episodes is the mean ± 1.96 standard errors', () => {
    // Accuracies 0.5, 1, 0.75: mean 0.75, variance 0.0625, standard error 0.25 / √3.
    const { value, low, high } = accuracy([episodes(4, [2, 4, 3])]);
    expect(value).toBeCloseTo(0.75, 10);
    expect(high - value).toBeCloseTo((1.959964 * 0.25) / Math.sqrt(3), 10);
    expect(value - low).toBeCloseTo(high - value, 10);
  });

  test('over single queries of one run has the interval of Wilson', () => {
    expect(accuracy([queries([1, 0, 1, 1])])).toEqual(proportion(3, 4));
  });

  test('of several tasks is the mean of theirs, whatever their size', () => {
    const strata = { small: { of: 1, hits: [1, 0] }, large: { of: 1, hits: [1, 1, 1, 0] } };
    const { value, high } = accuracy([strata]);
    expect(value).toBeCloseTo((0.5 + 0.75) / 2, 10);
    // Squared standard errors 0.5 / 2 and 0.25 / 4; of the mean of two a quarter of their sum.
    expect(high - value).toBeCloseTo(1.959964 * Math.sqrt((0.25 + 0.0625) / 4), 10);
  });

  test('of several seeds is that of their mean, unit by unit', () => {
    const runs = [episodes(2, [2, 0]), episodes(2, [1, 1])];
    const { value, high } = accuracy(runs);
    expect(value).toBeCloseTo(0.5, 10);
    expect(high - value).toBeCloseTo(1.959964 * 0.25, 10); // 0.75 and 0.25: standard error 0.25
    expect(seedDeviation(runs)).toBeCloseTo(0, 10);
    expect(seedDeviation([episodes(2, [2, 2]), episodes(2, [0, 2])])).toBeCloseTo(Math.SQRT1_2 / 2, 10);
  });
});

describe('the difference to a baseline', () => {
  test('is paired: what moves both heads alike does not widen it', () => {
    const { value, low, high } = difference([episodes(4, [2, 4, 3])], [episodes(4, [1, 3, 2])]);
    expect(value).toBeCloseTo(0.25, 10);
    expect(high - low).toBeCloseTo(0, 10);
  });

  test('is refused where the queries are not the same', () => {
    expect(() => difference([episodes(4, [1, 2])], [episodes(4, [1])])).toThrow(RangeError);
    expect(() => difference([episodes(4, [1])], [episodes(5, [1])])).toThrow(RangeError);
  });
});

describe("McNemar's test", () => {
  test('gives the probabilities of a fair coin', () => {
    expect(mcnemar(0, 0)).toBe(1);
    expect(mcnemar(5, 0)).toBeCloseTo(2 / 32, 10);
    expect(mcnemar(1, 4)).toBeCloseTo((2 * (1 + 5)) / 32, 10);
    expect(mcnemar(3, 3)).toBe(1);
  });

  test('stands more differences than 2^-n has numbers for', () => {
    expect(mcnemar(1000, 1000)).toBe(1);
    const p = mcnemar(1100, 1000); // z = 99 / √2100 = 2.16 with continuity: two-sided 0.031
    expect(p).toBeGreaterThan(0.029);
    expect(p).toBeLessThan(0.033);
  });

  test('counts the queries on which two heads differ', () => {
    expect(discordant(queries([1, 1, 0, 0, 1]), queries([0, 1, 1, 0, 0]))).toEqual({ better: 2, worse: 1 });
  });
});

test.each([
  [1, [1, 0, 1], '3:a'],
  [1, [1, 1, 1, 1, 0, 1], '6:f4'],
  [5, [1, 0, 5], '105'],
  [50, [36, 0, 10, 50], 'A0aO'],
  [75, [75, 0, 7], '75 0 7'],
])('hits of units of %d are stored as text', (of, hits, text) => {
  expect(encodeHits({ of, hits })).toBe(text);
  expect(decodeHits(of, text)).toEqual({ of, hits });
});
