import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KshotError } from '../../errors.js';

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
