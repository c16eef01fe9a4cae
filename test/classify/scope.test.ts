import { describe, expect, test } from '@jest/globals';
import { defaultTemperature, softmax } from '../../src/classify/calibrate.js';
import {
  fittedScope,
  inScope,
  intentSimilarity,
  leaveOneOut,
  prototypeOf,
} from '../../src/classify/scope.js';
import { supportRows } from '../../src/classify/supportSet.js';
import { isTelling, readableName, textProblem } from '../../src/classify/text.js';

const row = (...values: number[]) => Float32Array.from(values);

describe('scope', () => {
  test('the similarity of a text to an intent mixes prototype and best row', () => {
    expect(intentSimilarity(0.6, 0.9, 4)).toBeCloseTo(0.7 * 0.6 + 0.3 * 0.9 + 0.1 / 4, 10);
  });

  test('leave-one-out, worked by hand', () => {
    // Class 0: examples (1, 0) and (0.6, 0.8), label (1, 0). Class 1: example (0, 1), label (0, 1).
    const support = supportRows(
      [
        { examples: [row(1, 0), row(0.6, 0.8)], label: row(1, 0), isTelling: true },
        { examples: [row(0, 1)], label: row(0, 1), isTelling: true },
      ],
      2,
    );
    // Without (1, 0), class 0 holds (0.6, 0.8) and (1, 0): prototype (1.6, 0.8)/sqrt 3.2, best row cosine 1.
    const first = 0.7 * (1.6 / Math.sqrt(3.2)) + 0.3 * 1 + 0.1 / 2;
    // Without (0.6, 0.8): prototype and best row (1, 0), cosine 0.6. Class 1 is (0, 1), cosine 0.8: it is nearer.
    const second = 0.7 * 0.8 + 0.3 * 0.8 + 0.1 / 2;
    // Without (0, 1), class 1 is its label alone: cosine 1.
    const third = 0.7 + 0.3 + 0.1 / 1;
    // To the other class: (1, 0) and (0, 1) are at right angles, and (0.6, 0.8) as above.
    const [p0, length] = [2.6, Math.hypot(2.6, 0.8)];
    const outside0 = (0.1 / 2 + second) / 2;
    const outside1 = 0.7 * (0.8 / length) + 0.3 * 0.8 + 0.1 / 3;
    expect(p0 / length).toBeGreaterThan(0.9);
    const { inside, outside } = leaveOneOut(support, 2)!;
    expect(inside).toBeCloseTo(((first + second) / 2 + third) / 2, 5);
    expect(outside).toBeCloseTo((outside0 + outside1) / 2, 5);
  });

  test('there is nothing to leave out of one class', () => {
    const classes = [{ examples: [row(1, 0), row(0, 1)], label: row(1, 0), isTelling: true }];
    expect(leaveOneOut(supportRows(classes, 2), 2)).toBeUndefined();
  });

  test('a text at the midpoint has even odds, and a counter-example as near as the intent halves them', () => {
    const scope = fittedScope({ inside: 0.8, outside: 0.5 });
    expect(inScope(scope, scope.midpoint)).toBeCloseTo(0.5, 10);
    expect(inScope(scope, 0.9, 0.9)).toBeCloseTo(0.5 * inScope(scope, 0.9), 10);
    expect(inScope(scope, 0.9, 0.2)).toBeCloseTo(inScope(scope, 0.9), 10);
    expect(inScope(scope, 1.05, 1)).toBeLessThan(0.5);
  });

  test('a prototype has unit length', () => {
    expect([...prototypeOf(row(3, 0, 0, 4), 2)]).toEqual([0.6000000238418579, 0.800000011920929]);
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

  test('the default is sharper the more intents there are, so that confidences do not sink', () => {
    const temperatures = [2, 20, 150].map((n) => defaultTemperature('adapted', Array<number>(n).fill(9)));
    expect(temperatures).toEqual([...temperatures].sort((a, b) => b - a));
    // The recommended head at 20 intents of 8 examples: 20 / (12.3 + 1.5 ln 20 + 1.5 ln 9).
    expect(temperatures[1]).toBeCloseTo(20 / (12.3 + 1.5 * Math.log(20) + 1.5 * Math.log(9)), 5);
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
