import { expect, test } from '@jest/globals';
import { Throughput } from '../../src/encoder/throughput.js';

test('the first full pass replaces what was assumed, later ones are weighed in', () => {
  const throughput = new Throughput(64);
  expect(throughput.textsPerMs).toBe(0.2);
  throughput.measured(64, 64);
  expect(throughput.textsPerMs).toBe(1);
  throughput.measured(32, 64); // half full: 0.5
  expect(throughput.textsPerMs).toBeCloseTo(0.9); // 1 + 0.2 * (0.5 - 1)
});

test('small passes, which are dear by the text, do not lower it, but may raise it', () => {
  const throughput = new Throughput(64);
  throughput.measured(1, 20);
  expect(throughput.textsPerMs).toBe(0.2);
  throughput.measured(3, 10);
  expect(throughput.textsPerMs).toBeCloseTo(0.3);
});
