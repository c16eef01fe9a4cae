import { type CheckedBot, foundText } from './checkedBot.js';
import type { Finding } from './finding.js';
import { placeOf, quoted } from './wording.js';

/** Texts whose end the encoder does not read. @returns one finding a text, in the order of the bot. */
export function longTexts({ intents, counterexamples }: CheckedBot): Finding[] {
  const found = [
    ...intents.flatMap(({ name, examples }) =>
      examples.filter(({ isCut }) => isCut).map((text) => foundText(text, name)),
    ),
    ...counterexamples.filter(({ isCut }) => isCut).map((text) => foundText(text, null)),
  ];
  return found.map((example): Finding => ({
    code: 'cut_text',
    severity: 'warning',
    message: `${quoted(example.text)} in ${placeOf(example.intent)} is longer than the encoder reads (${example.text.length} characters)`,
    advice: 'Shorten it to the sentence that tells the intent: what lies beyond the cut is ignored.',
    intents: example.intent === null ? [] : [example.intent],
    examples: [example],
    pairs: [],
  }));
}
