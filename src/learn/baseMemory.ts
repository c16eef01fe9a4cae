import { numpy as np } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import { dot, unitMean } from './confusable.js';
import { classIndices } from './datasets/textSet.js';
import type { TaskSource } from './episodeStream.js';
import type { Random } from '../statistics/random.js';

/** More rounds of k-means hardly move anything. */
const ROUNDS = 25;

/**
 * What fills the memory of a dynamic memory induction network before it learns: the mean embeddings of the classes that it
 * is trained on (Geng et al. 2020, section 2.2, whose base-class vectors come from supervised training of the encoder). Where
 * there are more classes than slots, the centres that spherical k-means (Dhillon & Modha 2001) finds among their means.
 *
 * @returns `[slots, D]`, unit length.
 * @throws KshotError `invalid_configuration` where there are fewer classes than slots.
 */
export function baseMemory(sources: readonly TaskSource[], slots: number, random: Random): np.Array {
  const means = sources.flatMap(classMeans);
  if (means.length < slots) {
    throw new KshotError(
      'invalid_configuration',
      `a memory of ${slots} base classes cannot be filled: there are ${means.length} classes to train on; ` +
        `give --option memory=${means.length} or less`,
    );
  }
  const rows = means.length === slots ? means : centres(means, slots, random);
  return np.array(joined(rows), { shape: [slots, rows[0]!.length] });
}

/** `[D]` each, unit length. */
function classMeans({ embedded: { set, embeddings, dimension }, classes }: TaskSource): Float64Array[] {
  const rows = set.classes.map((): number[] => []);
  for (const [row, label] of set.labels.entries()) rows[label]!.push(row);
  const chosen = classes === undefined ? [...set.classes.keys()] : classIndices(set, classes);
  return chosen.map((c) => unitMean(embeddings, dimension, rows[c]!));
}

/** k centres of unit rows, from k of the rows on. */
function centres(rows: readonly Float64Array[], k: number, random: Random): Float64Array[] {
  const all = joined(rows);
  let found = random.sample(rows, k);
  for (let round = 0; round < ROUNDS; round++) {
    const members = found.map((): number[] => []);
    for (const [i, row] of rows.entries()) members[nearest(found, row)]!.push(i);
    // A centre that has lost all its rows stays where it is.
    found = found.map((centre, c) =>
      members[c]!.length === 0 ? centre : unitMean(all, centre.length, members[c]!),
    );
  }
  return found;
}

function nearest(candidates: readonly Float64Array[], row: Float64Array): number {
  const products = candidates.map((candidate) => dot(candidate, row));
  return products.indexOf(Math.max(...products));
}

/** `[n, D]` */
function joined(rows: readonly Float64Array[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...row]));
}
