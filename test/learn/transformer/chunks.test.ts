import { describe, expect, test } from '@jest/globals';
import { Random } from '../../../src/statistics/random.js';
import { chunksOf, paddedLength } from '../../../src/learn/transformer/chunks.js';

const textsOf = (lengths: readonly number[]) =>
  lengths.map((length) => ({ ids: Array<number>(length).fill(4) }));

test('lengths are few, long ones multiples of the last', () => {
  expect([1, 8, 9, 12, 13, 33, 128, 129, 256, 300].map(paddedLength)).toEqual([
    8, 8, 12, 12, 16, 48, 128, 256, 256, 384,
  ]);
});

describe.each<[string, number[]]>([
  ['no text', []],
  ['one', [5]],
  ['many of one length', Array<number>(700).fill(6)],
  ['as they come', ((random) => Array.from({ length: 500 }, () => random.between(1, 60)))(new Random(1))],
  ['very long ones', [2000, 3, 128, 512, 4]],
])('%s', (_, lengths) => {
  const chunks = chunksOf(textsOf(lengths));

  test('every text is in one chunk, once', () => {
    const members = chunks.flatMap((chunk) => chunk.members);
    expect(members.toSorted((one, other) => one - other)).toEqual([...lengths.keys()]);
    expect(chunks.filter((chunk) => chunk.members.length === 0)).toEqual([]);
  });

  test('a chunk is as long as its longest text, and its tokens are bounded but for one that is longer alone', () => {
    for (const { members, length } of chunks) {
      expect(length).toBe(paddedLength(Math.max(...members.map((i) => lengths[i]!))));
      expect(members.length * length).toBeLessThanOrEqual(Math.max(1536, length));
    }
  });

  test('texts of about one length are together: the longest first', () => {
    const order = chunks.flatMap(({ members }) => members.map((i) => lengths[i]!));
    expect(order).toEqual(lengths.toSorted((one, other) => other - one));
  });
});

test('as many texts share a chunk as its bound allows', () => {
  // 1536 / 8 = 192 texts of 8 tokens.
  expect(chunksOf(textsOf(Array<number>(400).fill(6))).map(({ members }) => members.length)).toEqual([
    192, 192, 16,
  ]);
});
