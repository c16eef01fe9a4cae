import type { EmbeddedSet } from '../../src/learn/embeddedSet.js';
import { Random } from '../../src/statistics/random.js';
import { setOf } from './textSets.js';

/**
 * A set whose rows say their class in the first half of the dimensions and nothing but noise, twice as loud, in the second:
 * prototypes are often wrong, and a map that drops the second half is right.
 *
 * @param counts texts of each class.
 */
export function noisySet(counts: readonly number[], D: number, seed = 1, name = 'toy'): EmbeddedSet {
  const set = setOf(counts, name);
  const random = new Random(seed);
  const draw = () => random.next() + random.next() + random.next() - 1.5;
  const centres = set.classes.map(() => Array.from({ length: D / 2 }, draw));
  const embeddings = new Float32Array(set.texts.length * D);
  for (const [row, label] of set.labels.entries()) {
    const values = [
      ...centres[label]!.map((x) => x + 0.3 * draw()),
      ...centres[label]!.map(() => 2 * draw()),
    ];
    const length = Math.hypot(...values);
    embeddings.set(
      values.map((x) => x / length),
      row * D,
    );
  }
  return {
    set,
    dimension: D,
    embeddings,
    names: new Float32Array(set.classes.length * D),
    outOfScope: new Float32Array(0),
  };
}
