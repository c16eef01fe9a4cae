import { expect, test } from '@jest/globals';
import { fallbackRanking } from '../../../src/http/dropIn/fallbackRanking.js';

const ranking = [
  { intent: 'a', confidence: 0.75 },
  { intent: 'b', confidence: 0.25 },
];

test('out of scope all probabilities are of one distribution', () => {
  expect(fallbackRanking({ out_of_scope: true, in_scope: 0.4, ranking }, 'None')).toEqual([
    { intent: 'None', confidence: 0.6 },
    { intent: 'a', confidence: 0.3 },
    { intent: 'b', confidence: 0.1 },
  ]);
});

test('with a threshold above 0.5 the first is not less than the second', () => {
  expect(fallbackRanking({ out_of_scope: true, in_scope: 0.8, ranking }, 'None')).toEqual([
    { intent: 'None', confidence: 0.6 },
    { intent: 'a', confidence: 0.6 },
    { intent: 'b', confidence: 0.2 },
  ]);
});

test('in scope the ranking is as it is', () => {
  expect(fallbackRanking({ out_of_scope: false, in_scope: 0.8, ranking }, 'None')).toEqual(ranking);
});

test('a bot without intents has the fallback alone', () => {
  expect(fallbackRanking({ out_of_scope: true, in_scope: 0, ranking: [] }, 'None')).toEqual([
    { intent: 'None', confidence: 1 },
  ]);
});
