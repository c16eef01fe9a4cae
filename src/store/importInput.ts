import type { BotContents, EmbeddedText, ImportInput, TextKind } from './store.js';

/** A bot's contents as an import that makes another bot the same. */
export function importInputOf({ intents, texts, embeddings }: BotContents): ImportInput {
  const D = embeddings.length / Math.max(1, texts.length);
  const byPlace = new Map<string | null, { kind: TextKind; embedded: EmbeddedText }[]>();
  texts.forEach(({ kind, intent, text }, row) => {
    const embedded = { text, embedding: embeddings.subarray(row * D, (row + 1) * D) };
    const place = byPlace.get(intent);
    if (place === undefined) byPlace.set(intent, [{ kind, embedded }]);
    else place.push({ kind, embedded });
  });
  const textsOf = (intent: string | null, wanted: TextKind) =>
    (byPlace.get(intent) ?? []).flatMap(({ kind, embedded }) => (kind === wanted ? embedded : []));
  return {
    intents: intents.map(({ name, description }) => ({
      name,
      description,
      label: textsOf(name, 'label')[0]!,
      examples: textsOf(name, 'example'),
    })),
    counterexamples: textsOf(null, 'counterexample'),
    prune: true,
  };
}
