import { rounded } from '../rounded.js';
import { type CheckedBot, type ComparedRow, foundText } from './checkedBot.js';
import { FEWEST } from './fewExamples.js';
import type { Finding } from './finding.js';
import type { Placement } from './intentMiddles.js';
import type { Surroundings } from './surroundings.js';
import { quoted } from './wording.js';

/**
 * By how much an example must be nearer to another intent's middle than to its own, as cosines, itself left out. Of examples
 * moved to a random other intent (3 % of 10 an intent) 90 to 99 % are beyond the first on BANKING77, CLINC150 and HWU64, and
 * 95 % or more beyond the second; of the sets as they are 0.1 to 0.3 % and 0.6 to 2 %.
 */
const SURELY = 0.25;
const PERHAPS = 0.15;

/**
 * Examples that would be better at home elsewhere. Those of intents with very few examples, and those that `sameTexts` and
 * `nearDuplicates` speak of, are passed over.
 *
 * @param rows `[n]`
 * @param placed `[n]`
 * @param known texts that another finding is about.
 * @returns one finding an example, the surest first.
 */
export function nearerToOther(
  { intents }: CheckedBot,
  rows: readonly ComparedRow[],
  placed: readonly (Placement | undefined)[],
  { otherRow, other }: Surroundings,
  known: ReadonlySet<string>,
): Finding[] {
  const found = placed.flatMap((placement, row) => {
    if (placement === undefined || placement.otherIntent < 0) return [];
    const { group, text } = rows[row]!;
    const margin = placement.other - placement.own;
    if (margin < PERHAPS || intents[group]!.examples.length < FEWEST || known.has(text.text)) return [];
    return [{ row, group, placement, margin }];
  });
  return found
    .toSorted((a, b) => b.margin - a.margin)
    .map(({ row, group, placement, margin }): Finding => {
      const from = intents[group]!.name;
      const to = intents[placement.otherIntent]!.name;
      const neighbour = rows[otherRow[row]!]!;
      const nearest = intents[neighbour.group]!.name;
      const text = foundText(rows[row]!.text, from);
      return {
        code: 'nearer_to_other_intent',
        severity: margin >= SURELY ? 'warning' : 'info',
        message: `${quoted(text.text)} in ${from} is nearer to ${to} (${placement.other.toFixed(2)} instead of ${placement.own.toFixed(2)})`,
        advice: 'If it was filed wrongly, move it; if it is right, add examples like it to its own intent.',
        intents: [from, to],
        examples: [text, foundText(neighbour.text, nearest)],
        pairs: [{ first: 0, second: 1, similarity: rounded(other[row]!) }],
      };
    });
}
