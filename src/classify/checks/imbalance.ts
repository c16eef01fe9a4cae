import type { CheckedBot } from './checkedBot.js';
import type { Finding } from './finding.js';
import { enumerated } from './wording.js';

/**
 * An intent stands out by so many times as many examples as the median one, or as few. The training split of BANKING77, 30 to
 * 167 an intent, stays below; that of ATIS, where three quarters are one intent, does not.
 */
const TIMES = 10;

/**
 * Intents of far more or far fewer examples than the others. Empty ones are another matter.
 *
 * @returns one finding at the most.
 */
export function imbalance({ intents }: CheckedBot): Finding[] {
  const filled = intents.filter(({ examples }) => examples.length > 0);
  const counts = filled.map(({ examples }) => examples.length).sort((a, b) => a - b);
  const median = counts[counts.length >> 1];
  if (median === undefined) return [];
  const large = filled.filter(({ examples }) => examples.length >= TIMES * median);
  const small = filled.filter(({ examples }) => examples.length * TIMES <= median);
  const odd = [...large, ...small];
  if (odd.length === 0) return [];
  const listed = odd.map(({ name, examples }) => `${name} (${examples.length})`);
  return [
    {
      code: 'imbalanced_intents',
      severity: 'warning',
      message: `${enumerated(listed)} ${odd.length === 1 ? 'is' : 'are'} out of proportion: the median intent has ${median} examples`,
      advice:
        'Add examples to the small intents; thin out the large ones, or split those that hold several meanings.',
      intents: odd.map(({ name }) => name),
      examples: [],
      pairs: [],
    },
  ];
}
