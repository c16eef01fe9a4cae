import { describe, expect, test } from '@jest/globals';
import { auroc, expectedCalibrationError, meanInterval, proportion } from '../../src/statistics/measures.js';

describe('measures, against values worked by hand', () => {
  test("Wilson's interval of 8 in 10", () => {
    // Wilson's score interval with z = 1.96: (0.4902, 0.9433).
    const { value, low, high } = proportion(8, 10);
    expect(value).toBe(0.8);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
  });

  test('an interval stays within 0 and 1 at the edges', () => {
    expect(proportion(0, 20).low).toBeCloseTo(0, 10);
    expect(proportion(20, 20).high).toBeCloseTo(1, 10);
  });

  test('the interval of the mean of four episodes', () => {
    // Standard deviation 0.1291 (n - 1), over 2, times 1.96.
    const { value, low, high } = meanInterval([0.6, 0.7, 0.8, 0.9]);
    expect(value).toBeCloseTo(0.75, 10);
    expect(low).toBeCloseTo(0.75 - 0.12652, 4);
    expect(high).toBeCloseTo(0.75 + 0.12652, 4);
  });

  test('expected calibration error of two bins', () => {
    // Bin (0, 0.5]: confidence 0.4, 0 of 1 right. Bin (0.5, 1]: mean 0.8, 1 of 2 right. (1 * 0.4 + 2 * 0.3) / 3.
    expect(expectedCalibrationError([0.4, 0.7, 0.9], [false, true, false], 2)).toBeCloseTo(1 / 3, 10);
  });

  test('AUROC counts ties as half', () => {
    // Pairs (0.9, 0.5), (0.9, 0.1), (0.5, 0.5) a tie, (0.5, 0.1): 3.5 of 4.
    expect(auroc([0.9, 0.5], [0.5, 0.1])).toBeCloseTo(3.5 / 4, 10);
    expect(auroc([1, 2], [0, -1])).toBe(1);
  });
});
