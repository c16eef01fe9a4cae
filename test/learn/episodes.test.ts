import { describe, expect, test } from '@jest/globals';
import type { KshotError } from '../../src/errors.js';
import { nearestClasses } from '../../src/learn/confusable.js';
import { rowKey, TextSetBuilder, type TextSet } from '../../src/learn/datasets/textSet.js';
import {
  EpisodeSampler,
  OUT_OF_SCOPE,
  type Episode,
  type EpisodeShape,
  type EpisodeSource,
} from '../../src/learn/episodes.js';
import { Random } from '../../src/statistics/random.js';
import { splitClasses } from '../../src/learn/splits.js';
import { setOf } from './textSets.js';

const SEEDS = 300;

/** One episode of each of many seeds. */
function episodes(sources: readonly EpisodeSource[], shape: EpisodeShape, seeds = SEEDS): Episode[] {
  const sampler = new EpisodeSampler(sources, shape);
  return Array.from({ length: seeds }, (_, seed) => sampler.sample(new Random(seed)));
}

function codeAndMessage(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    const { code, message } = error as KshotError;
    return { code, message };
  }
  throw new Error('nothing was thrown');
}

const labelOf = (set: TextSet, row: number) => set.labels[row]!;

describe('an episode keeps its promises over many seeds', () => {
  const set = setOf([30, 12, 9, 40, 25, 8, 60, 14]);

  test('N ways, K shots, Q queries of each, all of the class that they stand for', () => {
    for (const episode of episodes([{ set }], { ways: 5, shots: 3, queries: 4 })) {
      expect(episode.classes).toHaveLength(5);
      expect(new Set(episode.classes).size).toBe(5);
      expect(episode.support.map((rows) => rows.length)).toEqual([3, 3, 3, 3, 3]);
      expect(episode.queries).toHaveLength(20);
      expect(episode.labels).toHaveLength(20);
      episode.support.forEach((rows, way) => {
        for (const row of rows) expect(labelOf(set, row)).toBe(episode.classes[way]);
      });
      episode.queries.forEach((row, q) => {
        expect(labelOf(set, row)).toBe(episode.classes[episode.labels[q]!]);
      });
      const perWay = [0, 1, 2, 3, 4].map((way) => episode.labels.filter((label) => label === way).length);
      expect(perWay).toEqual([4, 4, 4, 4, 4]);
    }
  });

  test('a seed is an episode; every class and every row has its turn', () => {
    const shape = { ways: 3, shots: 2, queries: 2 };
    expect(episodes([{ set }], shape, 20)).toEqual(episodes([{ set }], shape, 20));
    const all = episodes([{ set }], shape, 1500);
    expect(new Set(all.flatMap(({ classes }) => classes)).size).toBe(set.classes.length);
    expect(new Set(all.flatMap(({ support }) => support.flat())).size).toBe(set.texts.length);
    expect(new Set(all.map((episode) => episode.classes.join()))).not.toEqual(
      new Set([all[0]!.classes.join()]),
    );
  });

  test('no text is in support and queries, though the set repeats texts and gives some to two classes', () => {
    const builder = new TextSetBuilder('untidy');
    for (const label of ['a', 'b', 'c']) {
      for (let i = 0; i < 8; i++) {
        builder.add(label, `${label} ${i}`, 'here');
        builder.add(label, `  ${label.toUpperCase()}   ${i} `, 'here'); // the same to an uncased encoder
      }
      builder.add(label, 'in every class', 'here');
    }
    const untidy = builder.finish();
    for (const episode of episodes([{ set: untidy }], { ways: 3, shots: 4, queries: 4 })) {
      const keys = [...episode.support.flat(), ...episode.queries].map((row) => rowKey(untidy, row));
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys).not.toContain('in every class');
    }
    expect(() => new EpisodeSampler([{ set: untidy }], { ways: 3, shots: 5, queries: 4 })).toThrow(
      /"a" has 8 different texts/,
    );
  });

  test('one part of a class split never meets the classes of another', () => {
    for (let seed = 0; seed < 40; seed++) {
      const split = splitClasses(
        set.classes.map(({ name }) => name),
        { valid: 2, test: 2 },
        new Random(seed),
      );
      const met = (classes: readonly string[]) => {
        const all = episodes(
          [{ set, classes }],
          { ways: 2, shots: 1, queries: 1, leftOut: { min: 0, max: 1 } },
          30,
        );
        return new Set(
          all
            .flatMap(({ support, queries }) => [...support.flat(), ...queries])
            .map((row) => labelOf(set, row)),
        );
      };
      const [train, valid, held] = [met(split.train), met(split.valid), met(split.test)];
      expect(train.size + valid.size + held.size).toBe(8);
      expect(new Set([...train, ...valid, ...held]).size).toBe(8);
    }
  });

  test('unbalanced shots: log-uniform within the bounds, never into the queries', () => {
    const shape = { ways: 6, shots: { min: 1, max: 40 }, queries: 3 };
    const counts = new Map<number, number[]>();
    for (const episode of episodes([{ set }], shape, 1500)) {
      episode.support.forEach((rows, way) => {
        const c = episode.classes[way]!;
        counts.set(c, [...(counts.get(c) ?? []), rows.length]);
      });
    }
    // c06 has 60 texts: 1..40 in full. P(K = 1) = ln 2 / ln 41 = 0.187; P(K >= 21) = ln(41/21) / ln 41 = 0.180.
    const large = counts.get(6)!;
    expect(Math.min(...large)).toBe(1);
    expect(Math.max(...large)).toBe(40);
    expect(large.filter((k) => k === 1).length / large.length).toBeCloseTo(0.187, 1);
    expect(large.filter((k) => k >= 21).length / large.length).toBeCloseTo(0.18, 1);
    // c05 has 8: three are queries, five may be shots.
    expect(Math.max(...counts.get(5)!)).toBe(5);
    const uneven = episodes([{ set }], shape).filter(
      ({ support }) => new Set(support.map((s) => s.length)).size > 1,
    );
    expect(uneven.length).toBeGreaterThan(0.9 * SEEDS);
  });

  test('ways within bounds, uniform, no more than there are classes', () => {
    const shape = { ways: { min: 2, max: 50 }, shots: 1, queries: 1 };
    const ways = episodes([{ set }], shape, 2000).map(({ classes }) => classes.length);
    expect(new Set(ways)).toEqual(new Set([2, 3, 4, 5, 6, 7, 8]));
    for (const n of new Set(ways)) {
      expect(ways.filter((w) => w === n).length / 2000).toBeCloseTo(1 / 7, 1);
    }
  });

  test('classes left out are queried, out of scope, and not in the support set', () => {
    for (const episode of episodes([{ set }], { ways: 4, shots: 2, queries: 3, leftOut: 2 })) {
      const outside = episode.queries.filter((_, q) => episode.labels[q] === OUT_OF_SCOPE);
      const classes = new Set(outside.map((row) => labelOf(set, row)));
      expect(outside).toHaveLength(6);
      expect(classes.size).toBe(2);
      for (const c of classes) expect(episode.classes).not.toContain(c);
      expect(episode.classes).toHaveLength(4);
      expect(episode.queries).toHaveLength(18);
    }
  });

  test('several sets are mixed by their weights, an episode being of one', () => {
    const other = setOf([20, 20, 20, 20], 'other');
    const shape = { ways: 3, shots: 2, queries: 2 };
    const share = (sources: EpisodeSource[]) =>
      episodes(sources, shape, 3000).filter(({ source }) => source === 1).length / 3000;
    expect(
      share([
        { set, weight: 1 },
        { set: other, weight: 4 },
      ]),
    ).toBeCloseTo(0.8, 1);
    expect(
      share([
        { set, weight: 0 },
        { set: other, weight: 1 },
      ]),
    ).toBe(1);
    // By default the square roots of 8 and 4 classes.
    expect(share([{ set }, { set: other }])).toBeCloseTo(2 / (2 + Math.sqrt(8)), 1);
    for (const { source, classes } of episodes([{ set }, { set: other }], shape)) {
      expect(Math.max(...classes)).toBeLessThan([set, other][source]!.classes.length);
    }
  });
});

describe('confusable ways', () => {
  // 20 classes on a circle, class c at the angle c * 18 degrees; a little scatter within.
  const C = 20;
  const PER_CLASS = 6;
  const set = setOf(new Array<number>(C).fill(PER_CLASS));
  const embeddings = new Float32Array(C * PER_CLASS * 2);
  for (const row of set.texts.keys()) {
    const angle = (2 * Math.PI * labelOf(set, row)) / C + 0.01 * ((row % PER_CLASS) - 2.5);
    embeddings.set([Math.cos(angle), Math.sin(angle)], 2 * row);
  }
  const apart = (a: number, b: number) => Math.min((a - b + C) % C, (b - a + C) % C);
  const spread = ({ classes }: Episode) =>
    Math.max(...classes.flatMap((a) => classes.map((b) => apart(a, b))));

  test('nearest classes by the angle between their means', () => {
    const near = nearestClasses(embeddings, 2, [
      [0, 1],
      [6, 7],
      [18, 19],
      [60, 61],
    ]);
    // Means near 0, 18, 54 and 180 degrees.
    expect(near).toEqual([
      [1, 2, 3],
      [0, 2, 3],
      [1, 0, 3],
      [2, 1, 0],
    ]);
  });

  test('lie near one another, the classes left out too', () => {
    const shape = { ways: 4, shots: 2, queries: 1, leftOut: 1, confusable: 1 };
    const hard = episodes([{ set, embeddings }], shape);
    for (const episode of hard) {
      expect(episode.confusable).toBe(true);
      // 5 classes of the anchor and the 8 nearest to it: within 4 steps on either side.
      const drawn = new Set([...episode.classes, ...episode.queries.map((row) => labelOf(set, row))]);
      expect(drawn.size).toBe(5);
      expect(Math.max(...[...drawn].flatMap((a) => [...drawn].map((b) => apart(a, b))))).toBeLessThanOrEqual(
        8,
      );
    }
    expect(new Set(hard.flatMap(({ classes }) => classes)).size).toBe(C);
  });

  test('are as frequent as asked for, and nearer than others', () => {
    const all = episodes([{ set, embeddings }], { ways: 4, shots: 1, queries: 1, confusable: 0.5 }, 1000);
    const mean = (list: Episode[]) => list.reduce((sum, e) => sum + spread(e), 0) / list.length;
    const hard = all.filter(({ confusable }) => confusable);
    expect(hard.length / 1000).toBeCloseTo(0.5, 1);
    expect(mean(hard) + 2).toBeLessThan(mean(all.filter(({ confusable }) => !confusable)));
  });

  test('may take every class there is', () => {
    const shape = { ways: 20, shots: 1, queries: 1, confusable: 1 };
    expect(episodes([{ set, embeddings }], shape, 3)[0]!.classes).toHaveLength(20);
  });

  test('need embeddings, as many as there are texts', () => {
    const shape = { ways: 2, shots: 1, queries: 1, confusable: 0.1 };
    expect(() => new EpisodeSampler([{ set }], shape)).toThrow(/need the embeddings/);
    expect(() => new EpisodeSampler([{ set, embeddings: embeddings.subarray(1) }], shape)).toThrow(
      /239 numbers/,
    );
  });
});

describe('what cannot be drawn is refused before anything is', () => {
  const set = setOf([10, 4, 10]);
  const refusal = (source: EpisodeSource, shape: EpisodeShape) =>
    codeAndMessage(() => new EpisodeSampler([source], shape));

  test('a class with too few texts, by name and numbers', () => {
    const { code, message } = refusal({ set }, { ways: 2, shots: 3, queries: 2 });
    expect(code).toBe('invalid_configuration');
    expect(message).toContain('toy: class "c01" has 4 different texts; 3 shots and 2 queries need 5');
  });

  test('or left out, on demand; what remains must do', () => {
    const shape = { ways: 2, shots: 3, queries: 2, smallClasses: 'leave-out' } as const;
    const met = new Set(episodes([{ set }], shape).flatMap(({ classes }) => classes));
    expect(met).toEqual(new Set([0, 2]));
    expect(refusal({ set }, { ...shape, ways: 3 }).message).toContain(
      'toy: 2 classes have 5 different texts; 3 ways need 3',
    );
    expect(refusal({ set }, { ...shape, leftOut: 1 }).message).toContain('2 ways and 1 left out need 3');
  });

  test('a set with too few such classes is passed over where there are others', () => {
    const shape = { ways: 3, shots: 3, queries: 2, smallClasses: 'leave-out' } as const;
    const sources = [{ set }, { set: setOf([9, 9, 9]) }];
    expect(new Set(episodes(sources, shape).map(({ source }) => source))).toEqual(new Set([1]));
    expect(() => new EpisodeSampler([{ set }, { set }], shape)).toThrow(/too few classes with enough texts/);
  });

  test('shapes, classes and weights that make no sense', () => {
    const shape = { ways: 2, shots: 1, queries: 1 };
    expect(refusal({ set }, { ...shape, ways: 0 }).message).toContain('ways 0 to 0');
    expect(refusal({ set }, { ...shape, shots: { min: 5, max: 2 } }).message).toContain('shots 5 to 2');
    expect(refusal({ set }, { ...shape, shots: 1.5 }).code).toBe('invalid_configuration');
    expect(refusal({ set }, { ...shape, queries: 0 }).message).toContain('queries 0');
    expect(refusal({ set }, { ...shape, confusable: 1.2 }).message).toContain('probability');
    expect(refusal({ set, classes: ['c00', 'c09'] }, shape).message).toContain('no class "c09"');
    expect(refusal({ set, classes: ['c00', 'c00'] }, shape).message).toContain('named twice');
    expect(refusal({ set, weight: -1 }, shape).message).toContain('weight -1');
    expect(refusal({ set, weight: 0 }, shape).message).toContain('weight 0');
    expect(codeAndMessage(() => new EpisodeSampler([], shape)).message).toContain('no set');
  });
});
