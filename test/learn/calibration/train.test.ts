import { beforeAll, describe, expect, test } from '@jest/globals';
import { createHead } from '../../../src/heads/registry.js';
import { HeadRuntime, initHeads } from '../../../src/heads/runtime.js';
import { BotSampler, type CalibrationSet, FAR, NEAR } from '../../../src/learn/calibration/bots.js';
import { scopeRecords } from '../../../src/learn/calibration/scopeRecords.js';
import { trainCalibration } from '../../../src/learn/calibration/train.js';
import { Random } from '../../../src/statistics/random.js';
import { seeded, unitRows } from '../../heads/random.js';

const D = 16;

/** Classes as clouds around directions of their own, and texts that are nowhere. */
function cloudySet(name: string, seed: number, classes = 30, texts = 40): CalibrationSet {
  const random = seeded(seed);
  const centres = unitRows(classes, D, random);
  const n = classes * texts;
  const set = {
    name,
    texts: Array.from({ length: n }, (_, row) => `text ${row}`),
    labels: Int32Array.from({ length: n }, (_, row) => row % classes),
    classes: Array.from({ length: classes }, (_, c) => ({ name: `class ${c}` })),
    outOfScope: [],
  };
  const embeddings = unitRows(n, D, random, centres, 1.5);
  return {
    name,
    embedded: { set, dimension: D, embeddings, names: centres, outOfScope: new Float32Array() },
    far: [{ name: 'nowhere', embeddings: unitRows(200, D, random) }],
  };
}

describe('sampled bots', () => {
  const sampler = new BotSampler(cloudySet('one', 1));

  test('are of every size that the set has classes for, with queries of each kind', () => {
    const sizes = new Set<number>();
    for (let i = 0; i < 12; i++) {
      const { size, support, examples, queries, labels } = sampler.sample(i, new Random(i));
      sizes.add(size);
      expect(queries.length).toBe(labels.length * D);
      expect(support.rows.length).toBe(support.counts.reduce((sum, n) => sum + n, 0) * D);
      expect(support.counts.every((count, c) => count >= 1 && count - examples[c]! <= 1)).toBe(true);
      expect(labels).toContain(NEAR);
      expect(labels.filter((label) => label === FAR)).toHaveLength(25);
      expect(Math.max(...labels)).toBe(support.counts.length - 1);
    }
    expect([...sizes].sort()).toEqual([0, 1, 2]);
  });

  test('the same generator gives the same bot', () => {
    expect(sampler.sample(3, new Random(7))).toEqual(sampler.sample(3, new Random(7)));
  });
});

describe('records', () => {
  test('a query is near to the intents of the nearest five examples, worked by hand', () => {
    const at = (degrees: number) => [
      Math.cos((degrees * Math.PI) / 180),
      Math.sin((degrees * Math.PI) / 180),
    ];
    const [record] = scopeRecords({
      size: 0,
      // Three examples and a name, two examples, one name alone, an example that is sixth.
      support: {
        counts: [4, 2, 1, 1],
        rows: Float32Array.from([10, 20, 30, 5, 15, 25, 12, 90].flatMap(at)),
        names: new Float32Array(8),
      },
      examples: [3, 2, 0, 1],
      queries: Float32Array.from(at(0)),
      labels: Int32Array.of(NEAR),
    });
    const cos = (degrees: number) => at(degrees)[0]!;
    // 10, 12, 15, 20 and 25 degrees: the first intent, the third, the second.
    expect(record!.near.map(({ best }) => best)).toEqual([
      expect.closeTo(cos(5), 6), // its name is nearer than its examples
      expect.closeTo(cos(12), 6),
      expect.closeTo(cos(15), 6),
    ]);
    expect(record!.near.map(({ named }) => named)).toEqual([false, true, false]);
    expect(record!.near[2]!.prototype).toBeCloseTo(cos(20), 6);
    expect(record!.nearestPrototype).toBeCloseTo(cos(12), 6);
    expect(record!.bot.intents).toBe(4);
  });
});

describe('training', () => {
  beforeAll(initHeads);

  const plan = () => ({
    sets: [cloudySet('one', 1), cloudySet('two', 5)],
    heads: [
      {
        name: 'prototypical',
        open: () => ({ runtime: new HeadRuntime(createHead('prototypical'), D), dispose() {} }),
      },
    ],
    seed: 1,
    episodes: 9,
    headEpisodes: 6,
    inScopeWeight: 2,
  });

  test('learns to tell clouds from nowhere, on a set that it was not trained on, the same each time', () => {
    const { scope, sharpness, results } = trainCalibration(plan());
    expect(scope.fitted.prototype).toBeGreaterThan(0);
    expect(Object.keys(results.scope)).toEqual(['one', 'two']);
    for (const { far, balancedAccuracy } of Object.values(results.scope)) {
      expect(far['nowhere']).toBeGreaterThan(0.85);
      expect(balancedAccuracy).toBeGreaterThan(0.7);
    }
    expect(sharpness['prototypical']!.base).toBeGreaterThan(0);
    const { one } = results.temperature['prototypical']!;
    expect(one!.ece).toBeLessThan(one!.eceUncalibrated);
    expect(trainCalibration(plan())).toEqual({ scope, sharpness, results });
  });
});
