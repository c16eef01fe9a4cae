import { numpy as np, random, tree } from '@jax-js/jax';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  labelStrings,
  mann,
  type MannParams,
  readMemory,
  sequenceLogits,
  write,
} from '../../src/heads/mann.js';
import { initHeads } from '../../src/heads/runtime.js';
import { a, expectClose, values } from './arrays.js';

// The memory's addressing, worked by hand; and that the head starts out storing and finding.

beforeAll(initHeads);

describe('the memory', () => {
  test('writes to the slot that was used least, emptied before, and to where was read last', () => {
    const memory = {
      slots: a([1, 2, 3, 4, 5, 6], 1, 3, 2),
      usage: a([0.5, 0.2, 0.9], 1, 3), // slot 1 is the least used
      read: a([0, 0.25, 0.75], 1, 3),
    };
    const after = write(memory, a([10, 20], 1, 2), a([0.4], 1, 1));
    // w^w = 0.4 (0, 0.25, 0.75) + 0.6 (0, 1, 0) = (0, 0.7, 0.3).
    expectClose(values(after.slots), [1, 2, 7, 14, 5 + 3, 6 + 6], 1e-5);
    expectClose(values(after.usage), [0.495, 0.198 + 0.7, 0.891 + 0.3], 1e-5);
  });

  test('of slots that were used equally little, the first is written; sequences go by themselves', () => {
    const memory = { slots: np.zeros([2, 3, 1]), usage: a([0, 0, 0, 1, 0, 0], 2, 3), read: np.zeros([2, 3]) };
    const after = write(memory, a([7, 8], 2, 1), np.zeros([2, 1]));
    expect(values(after.slots)).toEqual([7, 0, 0, 0, 8, 0]);
    after.usage.dispose();
  });

  test('fills slot after slot, and then gives up the oldest that was not read', () => {
    let memory = { slots: np.zeros([1, 3, 1]), usage: np.zeros([1, 3]), read: np.zeros([1, 3]) };
    const contents: number[][] = [];
    for (const content of [1, 2, 3, 4, 5]) {
      const written = write(memory, a([content], 1, 1), np.zeros([1, 1]));
      contents.push(values(written.slots.ref));
      // Only slot 0 is ever read, so that 1 stays.
      memory = { ...written, usage: written.usage.add(a([0.1, 0, 0], 1, 3)), read: np.zeros([1, 3]) };
    }
    expect(contents).toEqual([
      [1, 0, 0],
      [1, 2, 0],
      [1, 2, 3],
      [1, 4, 3],
      [1, 4, 5],
    ]);
    tree.dispose(memory);
  });

  test('is read by the cosine', () => {
    // Cosines 1, 0 and, of the empty slot, 0; beta = log 2: weights 2 : 1 : 1.
    const { found, read, usage, slots } = readMemory(
      { slots: a([1, 0, 0, 2, 0, 0], 1, 3, 2), usage: a([0.1, 0.2, 0.3], 1, 3) },
      a([3, 0], 1, 2),
      a([Math.log(2)], 1),
    );
    slots.dispose();
    expectClose(values(read), [0.5, 0.25, 0.25], 1e-5);
    expectClose(values(usage), [0.6, 0.45, 0.55], 1e-5);
    expectClose(values(found), [0.5, 0.5], 1e-5);
  });
});

describe('labels', () => {
  const lettersOf = (N: number) => {
    const strings = labelStrings(N);
    return Array.from({ length: N }, (_, n) =>
      Array.from({ length: 5 }, (_, place) =>
        strings.subarray(n * 25 + place * 5, n * 25 + place * 5 + 5).indexOf(1),
      ),
    );
  };
  const shared = (x: number[], y: number[]) => x.filter((letter, place) => letter === y[place]).length;

  test('are words of a Reed-Solomon code', () => {
    const strings = lettersOf(27);
    expect(strings[3]!.join('')).toBe('33333');
    expect(strings[5]!.join('')).toBe('01234');
    expect(strings[26]!.join('')).toBe('12002'); // 1 + x^2
  });

  test.each([
    [25, 1],
    [125, 2],
  ])('of %i classes share at most %i letters', (N, most) => {
    const strings = lettersOf(N);
    const overlaps = strings.flatMap((x, i) => strings.slice(0, i).map((y) => shared(x, y)));
    expect(Math.max(...overlaps)).toBe(most);
  });
});

describe('the head', () => {
  const head = mann({ width: 16, slots: 16, maxRows: 6 });
  const params = () => head.init(random.key(2), 4) as MannParams;

  test('starts out finding what it was shown', () => {
    const rows = np.eye(4).slice([0, 3]).reshape([3, 1, 4]);
    const all = params();
    const state = head.induce(tree.ref(all), { rows, mask: np.ones([3, 1]), names: np.zeros([3, 4]) });
    const queries = a([0.1, 0, 0.9, 0, 0.9, 0.1, 0, 0, 0, 0.9, 0, 0.1], 3, 4);
    const logits = values(head.score(all, state, queries));
    const winners = [0, 3, 6].map((from) =>
      logits.slice(from, from + 3).indexOf(Math.max(...logits.slice(from, from + 3))),
    );
    expect(winners).toEqual([2, 0, 1]);
  });

  test('names an item of a sequence before it sees the label, and rightly at the second sight', () => {
    const order = [0, 1, 2, 1, 0, 2];
    const oneHot = (n: number) =>
      a(
        order.flatMap((c) => Array.from({ length: n }, (_, i) => Number(i === c))),
        6,
        n,
      );
    const logits = values(sequenceLogits(head, params(), oneHot(4), oneHot(3)));
    for (const t of [3, 4, 5]) {
      const row = logits.slice(3 * t, 3 * t + 3);
      expect(row.indexOf(Math.max(...row))).toBe(order[t]);
    }
  });

  test('refuses more rows than it reads', () => {
    const support = { rows: np.zeros([7, 1, 4]), mask: np.ones([7, 1]), names: np.zeros([7, 4]) };
    expect(() => head.induce(params(), support)).toThrow(/at most 6 rows: 7 classes/);
  });
});
