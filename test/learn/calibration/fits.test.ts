import { describe, expect, test } from '@jest/globals';
import type { ScopeModel } from '../../../src/heads/scopeDetector.js';
import { fitLogistic, logisticLoss, cellWeights } from '../../../src/learn/calibration/fitScope.js';
import {
  fitSharpness,
  type ScoredQuery,
  temperatureLoss,
} from '../../../src/learn/calibration/fitTemperature.js';
import type { ConvexPoint } from '../../../src/learn/calibration/newton.js';
import type { ScopeRecord } from '../../../src/learn/calibration/scopeRecords.js';
import { Random } from '../../../src/statistics/random.js';

/** Gradient and Hessian against differences of value and gradient. */
function checkDerivatives(loss: (weights: Float64Array) => ConvexPoint, at: Float64Array): void {
  const P = at.length;
  const { gradient, hessian } = loss(at);
  const h = 1e-5;
  for (let i = 0; i < P; i++) {
    const moved = (by: number) => loss(at.map((w, j) => (j === i ? w + by : w)));
    const [up, down] = [moved(h), moved(-h)];
    expect(gradient[i]).toBeCloseTo((up.value - down.value) / (2 * h), 6);
    for (let j = 0; j < P; j++) {
      expect(hessian[i * P + j]).toBeCloseTo((up.gradient[j]! - down.gradient[j]!) / (2 * h), 5);
    }
  }
}

describe('the detector', () => {
  const model: ScopeModel = 'default'; // prototype, best, expected, named, lnIntents, bias
  const constant = (inScope: boolean, weight: number) => ({
    candidates: [[0, 0, 0, 0, 0, 1]],
    inScope,
    weight,
  });

  test('derivatives are those of the loss', () => {
    const random = new Random(1);
    const features = Array.from({ length: 20 }, () => Array.from({ length: 4 }, () => random.next() - 0.5));
    const examples = features.map((_, i) => ({ inScope: i % 3 > 0, weight: 1 + (i % 4) }));
    checkDerivatives((w) => logisticLoss(w, features, examples), Float64Array.of(0.5, -1, 2, 0.1));
  });

  test('a bias alone comes to the log-odds of the weights', () => {
    const weights = fitLogistic(model, [constant(true, 6), constant(true, 3), constant(false, 1)]);
    expect(weights.at(-1)).toBeCloseTo(Math.log(9), 3);
    expect([...weights.subarray(0, -1)]).toEqual([0, 0, 0, 0, 0]);
  });

  test('finds the weights that drew the labels, by the intent that speaks most for a query', () => {
    const random = new Random(2);
    const truth = [8, 4, -5, -1, -0.5, -1];
    const odds = (x: readonly number[]) => x.reduce((sum, value, i) => sum + value * truth[i]!, 0);
    const examples = Array.from({ length: 20_000 }, () => {
      const lnIntents = 3 * random.next();
      const candidates = Array.from({ length: 2 }, () => [
        random.next(),
        random.next(),
        random.next(),
        random.below(2),
        lnIntents,
        1,
      ]);
      const p = 1 / (1 + Math.exp(-Math.max(...candidates.map(odds))));
      return { candidates, inScope: random.next() < p, weight: 1 };
    });
    const weights = fitLogistic(model, examples);
    truth.forEach((value, i) => expect(Math.abs(weights[i]! - value)).toBeLessThan(0.35));
  });

  test('coming nearer never speaks against a text, whatever the examples say', () => {
    const random = new Random(3);
    const backwards = Array.from({ length: 500 }, () => {
      const near = random.next();
      return { candidates: [[near, random.next(), 0, 0, 0, 1]], inScope: random.next() > near, weight: 1 };
    });
    const [prototype, best] = fitLogistic(model, backwards);
    expect(prototype).toBe(0);
    expect(best).toBeGreaterThanOrEqual(0);
  });

  test('every size and kind of query weighs the same, those in scope as much as was asked', () => {
    const record = (size: number, label: number) => ({ size, label }) as ScopeRecord;
    const records = [record(0, 3), record(0, -1), record(0, -2), record(0, -3), record(1, 0), record(1, 5)];
    expect(cellWeights(records, 2)).toEqual([2, 0.5, 0.25, 0.25, 1, 1]);
  });
});

describe('the temperature', () => {
  /** Queries whose labels are drawn from softmax((a + b ln N + c L) logits). */
  function drawn(truth: readonly number[], count: number): ScoredQuery[] {
    const random = new Random(4);
    return Array.from({ length: count }, (_, i) => {
      const C = [2, 8, 30][i % 3]!;
      const size = [1, Math.log(C), i % 2];
      const sharpness = size.reduce((sum, x, j) => sum + x * truth[j]!, 0);
      const logits = Float32Array.from({ length: C }, () => 4 * random.next());
      const label = random.weighted([...logits].map((logit) => Math.exp(sharpness * logit)));
      return { logits, label, size, weight: 1 };
    });
  }

  test('derivatives are those of the loss', () => {
    checkDerivatives((w) => temperatureLoss(w, drawn([1, 0, 0], 30)), Float64Array.of(0.8, 0.2, 0.1));
  });

  test('the loss of logits as they are is the cross-entropy, worked by hand', () => {
    const query = { logits: Float32Array.of(1000, 999), label: 1, size: [1], weight: 2 };
    expect(temperatureLoss(Float64Array.of(1), [query]).value).toBeCloseTo(Math.log(1 + Math.E), 5);
  });

  test('finds the sharpness that drew the labels', () => {
    const { base, lnIntents, lnRows } = fitSharpness(drawn([0.6, 0.3, 0.4], 20_000));
    expect(Math.abs(base - 0.6)).toBeLessThan(0.08);
    expect(Math.abs(lnIntents - 0.3)).toBeLessThan(0.05);
    expect(Math.abs(lnRows - 0.4)).toBeLessThan(0.08);
  });

  test('confidences never sink for a bot being larger', () => {
    expect(fitSharpness(drawn([1, -0.2, 0], 3000)).lnIntents).toBe(0);
  });
});
