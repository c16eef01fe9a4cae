import { describe, expect, test } from '@jest/globals';
import { normaliseRows, pool, poolSpans } from '../../src/encoder/pooling.js';

// Two texts, three tokens wide, two dimensions; the second has one token, the rest of its row is padding.
const HIDDEN = new Float32Array([1, 2, 3, 4, 5, 9, 7, 8, 100, 100, 100, 100]);
const LENGTHS = new Int32Array([3, 1]);

describe('pool', () => {
  test('mean ignores padding', () => {
    expect([...pool(HIDDEN, LENGTHS, 3, 2, 'mean')]).toEqual([3, 5, 7, 8]);
  });

  test('cls takes the first token', () => {
    expect([...pool(HIDDEN, LENGTHS, 3, 2, 'cls')]).toEqual([1, 2, 7, 8]);
  });
});

test('poolSpans puts the means of spans behind each embedding; one without a token has the embedding', () => {
  const embeddings = new Float32Array([10, 20, 30, 40]);
  const spans = new Int32Array([1, 3, 0, 1, 0, 1, 1, 1]); // two a text
  expect([...poolSpans(HIDDEN, spans, embeddings, 3, 2)]).toEqual([
    10, 20, 4, 6.5, 1, 2, 30, 40, 7, 8, 30, 40,
  ]);
});

describe('normaliseRows', () => {
  test('every row gets unit length', () => {
    const rows = new Float32Array([3, 4, 0, -2]);
    normaliseRows(rows, 2);
    expect(rows[0]).toBeCloseTo(0.6, 6);
    expect(rows[1]).toBeCloseTo(0.8, 6);
    expect([...rows.subarray(2)]).toEqual([0, -1]);
  });

  test.each([
    ['zero', [0, 0]],
    ['not a number', [NaN, 1]],
    ['infinite', [Infinity, 1]],
  ])('a row that is %s is an error', (_name, row) => {
    expect(() => normaliseRows(new Float32Array(row), 2)).toThrow(RangeError);
  });
});
