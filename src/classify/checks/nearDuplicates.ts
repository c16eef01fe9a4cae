import { rounded } from '../rounded.js';
import { type CheckedBot, type ComparedRow, foundText } from './checkedBot.js';
import type { Finding } from './finding.js';
import type { Surroundings } from './surroundings.js';
import { placeOf, quoted } from './wording.js';

/**
 * The cosine from which on two texts are a near-duplicate. With the encoder that ships "i lost my card" and "i have lost my
 * card" are at 0.976, "please unblock my card" with "today" behind it at 0.935; "block" and "unblock my card" at 0.826. Of
 * 20 examples an intent, two of HWU64's 1,280 and two of CLINC150's 3,000 have one of another intent at 0.92 or more.
 */
export const NEAR_DUPLICATE = 0.93;

/**
 * Texts of two intents, or of an intent and the counter-examples, that say the same in nearly the same words.
 *
 * @param rows `[n]`, of the surroundings.
 * @param known texts that another finding is about; they are passed over.
 * @returns one finding a pair, nearest first.
 */
export function nearDuplicates(
  { intents }: CheckedBot,
  rows: readonly ComparedRow[],
  { near }: Surroundings,
  known: ReadonlySet<string>,
): Finding[] {
  return near
    .filter(({ a, b }) => ![a, b].some((row) => known.has(rows[row]!.text.text)))
    .toSorted((x, y) => y.similarity - x.similarity)
    .map(({ a, b, similarity }): Finding => {
      const examples = [a, b].map((row) => {
        const { group, text } = rows[row]!;
        return foundText(text, intents[group]?.name ?? null);
      });
      const [first, second] = examples.map(({ text, intent }) => `${quoted(text)} in ${placeOf(intent)}`);
      return {
        code: 'near_duplicate',
        severity: 'warning',
        message: `${first} and ${second} are nearly the same (${similarity.toFixed(2)})`,
        advice: 'Decide which intent it is and delete the other one; if both are right, the intents overlap.',
        intents: examples.flatMap(({ intent }) => intent ?? []),
        examples,
        pairs: [{ first: 0, second: 1, similarity: rounded(similarity) }],
      };
    });
}
