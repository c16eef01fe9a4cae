import { KshotError } from '../errors.js';
import { DATASET_NAMES, type DatasetName } from './datasets/catalogue.js';
import type { ClassSplit } from './datasets/textSet.js';
import type { Random } from '../statistics/random.js';

/**
 * Divides classes at random.
 *
 * @param counts how many classes validation and test get; the rest is for training.
 * @throws KshotError `invalid_configuration` if that leaves no class to train on, or a name is there twice.
 */
export function splitClasses(
  names: readonly string[],
  counts: { readonly valid: number; readonly test: number },
  random: Random,
): ClassSplit {
  if (new Set(names).size !== names.length) {
    throw new KshotError(
      'invalid_configuration',
      'a class is named twice; it would be in two parts of a split',
    );
  }
  const held = counts.valid + counts.test;
  if (held >= names.length) {
    throw new KshotError(
      'invalid_configuration',
      `of ${names.length} classes, ${counts.valid} for validation and ${counts.test} for the test leave none to train on`,
    );
  }
  // Sorted first: the split depends on the names and the seed, not on the order in which a file has them.
  const shuffled = random.sample([...names].sort(), names.length);
  return {
    valid: shuffled.slice(0, counts.valid),
    test: shuffled.slice(counts.valid, held),
    train: shuffled.slice(held),
  };
}

/**
 * Sets that hold utterances of one another, in whichever splits: the same set in two layouts, HWU64 in its two forms, and
 * Liu54, of which HWU64 is a part. Redwood is in none, since it is read without what it took from the others.
 */
const SHARING: readonly (readonly DatasetName[])[] = [
  ['banking77', 'banking77-polyai'],
  ['clinc150', 'clinc-oos'],
  ['snips', 'snips-sonos'],
  ['hwu64', 'hwu64-classes', 'liu54'],
];

/**
 * Leave one set out: the sets that may be trained on by what shall be tested on `target`. Single utterances that two
 * independent sets have by chance ("what's the weather") are for `withoutTextsOf`.
 *
 * @param candidates in their order; all sets by default.
 */
export function trainableBeside(
  target: DatasetName,
  candidates: readonly DatasetName[] = DATASET_NAMES,
): DatasetName[] {
  const barred = new Set(SHARING.find((group) => group.includes(target)) ?? [target]);
  return candidates.filter((name) => !barred.has(name));
}
