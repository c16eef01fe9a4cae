import { describe, expect, test } from '@jest/globals';
import { headlineOf, measuresOf } from '../../../src/classify/evaluation/measures.js';
import { row } from './rows.js';

// Worked by hand: five texts of `a`, three of `b`, two out of scope.
const ROWS = [
  row('a', 'a', { confidence: 0.95 }),
  row('a', 'a', { confidence: 0.92 }),
  row('a', 'a', { confidence: 0.75, in_scope: 0.4 }), // right, but not answered
  row('a', 'b', { confidence: 0.65 }),
  row('a', 'b', { confidence: 0.61 }),
  row('b', 'b', { confidence: 1 }),
  row('b', 'b', { confidence: 0.97 }),
  row('b', 'c', { confidence: 0.35, in_scope: 0.6 }),
  row(null, 'a', { confidence: 0.5, in_scope: 0.2 }), // found
  row(null, 'b', { confidence: 0.7, in_scope: 0.7 }), // answered
];

describe('the measures of ten texts', () => {
  const measures = measuresOf(ROWS);

  test('accuracy counts what is rightly out of scope; the best intent is judged in scope alone', () => {
    // Right: two of a, two of b, one out of scope. Wilson's interval of 5 in 10: (0.2366, 0.7634).
    expect(measures.accuracy).toEqual({ correct: 5, total: 10, share: 0.5, low: 0.2366, high: 0.7634 });
    expect(measures.intent_accuracy).toMatchObject({ correct: 5, total: 8, share: 0.625 });
  });

  test('each intent that was expected, then those that were only answered', () => {
    expect(measures.intents).toEqual([
      {
        intent: 'a',
        texts: 5,
        recall: 0.4,
        precision: 1, // answered twice
        f1: 0.5714, // 2 * 2 / (5 + 2)
        confused_with: [
          { intent: 'b', texts: 2 },
          { intent: null, texts: 1 },
        ],
      },
      {
        intent: 'b',
        texts: 3,
        recall: 0.6667,
        precision: 0.4, // of five answers, one to a text out of scope
        f1: 0.5,
        confused_with: [{ intent: 'c', texts: 1 }],
      },
      { intent: 'c', texts: 0, recall: null, precision: 0, f1: null, confused_with: [] },
    ]);
  });

  test('out of scope: one of two found, and one of two that were found is', () => {
    expect(measures.out_of_scope).toEqual({ texts: 2, recall: 0.5, precision: 0.5 });
  });

  test('reliability looks at texts in scope, in ten bins', () => {
    const { error, bins } = measures.reliability;
    expect(bins).toHaveLength(10);
    expect(bins[3]).toEqual({ from: 0.3, to: 0.4, texts: 1, confidence: 0.35, accuracy: 0 });
    expect(bins[4]).toEqual({ from: 0.4, to: 0.5, texts: 0, confidence: null, accuracy: null });
    expect(bins[6]).toMatchObject({ texts: 2, confidence: 0.63, accuracy: 0 });
    expect(bins[7]).toMatchObject({ texts: 1, confidence: 0.75, accuracy: 1 });
    expect(bins[9]).toMatchObject({ texts: 4, confidence: 0.96, accuracy: 1 });
    // (1 * 0.35 + 2 * 0.63 + 1 * 0.25 + 4 * 0.04) / 8
    expect(error).toBe(0.2525);
  });

  test('thresholds from 0 to 1, without scoring anew', () => {
    expect(measures.thresholds).toHaveLength(101);
    const at = (threshold: number) => measures.thresholds.find((point) => point.threshold === threshold);
    expect(at(0)).toEqual({ threshold: 0, coverage: 1, accuracy: 0.5, out_of_scope_recall: 0 });
    // Seven of eight in scope are answered, and one that is not; four of the eight answers are right.
    expect(at(0.5)).toEqual({ threshold: 0.5, coverage: 0.875, accuracy: 0.5, out_of_scope_recall: 0.5 });
    expect(at(0.75)).toEqual({ threshold: 0.75, coverage: 0.75, accuracy: 0.6667, out_of_scope_recall: 1 });
    expect(at(1)).toEqual({ threshold: 1, coverage: 0, accuracy: null, out_of_scope_recall: 1 });
  });

  test('the headline is drawn from them', () => {
    expect(headlineOf(measures)).toEqual({
      texts: 10,
      accuracy: 0.5,
      out_of_scope_recall: 0.5,
      calibration_error: 0.2525,
    });
  });
});

test('what there is none of is null, not a number that means nothing', () => {
  const outside = measuresOf([row(null, null, { confidence: 0, in_scope: 0 })]);
  expect(outside.accuracy).toMatchObject({ correct: 1, share: 1, high: 1 });
  expect(outside.intent_accuracy).toEqual({ correct: 0, total: 0, share: 0, low: 0, high: 1 });
  expect(outside.reliability.error).toBeNull();
  expect(outside.thresholds[0]).toEqual({
    threshold: 0,
    coverage: null,
    accuracy: null,
    out_of_scope_recall: 1,
  });
  expect(measuresOf([row('a', 'a')]).out_of_scope).toEqual({ texts: 0, recall: null, precision: null });
});
