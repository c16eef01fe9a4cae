import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KshotError } from '../../errors.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

/** Labelled utterances. */
export interface Utterances {
  readonly texts: readonly string[];
  /** Row for row with `texts`. */
  readonly labels: readonly string[];
}

/** The intent sets of jianguoz/Few-Shot-Intent-Detection by the names that commands take, and their folders there. */
export const INTENT_SETS = {
  banking77: 'BANKING77',
  clinc150: 'CLINC150',
  hwu64: 'HWU64',
  snips: 'SNIPS',
  atis: 'ATIS',
} as const;

export type IntentSetName = keyof typeof INTENT_SETS;

/**
 * Reads one split in the layout of jianguoz/Few-Shot-Intent-Detection: `Datasets/<set>/<split>/seq.in`, an utterance a
 * line, and `label` beside it, line for line.
 *
 * @param split `train`, `valid`, `test`, or a published few-shot support set: `train_5`, `train_10`.
 * @throws KshotError `invalid_file` where a file is absent, or the two have different numbers of lines.
 */
export async function readIntentSplit(
  folder: string,
  set: IntentSetName,
  split: string,
): Promise<Utterances> {
  const base = join(folder, 'Datasets', INTENT_SETS[set], split);
  const [texts, labels] = await Promise.all([
    readLines(join(base, 'seq.in')),
    readLines(join(base, 'label')),
  ]);
  if (texts.length !== labels.length) {
    throw new KshotError(
      'invalid_file',
      `${base}: seq.in has ${texts.length} lines, label has ${labels.length}`,
    );
  }
  return { texts, labels };
}

/** CLINC150's out-of-scope queries in the same layout; undefined for sets that have none. */
export async function readOutOfScope(
  folder: string,
  set: IntentSetName,
  split: string,
): Promise<readonly string[] | undefined> {
  if (set !== 'clinc150') return undefined;
  return readLines(join(folder, 'Datasets', INTENT_SETS[set], 'oos', split, 'seq.in'));
}

/** Row for row as `readIntentSplit` reads them, as a set; `oos` texts of the split come along where it has some. */
export async function readIntentSet(folder: string, set: IntentSetName, split: string): Promise<TextSet> {
  const { texts, labels } = await readIntentSplit(folder, set, split);
  const place = (i: number) => `${set} ${split}, row ${i + 1}`;
  const builder = new TextSetBuilder(`${set} ${split}`);
  texts.forEach((text, i) => builder.add(labels[i]!, text, place(i)));
  // The few-shot support sets are parts of the training split, which has the out-of-scope texts.
  const outside = split.startsWith('train_') ? undefined : await readOutOfScope(folder, set, split);
  outside?.forEach((text, i) => builder.addOutOfScope(text, place(i)));
  return builder.finish();
}

async function readLines(file: string): Promise<string[]> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KshotError(
      'invalid_file',
      `cannot read ${file}: name the folder of jianguoz/Few-Shot-Intent-Detection, the one that holds Datasets/`,
      { cause },
    );
  }
  return content.split(/\r?\n/).filter((line) => line.trim() !== '');
}
