import type { EmbeddedText } from './store.js';

/** A text as a backend has it. */
export interface PresentText {
  readonly id: number;
  readonly text: string;
}

/** What is to be done so that a place, an intent's examples for instance, holds other texts. */
export interface TextPlan<T extends PresentText> {
  readonly removed: readonly T[];
  /** In the order in which they are wanted; those that are present keep their ids, and may lack this embedding alone. */
  readonly wanted: readonly (EmbeddedText & { readonly id: number | undefined })[];
}

/** Makes `wanted` all that there is at a place. A text given twice is kept once. */
export function planTexts<T extends PresentText>(
  present: readonly T[],
  wanted: readonly EmbeddedText[],
): TextPlan<T> {
  const distinct = distinctTexts(wanted);
  const ids = new Map(present.map(({ text, id }) => [text, id]));
  return {
    removed: present.filter(({ text }) => !distinct.has(text)),
    wanted: [...distinct].map(([text, embedding]) => ({ text, embedding, id: ids.get(text) })),
  };
}

/** Embeddings by text, each text once, as it is stored. */
export function distinctTexts(texts: readonly EmbeddedText[]): Map<string, Float32Array> {
  return new Map(texts.map(({ text, embedding }) => [toWellFormed(text), embedding]));
}

/** Of one name given twice the last is meant, as if they had been put one after the other. */
export function lastOfEachName<T extends { readonly name: string }>(inputs: readonly T[]): T[] {
  return [...new Map(inputs.map((input) => [input.name, input])).values()];
}

/**
 * Half a surrogate pair has no UTF-8 form and is stored as U+FFFD. Replaced before texts are compared, else two
 * texts that are stored as one would clash.
 */
export function toWellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}
