import { describe, expect, test } from '@jest/globals';
import { intentShape, leaveOneOut } from '../../src/heads/supportShape.js';

describe('the shape of an intent', () => {
  test('prototype and cohesion, worked by hand', () => {
    // (1, 0), (0.6, 0.8) and (0, 1): cosines 0.6, 0 and 0.8.
    const { prototype, rows, cohesion } = intentShape(Float32Array.of(1, 0, 0.6, 0.8, 0, 1), 2);
    const length = Math.hypot(1.6, 1.8);
    expect(rows).toBe(3);
    expect(prototype[0]).toBeCloseTo(1.6 / length, 6);
    expect(prototype[1]).toBeCloseTo(1.8 / length, 6);
    expect(cohesion).toBeCloseTo((0.6 + 0 + 0.8) / 3, 6);
  });

  test('one row has no cohesion, equal rows have all', () => {
    expect(intentShape(Float32Array.of(0.6, 0.8), 2).cohesion).toBe(0);
    expect(intentShape(Float32Array.of(0.6, 0.8, 0.6, 0.8), 2).cohesion).toBeCloseTo(1, 6);
  });
});

describe('leave-one-out', () => {
  // Class 0: examples (1, 0) and (0.6, 0.8), and its name (1, 0). Class 1: example (0, 1), and its name (0, 1).
  const support = { counts: [3, 2], rows: Float32Array.of(1, 0, 0.6, 0.8, 1, 0, 0, 1, 0, 1) };

  test('worked by hand', () => {
    const { inside, outside, cohesion } = leaveOneOut(support, [2, 1], 2)!;
    // Without (1, 0), class 0 is (1.6, 0.8) at length √3.2. Without (0.6, 0.8) it is (1, 0), cosine 0.6, and class 1 at 0.8
    // is nearer. Without (0, 1), class 1 is its name: cosine 1.
    expect(inside).toBeCloseTo(((1.6 / Math.sqrt(3.2) + 0.8) / 2 + 1) / 2, 6);
    // (1, 0) is at right angles to class 1, (0.6, 0.8) has 0.8; class 0 whole is (2.6, 0.8).
    expect(outside).toBeCloseTo(((0 + 0.8) / 2 + 0.8 / Math.hypot(2.6, 0.8)) / 2, 6);
    // Three pairs of class 0, 0.6 and 1 and 0.6, and one of class 1.
    expect(cohesion).toBeCloseTo((0.6 + 1 + 0.6 + 1) / 4, 6);
  });

  test('does not depend on the order of classes', () => {
    const turned = { counts: [2, 3], rows: Float32Array.of(0, 1, 0, 1, 1, 0, 0.6, 0.8, 1, 0) };
    const [a, b] = [leaveOneOut(support, [2, 1], 2)!, leaveOneOut(turned, [1, 2], 2)!];
    expect(b.inside).toBeCloseTo(a.inside, 6);
    expect(b.outside).toBeCloseTo(a.outside, 6);
  });

  test('there is nothing to leave out of one class, nor of names', () => {
    expect(leaveOneOut({ counts: [2], rows: Float32Array.of(1, 0, 0, 1) }, [2], 2)).toBeUndefined();
    expect(leaveOneOut({ counts: [1, 1], rows: Float32Array.of(1, 0, 0, 1) }, [0, 0], 2)).toBeUndefined();
  });

  test('no intent has two rows: nothing is known of cohesion', () => {
    const single = { counts: [1, 1], rows: Float32Array.of(1, 0, 0, 1) };
    expect(leaveOneOut(single, [1, 1], 2)!.cohesion).toBeUndefined();
  });

  test('of very many examples a sample is taken that says the same', () => {
    const many = Array.from({ length: 3000 }, (_, i) => [Math.cos(i % 7), Math.sin(i % 7)]).flat();
    const rows = Float32Array.from([...many, ...many]);
    const { inside, cohesion } = leaveOneOut({ counts: [3000, 3000], rows }, [3000, 3000], 2)!;
    const few = leaveOneOut({ counts: [700, 700], rows: rows.subarray(0, 2800) }, [700, 700], 2)!;
    expect(inside).toBeCloseTo(few.inside, 1);
    expect(cohesion).toBeCloseTo(few.cohesion!, 1);
  });
});
