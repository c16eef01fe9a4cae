import { type CheckedBot, foundText } from './checkedBot.js';
import type { Finding } from './finding.js';

/**
 * From so many examples on an intent has a middle and a spread: with two, each is all that the other is measured by, and
 * the checks of nearness pass the intent over.
 */
export const FEWEST = 3;
/** A handful. Up to here every example brings points (docs/results.md), beyond it ever less. */
const ENOUGH = 5;

/** Intents of fewer examples than a handful, but some. @returns one finding an intent, in the order of the bot. */
export function fewExamples({ intents }: CheckedBot): Finding[] {
  return intents.flatMap(({ name, examples }): Finding[] => {
    const n = examples.length;
    if (n === 0 || n >= ENOUGH) return [];
    return [
      {
        code: 'few_examples',
        severity: n < FEWEST ? 'warning' : 'info',
        message: `${name} has ${n === 1 ? 'one example' : `${n} examples`}`,
        advice: `Give it ${ENOUGH} to 10 examples that differ in words, as people would really write them.`,
        intents: [name],
        examples: examples.map((text) => foundText(text, name)),
        pairs: [],
      },
    ];
  });
}
