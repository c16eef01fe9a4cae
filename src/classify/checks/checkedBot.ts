import type { FoundText } from './finding.js';

/*
 * A bot as it is looked at: texts in one list, embeddings of those that are compared in one array.
 */

export interface CheckedText {
  readonly id?: number;
  readonly text: string;
  /** Whether it is longer than the encoder reads. */
  readonly isCut: boolean;
}

export interface CheckedIntent {
  readonly name: string;
  readonly hasDescription: boolean;
  readonly examples: readonly CheckedText[];
}

/** What is checked. */
export interface CheckedBot {
  readonly intents: readonly CheckedIntent[];
  readonly counterexamples: readonly CheckedText[];
  /** As `comparedTexts` chooses them. */
  readonly compared: ComparedTexts;
}

/** Texts with embeddings: those of the first intent, of the second …, then the counter-examples. */
export interface ComparedTexts {
  /** `[C + 1]`: of each intent, then of the counter-examples, the positions among its texts. */
  readonly positions: readonly (readonly number[])[];
  /** `[n, D]`, unit length. */
  readonly embeddings: Float32Array;
  readonly dimension: number;
}

/**
 * Texts of one bot that are compared with one another. Every pair is: 10,000 are 50 million cosines, about 2 s on one core
 * of a small server, and 15 MB.
 */
export const MOST_COMPARED = 10_000;

/**
 * Chooses the texts to compare: all, or of a large bot the newest of each intent, as many of each as there is room for.
 *
 * @param counts `[C + 1]`: texts of each intent, and counter-examples.
 * @returns `[C + 1]` lists of positions, ascending; `most` at most.
 */
export function comparedTexts(counts: readonly number[], most = MOST_COMPARED): number[][] {
  const room = (each: number) => counts.reduce((sum, n) => sum + Math.min(n, each), 0);
  let each = Math.max(0, ...counts);
  if (room(each) > most) {
    let [low, high] = [0, each]; // room(low) fits, room(high) does not
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (room(middle) <= most) low = middle;
      else high = middle;
    }
    each = Math.max(1, low); // of more intents than there is room for, the first ones have one
  }
  let left = most;
  return counts.map((n) => {
    const first = Math.max(0, n - Math.min(each, left));
    left -= n - first;
    return Array.from({ length: n - first }, (_, i) => first + i);
  });
}

/**
 * A bot with the embeddings of its texts, or of those that are compared.
 *
 * @param embed gives the embeddings of texts: `[texts.length, D]`, unit length. Is called once, at once.
 */
export async function withCompared(
  { intents, counterexamples }: Omit<CheckedBot, 'compared'>,
  dimension: number,
  embed: (texts: readonly CheckedText[]) => Float32Array | Promise<Float32Array>,
): Promise<CheckedBot> {
  const groups = [...intents.map(({ examples }) => examples), counterexamples];
  const positions = comparedTexts(groups.map(({ length }) => length));
  const texts = positions.flatMap((own, group) => own.map((position) => groups[group]![position]!));
  const embeddings = await embed(texts);
  return { intents, counterexamples, compared: { positions, embeddings, dimension } };
}

/** A row of `ComparedTexts.embeddings`. */
export interface ComparedRow {
  /** Position of its intent; C for a counter-example. */
  readonly group: number;
  readonly text: CheckedText;
}

/** `[n]` */
export function comparedRows({ intents, counterexamples, compared }: CheckedBot): ComparedRow[] {
  return compared.positions.flatMap((positions, group) => {
    const texts = intents[group]?.examples ?? counterexamples;
    return positions.map((position) => ({ group, text: texts[position]! }));
  });
}

/** A text as a finding names it. @param intent null for a counter-example. */
export function foundText({ id, text }: CheckedText, intent: string | null): FoundText {
  return { ...(id === undefined ? {} : { id }), text, intent };
}
