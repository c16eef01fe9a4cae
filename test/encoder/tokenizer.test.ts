import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createTokenizer } from '../../src/encoder/tokenizer.js';

// The compiled test runs from dist/test/encoder.
const read = (file: string): object =>
  JSON.parse(readFileSync(new URL(`../../../models/encoder/${file}`, import.meta.url), 'utf8')) as object;
const DEFINITION = read('tokenizer.json');
const CONFIG = read('tokenizer_config.json');
const tokenizer = createTokenizer(DEFINITION, CONFIG, 512);

describe('the shipped tokenizer', () => {
  // By the Python package tokenizers 0.23.3: Tokenizer.from_file, no_padding(), no_truncation(), encode(text).ids
  test.each([
    ['i lost my card', [101, 1045, 2439, 2026, 4003, 102]],
    ['Ünïcode — naïve café, 東京! 🎉', [101, 27260, 1517, 15743, 7668, 1010, 1879, 1755, 999, 100, 102]],
    ['', [101, 102]],
    [
      'unbelievably\u0000 mis-tokenised\n',
      [101, 4895, 8671, 2666, 3567, 6321, 28616, 1011, 19204, 5084, 102],
    ],
  ])('reads %j as the reference implementation does, unpadded', (text, ids) => {
    expect(tokenizer.tokenize(text)).toEqual({ ids, truncated: false });
  });

  test('a text that just fits is whole; one token more is cut before the last special token', () => {
    const short = createTokenizer(DEFINITION, CONFIG, 6);
    expect(short.tokenize('i lost my card')).toEqual({
      ids: [101, 1045, 2439, 2026, 4003, 102],
      truncated: false,
    });
    expect(short.tokenize('i lost my card today')).toEqual({
      ids: [101, 1045, 2439, 2026, 4003, 102],
      truncated: true,
    });
  });

  test('a text of megabytes is cut unread, between characters', () => {
    const started = performance.now();
    const { ids, truncated } = tokenizer.tokenize('🎉'.repeat(2_000_000));
    expect(truncated).toBe(true);
    expect(ids.length).toBeLessThanOrEqual(512);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test.each(['\uD800', 'a\uDC00b', '\u0000', '\u202Eabc', '   ', '[CLS] [MASK]'])('takes %j', (text) => {
    const { ids } = tokenizer.tokenize(text);
    expect(ids[0]).toBe(101);
    expect(ids.at(-1)).toBe(102);
    expect(ids.every(Number.isInteger)).toBe(true);
  });

  test('the padding id is the file’s', () => {
    expect(tokenizer.padId).toBe(0);
  });
});

describe('where spans are among the tokens', () => {
  /** What the tokens of the marked span say when they are read alone. */
  const marked = (text: string, subject = tokenizer): [ids: number[], alone: number[]] => {
    const start = text.indexOf('<');
    const end = text.indexOf('>') - 1;
    const bare = text.replace(/[<>]/g, '');
    const [[from, to]] = subject.locate(bare, [[start, end]]) as [[number, number]];
    return [
      subject.tokenize(bare).ids.slice(from, to),
      subject.tokenize(bare.slice(start, end)).ids.slice(1, -1),
    ];
  };

  test.each([
    'the <Danube> flows',
    '<Danube> flows',
    'along the <Danube>',
    'the the <the> the',
    'born in <Sankt Pölten , Österreich> .',
    'the <unbelievably mis-tokenised> one',
    '( <東京> ) 🎉',
    '🎉🎉 <🎉> 🎉',
    '<all of it>',
  ])('%j', (text) => {
    const [ids, alone] = marked(text);
    expect(ids).toEqual(alone);
    expect(ids.length).toBeGreaterThan(0);
  });

  test('of a word that a span cuts through no piece is lost, and no other word is taken along', () => {
    // un ##bel ##ie ##va ##bly, from the second token on; "el" is of ##bel.
    const [[from, to]] = tokenizer.locate('is unbelievably so', [[6, 8]]) as [[number, number]];
    expect(from === 2 || from === 3).toBe(true);
    expect(to >= 4 && to <= 7).toBe(true);
  });

  test('a span without a token is empty, and one that is cut ends where the text does', () => {
    expect(marked('the <\u0000> flows')[0]).toEqual([]);
    const short = createTokenizer(DEFINITION, CONFIG, 6); // four words
    expect(
      short.locate('i lost my card today then', [
        [2, 6],
        [10, 20],
        [15, 20],
        [21, 25],
      ]),
    ).toEqual([
      [2, 3],
      [4, 5],
      [5, 5],
      [5, 5],
    ]);
  });
});

describe('createTokenizer', () => {
  test('an unreadable definition is an error that names the file', () => {
    expect(() => createTokenizer({ model: {} }, {}, 512)).toThrow(
      expect.objectContaining({
        code: 'encoder_unavailable',
        message: expect.stringContaining('tokenizer.json'),
      }),
    );
  });
});
