import { describe, expect, test } from '@jest/globals';
import { DATASET_NAMES } from '../../src/learn/datasets/catalogue.js';
import { CLASS_SPLITS } from '../../src/learn/datasets/metaPrompter.js';
import { Random } from '../../src/statistics/random.js';
import { splitClasses, trainableBeside } from '../../src/learn/splits.js';

const NAMES = Array.from({ length: 23 }, (_, i) => `class ${i}`);

describe('class splits', () => {
  test('are disjoint, of the sizes asked for, and hold every class, over many seeds', () => {
    for (let seed = 0; seed < 200; seed++) {
      const { train, valid, test: held } = splitClasses(NAMES, { valid: 4, test: 6 }, new Random(seed));
      expect([train.length, valid.length, held.length]).toEqual([13, 4, 6]);
      expect(new Set([...train, ...valid, ...held])).toEqual(new Set(NAMES));
    }
  });

  test('depend on the seed and the names, not on their order', () => {
    const split = (names: string[], seed: number) =>
      splitClasses(names, { valid: 4, test: 6 }, new Random(seed));
    expect(split(NAMES.toReversed(), 1)).toEqual(split(NAMES, 1));
    expect(split(NAMES, 1)).not.toEqual(split(NAMES, 2));
  });

  test('leave something to train on, and name no class twice', () => {
    expect(() => splitClasses(NAMES, { valid: 13, test: 10 }, new Random(1))).toThrow(/none to train on/);
    expect(() => splitClasses(['a', 'a', 'b'], { valid: 1, test: 0 }, new Random(1))).toThrow(/twice/);
  });

  test('the published ones are disjoint and whole', () => {
    const sizes = { huffpost: [20, 5, 16], reuters: [15, 5, 11], liu54: [18, 18, 18], hwu64: [23, 16, 25] };
    for (const [set, { train, valid, test: held }] of Object.entries(CLASS_SPLITS)) {
      expect([train.length, valid.length, held.length]).toEqual(sizes[set as keyof typeof sizes]);
      const all = [...train, ...valid, ...held].map(Number).sort((a, b) => a - b);
      expect(all).toEqual([...all.keys()]);
    }
  });
});

describe('leave one set out', () => {
  test('neither the set nor one that holds parts of it is trained on', () => {
    expect(trainableBeside('hwu64')).toEqual(
      DATASET_NAMES.filter((name) => !['hwu64', 'hwu64-classes', 'liu54'].includes(name)),
    );
    expect(trainableBeside('liu54', ['hwu64', 'clinc150'])).toEqual(['clinc150']);
    expect(trainableBeside('banking77', ['banking77-polyai', 'redwood', 'banking77'])).toEqual(['redwood']);
    expect(trainableBeside('acid', ['acid', 'clinc-oos'])).toEqual(['clinc-oos']);
  });
});
