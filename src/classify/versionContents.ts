import type { BotContents } from '../store/store.js';
import type { PresentTexts } from './importChanges.js';
import type { Example, ImportDocument, Intent } from './service.js';

/** What people have written of a bot, as one of its versions has it. */
export interface VersionContents {
  /** In the order in which they were created. */
  readonly intents: readonly Intent[];
  readonly counterexamples: readonly Example[];
}

/** The contents of a version without the labels, which are kshot's own affair, and the embeddings. */
export function versionContents({ intents, texts }: BotContents): VersionContents {
  const examples = new Map<string, Example[]>(intents.map(({ name }) => [name, []]));
  const counterexamples: Example[] = [];
  for (const { id, kind, intent, text } of texts) {
    if (kind === 'counterexample') counterexamples.push({ id, text });
    else if (kind === 'example') examples.get(intent!)!.push({ id, text });
  }
  return {
    intents: intents.map(({ name, description }) => ({ name, description, examples: examples.get(name)! })),
    counterexamples,
  };
}

/** Contents as that which a document is compared with. */
export function asPresent({ intents, counterexamples }: VersionContents): PresentTexts {
  const byName = new Map(intents.map((intent) => [intent.name, intent]));
  return { intents, counterexamples, intent: (name) => byName.get(name) };
}

/** Texts as a document that brings just these. */
export function asDocument({
  intents,
  counterexamples,
}: Pick<PresentTexts, 'intents' | 'counterexamples'>): ImportDocument {
  return {
    intents: intents.map(({ name, description, examples }) => ({
      name,
      description,
      examples: examples.map(({ text }) => text),
    })),
    counterexamples: counterexamples.map(({ text }) => text),
  };
}
