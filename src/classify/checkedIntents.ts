import type { IntentInput } from '../store/store.js';
import { withEmbeddings } from './embedTexts.js';
import type { IntentDefinition } from './service.js';
import { checkTexts, labelOf } from './text.js';

/** An intent as it is stored, but for its embeddings. */
export interface CheckedIntent {
  readonly name: string;
  readonly description: string | null;
  readonly label: string;
  readonly examples: readonly string[];
}

/** @param maxChars of a text, in code points. @throws KshotError `invalid_request`, naming the field. */
export function checkIntents(intents: readonly IntentDefinition[], maxChars: number): CheckedIntent[] {
  return intents.map(({ name, examples, description: given }, i) => {
    const description = given == null ? null : checkTexts(`intents.${i}.description`, [given], maxChars)[0]!;
    return {
      name,
      description,
      label: labelOf(name, description),
      examples: checkTexts(`intents.${i}.examples`, examples, maxChars),
    };
  });
}

/** All that is embedded of an intent. */
export function textsOf({ label, examples }: CheckedIntent): string[] {
  return [label, ...examples];
}

/** @param embeddings of its texts, by text. */
export function intentInput(
  { name, description, label, examples }: CheckedIntent,
  embeddings: ReadonlyMap<string, Float32Array>,
): IntentInput {
  const embedded = withEmbeddings(embeddings);
  return { name, description, label: embedded(label), examples: examples.map(embedded) };
}
