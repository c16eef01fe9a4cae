import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { checkBot } from '../../../src/classify/checks/checkBot.js';
import { type CheckedBot, comparedTexts } from '../../../src/classify/checks/checkedBot.js';
import { CHECK_CODES, type Finding } from '../../../src/classify/checks/finding.js';
import { surroundings } from '../../../src/classify/checks/surroundings.js';
import { around, botOf, D, vector } from './bots.js';

// Each check by itself, on embeddings that were made by hand.

const found = (bot: CheckedBot, code: string): Finding[] =>
  checkBot(bot).checks.filter((finding) => finding.code === code);
const clean = { card: around('card', 0, 6), money: around('money', 1, 6), loan: around('loan', 2, 6) };

test('a bot whose intents lie apart has nothing to find', () => {
  expect(checkBot(botOf(clean))).toEqual({
    counts: { error: 0, warning: 0, info: 0 },
    texts: 18,
    compared: 18,
    left_out: 0,
    checks: [],
  });
});

test('a bot of nothing, and one of one text, are bots', () => {
  expect(checkBot(botOf({}))).toMatchObject({ texts: 0, checks: [] });
  expect(checkBot(botOf({ card: [['lost', vector(1)]] })).checks).toMatchObject([{ code: 'few_examples' }]);
  expect(checkBot(botOf({ '-': [['rain', vector(1)]] }))).toMatchObject({ compared: 1, checks: [] });
});

describe('same_text', () => {
  test('finds a text in two intents, whatever its case, punctuation and space', () => {
    const bot = botOf({
      ...clean,
      card: [...clean.card, ['I’ve lost  it!', vector(1, 0, 0, 0, 0.1)]],
      money: [...clean.money, ["i've lost it", vector(1, 0, 0, 0, 0, 0.1)]],
    });
    expect(found(bot, 'same_text')).toMatchObject([
      {
        severity: 'error',
        intents: ['card', 'money'],
        examples: [
          { id: 7, text: 'I’ve lost  it!', intent: 'card' },
          { id: 14, text: "i've lost it", intent: 'money' },
        ],
        message: '"I’ve lost  it!" stands in card and money',
      },
    ]);
    // It is one fault: what follows from it, such as that "card b" has a near-duplicate now, is not told besides.
    expect(checkBot(bot).checks).toHaveLength(1);
  });

  test('finds a text that is an example and a counter-example', () => {
    const bot = botOf({ ...clean, '-': [['card a', clean.card[0]![1]]] });
    expect(found(bot, 'same_text')).toMatchObject([
      { intents: ['card'], message: '"card a" stands in card and the counter-examples' },
    ]);
  });

  test('keeps texts apart that differ in words, or in signs alone', () => {
    const bot = botOf({ a: [['???', vector(1)], ['1 + 1', vector(1)]], b: [['!!!', vector(0, 1)], ['1 1', vector(1)]] }); // prettier-ignore
    expect(found(bot, 'same_text')).toEqual([]);
  });
});

describe('near_duplicate', () => {
  // Unit vectors at an angle: the cosine is what the second part leaves of the first.
  const at = (cosine: number) => vector(cosine, 0, 0, 0, 0, 0, 0, Math.sqrt(1 - cosine ** 2));

  test.each([
    [0.95, 1],
    [0.91, 0],
  ])('at a cosine of %f there are %i', (cosine, count) => {
    const bot = botOf({ card: [['lost', vector(1)]], money: [['gone', at(cosine)]] });
    expect(found(bot, 'near_duplicate')).toHaveLength(count);
  });

  test('names the pair, the nearest first, and counter-examples too', () => {
    const bot = botOf({
      card: [['lost', vector(1)]],
      money: [['gone', at(0.95)]],
      '-': [['away', at(0.99)]],
    });
    expect(found(bot, 'near_duplicate')).toMatchObject([
      { intents: ['card'], examples: [{ text: 'lost' }, { text: 'away', intent: null }] },
      { intents: ['money'], examples: [{ text: 'gone' }, { text: 'away' }] },
      {
        severity: 'warning',
        intents: ['card', 'money'],
        pairs: [{ first: 0, second: 1, similarity: 0.95 }],
        message: '"lost" in card and "gone" in money are nearly the same (0.95)',
      },
    ]);
  });

  test('is no matter within an intent', () => {
    const bot = botOf({ card: [['lost', vector(1)], ['gone', at(0.99)]], money: [] }); // prettier-ignore
    expect(found(bot, 'near_duplicate')).toEqual([]);
  });
});

describe('nearer_to_other_intent', () => {
  test('finds an example that was filed wrongly', () => {
    const stray = ['stray', vector(0.1, 1, 0, 0, 0.4, 0.4, 0.3)] as const;
    const bot = botOf({ ...clean, card: [...clean.card, stray] });
    expect(checkBot(bot).checks).toMatchObject([
      {
        code: 'nearer_to_other_intent',
        severity: 'warning',
        intents: ['card', 'money'],
        examples: [{ text: 'stray', intent: 'card' }, { intent: 'money' }],
      },
    ]);
  });

  test('says so more softly of one that lies between', () => {
    const between = ['between', vector(0.65, 0.9, 0, 0, 0.4, 0.4)] as const;
    expect(
      found(botOf({ ...clean, card: [...clean.card, between] }), 'nearer_to_other_intent'),
    ).toMatchObject([{ severity: 'info', intents: ['card', 'money'] }]);
  });

  test('leaves an intent of two examples alone: neither has a middle to be near to', () => {
    const bot = botOf({ ...clean, odd: [['x', vector(1, 0, 0, 0, 0.9)], ['y', vector(0, 1, 0, 0, 0.9)]] }); // prettier-ignore
    expect(found(bot, 'nearer_to_other_intent')).toEqual([]);
  });
});

describe('overlapping_intents', () => {
  /** About one axis, with numbers without a pattern in the others. */
  const scattered = (i: number) =>
    vector(1, 0, 0, ...[0, 1, 2, 3, 4].map((d) => 0.5 * Math.sin(i * 5.1 + d * 2.3 + i * d)));

  test('finds an intent that was split in two, with the pairs that show it', () => {
    const all = Array.from({ length: 16 }, (_, i) => [`card ${i}`, scattered(i)] as const);
    const bot = botOf({ ...clean, card: all.filter((_, i) => i % 2 === 0), cards: all.filter((_, i) => i % 2 > 0) }); // prettier-ignore
    const [finding, ...others] = found(bot, 'overlapping_intents');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'warning', intents: ['card', 'cards'] });
    expect(finding!.pairs.length).toBeGreaterThan(0);
    for (const { first, second, similarity } of finding!.pairs) {
      expect(finding!.examples[first]!.intent).not.toBe(finding!.examples[second]!.intent);
      expect(similarity).toBeLessThan(0.93);
    }
  });

  test('does not take neighbours for it', () => {
    const bot = botOf({ card: around('card', 0, 6), cash: clean.card.map(([text, row]) => [`${text}!`, vector(row[0]!, 0.7, 0, 0, ...row.slice(4))]) }); // prettier-ignore
    expect(found(bot, 'overlapping_intents')).toEqual([]);
  });
});

describe('few_examples and empty_intent', () => {
  test('tell how many there are', () => {
    const bot = botOf({
      ...clean,
      one: [['one a', vector(0, 0, 0, -1)]],
      four: around('four', 3, 4),
      gone_missing: [],
    });
    expect(checkBot(bot).checks).toMatchObject([
      { code: 'empty_intent', severity: 'warning', intents: ['gone_missing'] },
      { code: 'few_examples', severity: 'warning', message: 'one has one example' },
      { code: 'few_examples', severity: 'info', message: 'four has 4 examples', examples: [{}, {}, {}, {}] },
    ]);
  });

  test.each([
    ['travel_insurance', true, 'info'],
    ['travel_insurance', false, 'warning'],
    ['intent_17', false, 'error'],
    ['intent_17', true, 'info'],
  ])('an empty %s with a description: %p, is of severity %s', (name, hasDescription, severity) => {
    const bot = botOf({});
    const intents = [{ name, hasDescription, examples: [] }];
    const compared = { ...bot.compared, positions: [[], []] };
    expect(checkBot({ intents, counterexamples: [], compared }).checks).toMatchObject([
      { code: 'empty_intent', severity, intents: [name] },
    ]);
  });
});

describe('imbalanced_intents', () => {
  const sized = (...sizes: number[]): CheckedBot => {
    const intents = sizes.map((size, i) => ({
      name: `n${i}`,
      hasDescription: true,
      examples: Array.from({ length: size }, (_, k) => ({ text: `${i} ${k}`, isCut: false })),
    }));
    const positions = [...sizes.map(() => []), []];
    return { intents, counterexamples: [], compared: { positions, embeddings: new Float32Array(), dimension: 8 } }; // prettier-ignore
  };

  test('finds what has ten times as many as the median, or a tenth', () => {
    expect(found(sized(10, 10, 100, 1), 'imbalanced_intents')).toMatchObject([
      {
        severity: 'warning',
        intents: ['n2', 'n3'],
        message: 'n2 (100) and n3 (1) are out of proportion: the median intent has 10 examples',
      },
    ]);
    expect(found(sized(10, 10, 99, 2), 'imbalanced_intents')).toEqual([]);
    expect(found(sized(10, 10, 0), 'imbalanced_intents')).toEqual([]);
  });
});

test('cut_text finds what the encoder does not read to its end', () => {
  const long = 'long '.repeat(101);
  const bot = botOf({ ...clean, card: [...clean.card, [long, vector(1)]] });
  expect(checkBot(bot).checks).toMatchObject([
    { code: 'cut_text', severity: 'warning', intents: ['card'], examples: [{ text: long }] },
  ]);
  expect(checkBot(bot).checks[0]!.message.length).toBeLessThan(200);
});

test('unused_counterexamples finds what is far from every intent', () => {
  const outside = [['rain', vector(0, 0, 0, 1)], ['cardboard', vector(1, 0.5, 0.5)]] as const; // prettier-ignore
  expect(checkBot(botOf({ ...clean, '-': outside })).checks).toMatchObject([
    {
      code: 'unused_counterexamples',
      severity: 'info',
      intents: [],
      examples: [{ text: 'rain', intent: null }],
    },
  ]);
});

describe('comparedTexts', () => {
  test('takes all where there is room, else the newest of each, small intents whole', () => {
    expect(comparedTexts([2, 1, 0])).toEqual([[0, 1], [0], []]);
    expect(comparedTexts([10, 2, 5], 8)).toEqual([
      [7, 8, 9],
      [0, 1],
      [2, 3, 4],
    ]);
    expect(comparedTexts([3, 1, 1], 2)).toEqual([[2], [0], []]);
  });

  test('a bot beyond the bound is checked by the newest texts of each intent', () => {
    const positions = comparedTexts([9000, 3000, 3]);
    expect(positions.map(({ length }) => length)).toEqual([6997, 3000, 3]);
    expect(positions[0]![0]).toBe(2003);
  });
});

test('surroundings are those that a plain double loop finds', () => {
  // Numbers without pattern, 300 rows: beyond where the kernel takes over from JavaScript.
  const rows = Array.from({ length: 300 }, (_, i) => vector(...Array.from({ length: D }, (_, d) => Math.sin(i * 7.3 + d * d * 1.7)))); // prettier-ignore
  const embeddings = new Float32Array(rows.flatMap((row) => [...row]));
  const positions = [100, 150, 50].map((n) => Array.from({ length: n }, (_, i) => i));
  const groupOf = (row: number) => (row < 100 ? 0 : row < 250 ? 1 : 2);
  const { own, other, otherRow } = surroundings({ positions, embeddings, dimension: D }, 2);
  for (const [a, x] of rows.entries()) {
    const cosine = (b: number) => rows[b]!.reduce((sum, value, d) => sum + value * x[d]!, 0);
    const examples = [...rows.keys()].filter((b) => b !== a && groupOf(b) < 2);
    const mine = groupOf(a) === 2 ? [] : examples.filter((b) => groupOf(b) === groupOf(a));
    const others = examples.filter((b) => groupOf(b) !== groupOf(a));
    expect(own[a]).toBeCloseTo(Math.max(-1, ...mine.map(cosine)), 5);
    expect(other[a]).toBeCloseTo(Math.max(-1, ...others.map(cosine)), 5);
    expect(cosine(otherRow[a]!)).toBeCloseTo(other[a]!, 5);
  }
});

test('of many findings of a kind the first hundred are listed, all are counted', () => {
  const many = Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`intent ${i} name`, []]));
  const checks = checkBot(botOf(many));
  expect(checks).toMatchObject({ counts: { error: 0, warning: 130, info: 0 }, left_out: 30 });
  expect(checks.checks).toHaveLength(100);
});

test('every code is explained in docs/checks.md', () => {
  const page = readFileSync(new URL('../../../../docs/checks.md', import.meta.url), 'utf8');
  const explained = [...page.matchAll(/^\| `(\w+)` +\| (?:error|warning|info)/gm)].map(([, code]) => code);
  expect(explained).toEqual([...CHECK_CODES]);
});
