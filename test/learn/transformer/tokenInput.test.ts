import { expect, test } from '@jest/globals';
import { createTokenizer } from '../../../src/encoder/tokenizer.js';
import { relationText } from '../../../src/learn/datasets/entities.js';
import { TextSetBuilder } from '../../../src/learn/datasets/textSet.js';
import { tokenizeSet, wholeText } from '../../../src/learn/transformer/tokenInput.js';
import { tinyTokenizer } from '../../encoder/tinyModel.js';
import { tinyVocabulary } from './tinyBert.js';

const tokenizer = (maxTokens: number) => createTokenizer(tinyTokenizer(tinyVocabulary(40)), {}, maxTokens);

test('texts and names as a whole, row for row and class for class; a name that says nothing has none', () => {
  const builder = new TextSetBuilder('toy');
  builder.add('b', 'w9 w8', 'here');
  builder.add('a', 'w4 w5 w6 w7', 'here');
  builder.describe('a', 'w30');
  const { texts, names } = tokenizeSet(
    builder.finish(),
    tokenizer(5),
    ({ description }) => description ?? '',
    false,
  );
  expect(texts).toEqual([
    { ids: [1, 9, 8, 2], parts: [[0, 4]] },
    { ids: [1, 4, 5, 6, 2], parts: [[0, 5]] }, // cut
  ]);
  expect(names).toEqual([{ ids: [1, 30, 2], parts: [[0, 3]] }, undefined]);
});

test('of relations: the first mention of head and tail too, the whole where one is cut off', () => {
  const builder = new TextSetBuilder('relations');
  const add = (head: number[][], tail: number[][]) => {
    const words = ['w4', 'w5', 'w6', 'w7', 'w8', 'w9'];
    const { text, entities } = relationText(
      words,
      { id: 'h', mentions: head },
      { id: 't', mentions: tail },
      false,
    );
    builder.add('of', text, 'here', entities);
  };
  add([[1, 2], [4]], [[0]]);
  add([[2]], [[5]]);
  const { texts, names } = tokenizeSet(builder.finish(), tokenizer(6), () => 'w30', true);
  const ids = [1, 4, 5, 6, 7, 2];
  expect(texts).toEqual([
    { ids, parts: [[0, 6], [2, 4], [1, 2]] }, // prettier-ignore
    { ids, parts: [[0, 6], [3, 4], [0, 6]] }, // prettier-ignore
  ]);
  expect(names).toEqual([undefined]);
});

test('a text as each of so many parts', () => {
  expect(wholeText([1, 5, 2], 3)).toEqual({ ids: [1, 5, 2], parts: [[0, 3], [0, 3], [0, 3]] }); // prettier-ignore
});
