import { type CheckedBot, foundText } from './checkedBot.js';
import type { Finding, FoundText } from './finding.js';
import { enumerated, placeOf, quoted } from './wording.js';

/**
 * Texts that stand in two places: case, punctuation and space do not tell them apart. O(characters).
 *
 * @returns one finding a text, in the order of the bot.
 */
export function sameTexts({ intents, counterexamples }: CheckedBot): Finding[] {
  const groups = [
    ...intents.map(({ name, examples }) => ({ intent: name, texts: examples })),
    { intent: null, texts: counterexamples },
  ];
  const places = new Map<string, FoundText[]>();
  for (const { intent, texts } of groups) {
    for (const text of texts) {
      const key = plain(text.text);
      const found = foundText(text, intent);
      const others = places.get(key);
      if (others === undefined) places.set(key, [found]);
      else others.push(found);
    }
  }
  return [...places.values()].flatMap((examples): Finding[] => {
    const where = [...new Set(examples.map(({ intent }) => intent))];
    if (where.length < 2) return [];
    return [
      {
        code: 'same_text',
        severity: 'error',
        message: `${quoted(examples[0]!.text)} stands in ${enumerated(where.map(placeOf))}`,
        advice: 'Keep it where it belongs and delete it elsewhere; if it fits all, merge the intents.',
        intents: where.filter((intent) => intent !== null),
        examples,
        pairs: [],
      },
    ];
  });
}

/** What two texts have in common that say the same word for word. A text of nothing but punctuation is itself. */
function plain(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[\p{P}\s]+/gu, ' ')
    .trim();
  return words === '' ? text : words;
}
