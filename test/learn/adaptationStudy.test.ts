import { random, tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { adaptedHead } from '../../src/heads/adapted.js';
import { maml } from '../../src/heads/maml.js';
import { initHeads } from '../../src/heads/runtime.js';
import { atSteps, madeUpSupport, meanAccuracy, stepsOf } from '../../src/learn/adaptationStudy.js';
import { EvaluatedHead } from '../../src/learn/evaluation/evaluatedHead.js';
import { Random } from '../../src/statistics/random.js';
import { expectClose, moved } from '../heads/arrays.js';

beforeAll(initHeads);

const D = 12;

describe('the study of adaptation', () => {
  test('made-up examples are of unit length, and as near to one another as paraphrases', () => {
    const { counts, rows } = madeUpSupport(3, 4, 384, new Random(1));
    expect(counts).toEqual([4, 4, 4]);
    const row = (i: number) => rows.subarray(i * 384, (i + 1) * 384);
    const cosine = (i: number, j: number) => row(i).reduce((sum, value, d) => sum + value * row(j)[d]!, 0);
    expect(cosine(0, 0)).toBeCloseTo(1, 4);
    expect(cosine(0, 1)).toBeGreaterThan(0.45);
    expect(Math.abs(cosine(0, 4))).toBeLessThan(0.2);
  });

  test('settings count the same, however many queries they have', () => {
    const all = {
      a: { all: { of: 1, hits: [1, 1, 1, 1] } },
      b: { all: { of: 1, hits: [0, 1] } },
    };
    expect(meanAccuracy(all).value).toBeCloseTo(0.75, 12);
  });

  test('a head is cut short: no step leaves it where it starts, all are what it was', () => {
    const head = maml('proto-maml', { steps: 3, rowRate: 200, bodyRate: 100 });
    const whole = new EvaluatedHead(head, D, moved(head.init(random.key(1), D), 0.02, 7));
    const support = madeUpSupport(3, 4, D, new Random(2));
    const weightsAt = (steps: number) => {
      const cut = atSteps(whole, steps);
      expect(stepsOf(cut)).toBe(steps);
      const { weights } = cut.runtime.adapt(support);
      cut.dispose();
      return weights!.data;
    };
    expectClose(weightsAt(0), whole.runtime.induce(support).weights!.data, 1e-5);
    expectClose(weightsAt(3), whole.runtime.adapt(support).weights!.data, 1e-5);
    const moves = weightsAt(1).map((value, i) => Math.abs(value - weightsAt(0)[i]!));
    expect(Math.max(...moves)).toBeGreaterThan(1e-3);
    whole.dispose();
  });

  test('of a head without parameters too', () => {
    const head = adaptedHead();
    const whole = new EvaluatedHead(head, D, {});
    const support = madeUpSupport(2, 3, D, new Random(3));
    const cut = atSteps(whole, 0);
    expectClose(
      cut.runtime.adapt(support).prototypes!.data,
      whole.runtime.induce(support).prototypes!.data,
      1e-5,
    );
    tree.dispose(whole.params);
    cut.dispose();
  });
});
