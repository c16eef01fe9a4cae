import { expect, test } from '@jest/globals';
import { Throughput } from '../../src/encoder/throughput.js';

test('the first pass replaces what was assumed; the longer a later one took, the more it counts', () => {
  const throughput = new Throughput();
  expect(throughput.textsPerMs).toBe(0.2);
  throughput.measured(64, 64);
  expect(throughput.textsPerMs).toBe(1);
  throughput.measured(100, 500); // 0.2 a ms, half of the weight
  expect(throughput.textsPerMs).toBeCloseTo(0.6);
  throughput.measured(25, 125); // 0.2 a ms, a fifth
  expect(throughput.textsPerMs).toBeCloseTo(0.52);
});
