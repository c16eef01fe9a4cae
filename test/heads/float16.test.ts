import { expect, test } from '@jest/globals';
import { fromFloat16, toFloat16 } from '../../src/heads/float16.js';

/** The value of a half by the definition of the format (IEEE 754, binary16). */
function valueOf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const ALL = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);

test('each of the 65,536 halves is read as the format says, and comes back as it was', () => {
  const numbers = fromFloat16(ALL);
  const wrong = [...ALL].filter((bits) => !Object.is(numbers[bits], valueOf(bits)));
  expect(wrong).toEqual([]);
  const back = toFloat16(numbers);
  const lost = [...ALL].filter((bits) => !Number.isNaN(numbers[bits]) && back[bits] !== bits);
  expect(lost).toEqual([]);
  const nans = [...ALL].filter((bits) => Number.isNaN(numbers[bits]));
  expect(nans.length).toBe(2 * 1023);
  expect([...fromFloat16(Uint16Array.from(nans, (bits) => back[bits]!))].every(Number.isNaN)).toBe(true);
});

test('what lies between two is rounded to the nearer one, halfway to the even one', () => {
  const halves = (...numbers: number[]) => [...fromFloat16(toFloat16(Float32Array.from(numbers)))];
  const step = 2 ** -10; // behind 1
  expect(halves(1 + step / 2, 1 + 1.5 * step, 1 + 0.49 * step, 1 + 0.51 * step)).toEqual([
    1,
    1 + 2 * step,
    1,
    1 + step,
  ]);
  expect(halves(-1 - step / 2, -1 - 1.5 * step)).toEqual([-1, -1 - 2 * step]);
  // Below 2^-14 the steps stay 2^-24.
  const least = 2 ** -24;
  expect(halves(least / 2, 1.5 * least, 0.51 * least, 2.5 * least)).toEqual([0, 2 * least, least, 2 * least]);
  // 65,504 is the largest; 65,520 is halfway to what there is not.
  expect(halves(65504, 65519, 65520, -65520, 1e9)).toEqual([65504, 65504, Infinity, -Infinity, Infinity]);
});

test('every halfway point between two halves goes to the even one', () => {
  const positive = ALL.subarray(0, 0x7bff); // all but the largest finite one
  const between = Float32Array.from(positive, (bits) => (valueOf(bits) + valueOf(bits + 1)) / 2);
  const wrong = [...toFloat16(between)].filter((found, bits) => found !== bits + (bits % 2));
  expect(wrong).toEqual([]);
});
