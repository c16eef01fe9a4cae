import { isTelling, readableName } from '../text.js';
import type { CheckedBot, CheckedIntent } from './checkedBot.js';
import type { Finding, Severity } from './finding.js';

/**
 * Intents without examples. Their description stands for them, or their name: an error where that says nothing.
 *
 * @returns one finding an intent, in the order of the bot.
 */
export function emptyIntents({ intents }: CheckedBot): Finding[] {
  return intents.flatMap((intent): Finding[] => {
    if (intent.examples.length > 0) return [];
    const [severity, known] = knownBy(intent);
    return [
      {
        code: 'empty_intent',
        severity,
        message: `${intent.name} has no examples and ${known}`,
        advice: 'Give it a handful of examples; until then, a description in words.',
        intents: [intent.name],
        examples: [],
        pairs: [],
      },
    ];
  });
}

function knownBy({ name, hasDescription }: CheckedIntent): [Severity, string] {
  if (hasDescription) return ['info', 'is known by its description alone'];
  if (isTelling(readableName(name))) return ['warning', 'no description: it is known by its name alone'];
  return ['error', 'no description, and its name says nothing'];
}
