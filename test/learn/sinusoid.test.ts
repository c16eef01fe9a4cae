import { tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { initHeads } from '../../src/heads/runtime.js';
import { Random } from '../../src/statistics/random.js';
import {
  curveAfter,
  drawPoints,
  drawWave,
  errorBySteps,
  initNetwork,
  trainNetwork,
  valueAt,
} from '../../src/learn/sinusoid.js';

beforeAll(initHeads);

describe('the sinusoid example', () => {
  test('waves have the amplitudes and phases of the paper, and points lie on them', () => {
    const random = new Random(1);
    for (let i = 0; i < 50; i++) {
      const wave = drawWave(random);
      expect(wave.amplitude).toBeGreaterThanOrEqual(0.1);
      expect(wave.amplitude).toBeLessThan(5);
      expect(wave.phase).toBeLessThan(Math.PI);
      const { x, y } = drawPoints([wave], random, 3);
      const [xs, ys] = [x.dataSync() as Float32Array, y.dataSync() as Float32Array];
      xs.forEach((at, k) => {
        expect(Math.abs(at)).toBeLessThanOrEqual(5);
        expect(ys[k]).toBeCloseTo(valueAt(wave, at), 4);
      });
    }
    expect(valueAt({ amplitude: 2, phase: Math.PI / 2 }, 0)).toBeCloseTo(2, 12);
  });

  test('steps on ten points of a wave bring the curve nearer to them', () => {
    const wave = { amplitude: 2, phase: 0.3 };
    const network = initNetwork(3);
    const support = () => drawPoints([wave], new Random(2));
    const { x, y } = support();
    const [xs, ys] = [Array.from(x.dataSync() as Float32Array), y.dataSync() as Float32Array];
    const errorAfter = (steps: number) =>
      curveAfter(network, support(), steps, xs).reduce((sum, value, k) => sum + (value - ys[k]!) ** 2, 0);
    const errors = [0, 1, 10, 40].map(errorAfter);
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    expect(errors[3]).toBeLessThan(0.7 * errors[0]!);
    tree.dispose(network);
  });

  test('training by MAML lowers the error after a step, at the same seed to the same', () => {
    const train = () => trainNetwork('maml', 40, new Random(5));
    const [trained, again, untrained] = [train(), train(), initNetwork(1)];
    const errorsOf = (network: typeof trained) =>
      errorBySteps(network, 1, 100, new Random(6)).map(({ value }) => value);
    const [before, after] = errorsOf(trained);
    expect(after!).toBeLessThan(before!);
    expect(after!).toBeLessThan(errorsOf(untrained)[1]!);
    expect(errorsOf(again)).toEqual([before, after]);
    tree.dispose([trained, again, untrained]);
  });
});
