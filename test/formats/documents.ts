import type { BotDocument } from '../../src/formats/document.js';

/** A seeded generator of whole numbers below `n` (mulberry32). */
export function seeded(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
}

/** What breaks parsers, each alone and in any order. */
const PIECES = [
  ...[
    'a',
    'card',
    ' ',
    '  ',
    '\t',
    '\n',
    '\r\n',
    '\r',
    '\v',
    ',',
    ';',
    '|',
    '"',
    '""',
    "'",
    '`',
    '\\',
    '\\n',
  ],
  ...[
    '-',
    '- ',
    '--',
    '---',
    '...',
    '#',
    ' # ',
    ':',
    ': ',
    '?',
    '!',
    '&x',
    '*x',
    '%',
    '@',
    '~',
    '=',
    '<<',
    '>',
    '|-',
  ],
  ...['[', ']', '{', '}', '(', ')', '[x](city)', '[x](city:y)', '[x]{"entity": "c"}', '[x][{"entity": "c"}]'],
  ...['true', 'null', '1e3', '0x1f', '2024-01-01', 'intent', 'text', 'nlu:', 'version: 1', '{"intent":'],
  ...[
    '\u0000',
    '\u0007',
    '\u001b[31m',
    '\u007f',
    '\u0085',
    '\u00a0',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\u200f',
    '\ufffd',
  ],
  ...['é', 'e\u0301', 'ß', '猫', 'مرحبا', '👩‍👧', '🇳🇴', '\u{10ffff}'],
];

/** A document that every format must hold exactly: texts are not blank, nothing is given twice. */
export function randomDocument(seed: number): BotDocument {
  const below = seeded(seed);
  const text = (): string => {
    const length = 1 + below(6);
    const made = Array.from({ length }, () => PIECES[below(PIECES.length)]).join('');
    return made.trim() === '' ? text() : made;
  };
  const texts = (most: number) => [...new Set(Array.from({ length: below(most + 1) }, text))];
  const names = new Set(Array.from({ length: 1 + below(5) }, () => text().trim()));
  if (below(4) === 0) names.add('out_of_scope');
  const intents = [...names].map((name) => ({
    name,
    ...(below(2) === 0 ? { description: text() } : {}),
    examples: texts(5),
  }));
  return { intents, counterexamples: below(2) === 0 ? texts(4) : [] };
}
