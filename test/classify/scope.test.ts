import { describe, expect, test } from '@jest/globals';
import { softmax } from '../../src/classify/calibrate.js';
import { inScope } from '../../src/classify/scope.js';
import { supportRows } from '../../src/classify/supportSet.js';
import { isTelling, readableName, textProblem } from '../../src/classify/text.js';

const row = (...values: number[]) => Float32Array.from(values);

describe('scope', () => {
  test('a text at the midpoint has even odds', () => {
    expect(inScope({ similarity: 0.5, midpoint: 0.5, slope: 15 })).toBeCloseTo(0.5, 10);
    expect(inScope({ similarity: 0.6, midpoint: 0.5, slope: 15 })).toBeCloseTo(1 / (1 + Math.exp(-1.5)), 10);
  });

  test('a counter-example as near as the intent halves the odds, a far one leaves them alone', () => {
    const judgement = { similarity: 0.9, midpoint: 0.5, slope: 15 };
    expect(inScope(judgement, 0.9)).toBeCloseTo(0.5 * inScope(judgement), 10);
    expect(inScope(judgement, 0.2)).toBeCloseTo(inScope(judgement), 10);
    expect(inScope({ ...judgement, similarity: 1 }, 1)).toBeLessThanOrEqual(0.5);
  });
});

describe('support set', () => {
  test('a label counts as a row if it says something, or is all there is', () => {
    const example = row(1, 0);
    const label = row(0, 1);
    const { counts, labelled } = supportRows(
      [
        { examples: [example], label, isTelling: true },
        { examples: [example], label, isTelling: false },
        { examples: [], label, isTelling: false },
      ],
      2,
    );
    expect(counts).toEqual([2, 1, 1]);
    expect(labelled).toEqual([true, false, true]);
  });

  test('the newest 63 examples of an intent are looked at', () => {
    const examples = Array.from({ length: 100 }, (_, i) => row(i));
    const { counts, rows } = supportRows([{ examples, label: row(-1), isTelling: true }], 1);
    expect(counts).toEqual([64]);
    expect([rows[0], rows[62], rows[63]]).toEqual([37, 99, -1]);
  });
});

describe('temperature', () => {
  test('softmax at a temperature, worked by hand', () => {
    const [a, b] = softmax(row(2, 0), 2);
    expect(a).toBeCloseTo(Math.E / (Math.E + 1), 5);
    expect(b).toBeCloseTo(1 / (Math.E + 1), 5);
  });
});

describe('texts', () => {
  test.each([
    ['card_lost', 'card lost'],
    ['cardLost', 'card lost'],
    ['faq/ask-hours', 'faq ask hours'],
    ['Überweisung2Go', 'überweisung2 go'],
  ])('%s reads as "%s"', (name, readable) => {
    expect(readableName(name)).toBe(readable);
  });

  test.each([
    ['card lost', true],
    ['intent 17', false],
    ['x1', false],
    ['kartenverlust', true],
  ])('whether "%s" says something: %s', (name, telling) => {
    expect(isTelling(name)).toBe(telling);
  });

  test('length is counted in code points', () => {
    expect(textProblem('💳'.repeat(10), 10)).toBeUndefined();
    expect(textProblem('💳'.repeat(11), 10)).toBe('must be at most 10 characters long');
  });
});
