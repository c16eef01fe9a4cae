import { type CheckedBot, type ComparedRow, foundText } from './checkedBot.js';
import type { Finding } from './finding.js';
import type { Surroundings } from './surroundings.js';
import { enumerated, quoted } from './wording.js';

/**
 * A counter-example is unused when it is farther from every example than nine in ten examples are from the nearest of another
 * intent. Of the demo bot's 12 that are 8; each of them is out of scope without any counter-example as well.
 */
const NEAR_SHARE = 0.1;

/** Texts that a finding lists. */
const MOST_LISTED = 20;

/**
 * Counter-examples that take nothing out of scope, being near to no intent.
 *
 * @param rows `[n]`
 * @returns one finding at the most; none for a bot of fewer than two intents with examples.
 */
export function unusedCounterexamples(
  { intents }: CheckedBot,
  rows: readonly ComparedRow[],
  { other }: Surroundings,
): Finding[] {
  const C = intents.length;
  const distances = other.filter((similarity, row) => rows[row]!.group < C && similarity > -1).sort();
  const least = distances[Math.floor(NEAR_SHARE * distances.length)];
  if (least === undefined) return [];
  const unused = rows.filter(({ group }, row) => group === C && other[row]! < least);
  if (unused.length === 0) return [];
  const texts = unused.map(({ text }) => quoted(text.text));
  return [
    {
      code: 'unused_counterexamples',
      severity: 'info',
      message:
        `${enumerated(texts)} ${unused.length === 1 ? 'is' : 'are'} far from every intent: out of scope without being ` +
        `${unused.length === 1 ? 'a counter-example' : 'counter-examples'}`,
      advice: 'Keep as counter-examples what the bot wrongly takes for one of its intents; these do no harm.',
      intents: [],
      examples: unused.slice(0, MOST_LISTED).map(({ text }) => foundText(text, null)),
      pairs: [],
    },
  ];
}
