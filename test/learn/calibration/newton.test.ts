import { describe, expect, test } from '@jest/globals';
import { newton } from '../../../src/learn/calibration/newton.js';

/** (x - a)² + (y - b)² + xy. */
const bowl =
  (a: number, b: number) =>
  ([x, y]: Float64Array) => ({
    value: (x! - a) ** 2 + (y! - b) ** 2 + x! * y!,
    gradient: Float64Array.of(2 * (x! - a) + y!, 2 * (y! - b) + x!),
    hessian: Float64Array.of(2, 1, 1, 2),
  });

describe("Newton's method", () => {
  test('finds the minimum of a quadratic', () => {
    // 2x + y = 2a and x + 2y = 2b.
    const [x, y] = newton(bowl(3, 3), Float64Array.of(0, 0));
    expect([x, y]).toEqual([expect.closeTo(2, 8), expect.closeTo(2, 8)]);
  });

  test('stays within bounds, and moves along them', () => {
    // Free it would be (-2, 4); with x at 0, y is b.
    const free = newton(bowl(0, 3), Float64Array.of(5, 5));
    expect([...free]).toEqual([expect.closeTo(-2, 8), expect.closeTo(4, 8)]);
    const bounded = newton(bowl(0, 3), Float64Array.of(5, 5), { nonNegative: [0] });
    expect([...bounded]).toEqual([0, expect.closeTo(3, 8)]);
  });

  test('leaves a bound again that was only on its way', () => {
    const [x, y] = newton(bowl(3, 3), Float64Array.of(0, 9), { nonNegative: [0, 1] });
    expect([x, y]).toEqual([expect.closeTo(2, 8), expect.closeTo(2, 8)]);
  });

  test('comes down where a whole step would overshoot', () => {
    // ln cosh x: from 2 a whole step leads away.
    const [x] = newton(
      ([at]) => ({
        value: Math.log(Math.cosh(at!)),
        gradient: Float64Array.of(Math.tanh(at!)),
        hessian: Float64Array.of(1 - Math.tanh(at!) ** 2),
      }),
      Float64Array.of(2),
    );
    expect(x).toBeCloseTo(0, 4);
  });

  test('says when there is no one minimum', () => {
    const plane = () => ({ value: 0, gradient: Float64Array.of(1, 1), hessian: new Float64Array(4) });
    expect(() => newton(plane, Float64Array.of(0, 0))).toThrow(/singular/);
  });
});
