import type { TextClass, TextSet } from './datasets/textSet.js';

/** A set with its embeddings, as episodes and evaluation take it. */
export interface EmbeddedSet {
  readonly set: TextSet;
  readonly dimension: number;
  /** `[n, D]`, unit length. */
  readonly embeddings: Float32Array;
  /** `[classes, D]`: of the class's words; zero where it has none. */
  readonly names: Float32Array;
  /** `[m, D]`: of `set.outOfScope`. */
  readonly outOfScope: Float32Array;
}

/**
 * Embeds a set's texts, class names and out-of-scope texts.
 *
 * @param embed texts to `[n, D]`: an embedding cache with its encoder.
 * @param describe a class in the words that the server would embed for it; empty where its name says nothing.
 */
export async function embedSet(
  set: TextSet,
  dimension: number,
  embed: (texts: readonly string[]) => Promise<Float32Array>,
  describe: (described: TextClass) => string,
): Promise<EmbeddedSet> {
  const words = set.classes.map(describe);
  const telling = [...words.keys()].filter((c) => words[c] !== '');
  const n = set.texts.length;
  const all = await embed([...set.texts, ...set.outOfScope, ...telling.map((c) => words[c]!)]);
  const rowsFrom = (from: number, to: number) => all.subarray(from * dimension, to * dimension);

  const named = n + set.outOfScope.length;
  const names = new Float32Array(words.length * dimension);
  for (const [i, c] of telling.entries()) names.set(rowsFrom(named + i, named + i + 1), c * dimension);
  return {
    set,
    dimension,
    embeddings: rowsFrom(0, n),
    names,
    outOfScope: rowsFrom(n, named),
  };
}
