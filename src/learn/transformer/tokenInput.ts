import type { TextTokenizer } from '../../encoder/tokenizer.js';
import { firstMentions, type TextClass, type TextSet } from '../datasets/textSet.js';

/** A text as the transformer takes it. */
export interface TokenInput {
  readonly ids: readonly number[];
  /** `[S]`: the parts that its embedding joins, each the mean over tokens [from, to). */
  readonly parts: readonly (readonly [from: number, to: number])[];
}

/** A set's texts and class names as token inputs, row for row and class for class. */
export interface TokenizedSet {
  readonly texts: readonly TokenInput[];
  /** Undefined for a class that has no words. */
  readonly names: readonly (TokenInput | undefined)[];
}

/** A text each of whose parts is the mean over all of its tokens. */
export function wholeText(ids: readonly number[], parts = 1): TokenInput {
  return { ids, parts: Array.from({ length: parts }, () => [0, ids.length] as const) };
}

/**
 * Tokenizes a set.
 *
 * @param describe a class in the words that the server would embed for it; empty where its name says nothing.
 * @param entities whether head and tail are parts beside the whole text, as in `embedRelations`: the first mention of each, or
 *   the whole text where a mention is cut off. Class names then have no embedding.
 */
export function tokenizeSet(
  set: TextSet,
  tokenizer: TextTokenizer,
  describe: (described: TextClass) => string,
  entities: boolean,
): TokenizedSet {
  const whole = (text: string) => wholeText(tokenizer.tokenize(text).ids);
  if (!entities) {
    const words = set.classes.map(describe);
    return {
      texts: set.texts.map(whole),
      names: words.map((text) => (text === '' ? undefined : whole(text))),
    };
  }
  const texts = set.texts.map((text, row): TokenInput => {
    const { ids, parts } = whole(text);
    const mentions = firstMentions(set.entities![row]!);
    const spans = tokenizer.locate(text, mentions).map(([from, to]) => (from < to ? [from, to] : parts[0]!));
    return { ids, parts: [...parts, ...(spans as [number, number][])] };
  });
  return { texts, names: set.classes.map(() => undefined) };
}
