import { expect, test } from '@jest/globals';
import { compareRows } from '../../../src/classify/evaluation/comparison.js';
import { row } from './rows.js';

test('each text is compared with itself, where the same was expected of it', () => {
  const now = [
    row('a', 'a', { text: 'fixed' }),
    row('a', 'b', { text: 'broken' }),
    row('a', 'c', { text: 'wrong otherwise' }),
    row('a', 'b', { text: 'wrong alike' }),
    row('a', 'a', { text: 'right' }),
    row('b', 'b', { text: 'moved' }),
    row(null, 'a', { text: 'new', in_scope: 0.1 }),
  ];
  const then = [
    row('a', 'b', { text: 'fixed', in_scope: 0.1 }),
    row('a', 'a', { text: 'broken' }),
    row('a', 'b', { text: 'wrong otherwise' }),
    row('a', 'b', { text: 'wrong alike' }),
    row('a', 'a', { text: 'right' }),
    row('a', 'b', { text: 'moved' }),
  ];
  expect(compareRows({ rows: now }, { rows: then })).toEqual({
    texts: 5,
    only_in_this: 2,
    only_in_other: 1,
    fixed: [{ text: 'fixed', expected: 'a', before: null, now: 'a' }],
    broken: [{ text: 'broken', expected: 'a', before: 'a', now: 'b' }],
    still_wrong: [{ text: 'wrong otherwise', expected: 'a', before: 'b', now: 'c' }],
  });
});
