import type { CheckCode } from '../../client/index.js';

/** What is checked, in words. */
export const CHECK_NAMES: Readonly<Record<CheckCode, string>> = {
  same_text: 'Same text in two places',
  empty_intent: 'Intents without examples',
  near_duplicate: 'Near-duplicates across intents',
  nearer_to_other_intent: 'Examples nearer to another intent',
  overlapping_intents: 'Overlapping intents',
  few_examples: 'Few examples',
  imbalanced_intents: 'Far more or fewer examples than others',
  cut_text: 'Texts longer than the encoder reads',
  unused_counterexamples: 'Counter-examples without effect',
};
