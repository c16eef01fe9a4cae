import { join } from 'node:path';
import { KshotError } from '../../errors.js';
import { readArscTraining } from './arsc.js';
import { readClincOos } from './clincOos.js';
import { readFewRel, readRelationNames, type RelationOptions } from './fewrel.js';
import { readFewRelCfrl } from './fewrelCfrl.js';
import { readIntentSet, type IntentSetName } from './intentSets.js';
import { readClassSplitSet, type ClassSplitSet } from './metaPrompter.js';
import { readRedwood } from './redwood.js';
import { readRostd } from './rostd.js';
import { readSnips } from './snips.js';
import { readTable } from './table.js';
import type { TextSet } from './textSet.js';

/*
 * Every set by the name that commands take, in a folder laid out as `scripts/fetchData` lays it out: one folder a source,
 * each as its source has it.
 */

export interface ReadOptions {
  /** For relations: put marks around the two entities in the text. Default: no. */
  readonly marked?: boolean;
}

interface Dataset<Split extends string = string> {
  readonly splits: readonly Split[];
  /** @param root the folder of the folders. */
  readonly read: (root: string, split: Split, options: ReadOptions) => Promise<readonly TextSet[]>;
}

const FEW_SHOT_SPLITS = ['train', 'train_5', 'train_10', 'valid', 'test'] as const;
const TEXT_SPLITS = ['train', 'valid', 'test'] as const;
const CLASS_PARTS = ['train', 'valid', 'test', 'all'] as const;

const DATASETS = {
  banking77: intentSet('banking77', FEW_SHOT_SPLITS),
  clinc150: intentSet('clinc150', FEW_SHOT_SPLITS),
  hwu64: intentSet('hwu64', FEW_SHOT_SPLITS),
  snips: intentSet('snips', TEXT_SPLITS),
  atis: intentSet('atis', TEXT_SPLITS),
  'clinc-oos': dataset(['train', 'val', 'test'], (root, split) =>
    readClincOos(join(root, 'clinc-oos-eval', 'data', 'data_full.json'), split),
  ),
  'banking77-polyai': dataset(['train', 'test'], (root, split) =>
    readTable(join(root, 'polyai', 'banking_data', `${split}.csv`), `banking77 ${split}`),
  ),
  'snips-sonos': dataset(['train', 'validate'], (root, split) =>
    readSnips(join(root, 'snips-nlu-benchmark', '2017-06-custom-intent-engines'), split),
  ),
  acid: dataset(['train', 'test'], (root, split) =>
    readTable(join(root, 'acid', `customer_${split}ing.csv`), `acid ${split}`),
  ),
  stackoverflow20: dataset(['train', 'dev', 'test'], (root, split) =>
    readTable(join(root, 'stackoverflow20', 'textoir-split', `${split}.tsv`), `stackoverflow20 ${split}`),
  ),
  rostd: dataset(TEXT_SPLITS, (root, split) => readRostd(join(root, 'rostd'), split)),
  // The official test split; only what Redwood took from no other set here, so that it may be trained on.
  redwood: dataset(['own'], (root) => readRedwood(join(root, 'redwood', 'redwood_test.json'))),
  huffpost: classSplitSet('huffpost'),
  reuters: classSplitSet('reuters'),
  liu54: classSplitSet('liu54'),
  'hwu64-classes': classSplitSet('hwu64'),
  fewrel: dataset(['train', 'val_wiki', 'val_nyt', 'val_pubmed', 'val_semeval'], readFewRelSplit),
  // A set a task: a domain at a threshold of stars.
  arsc: {
    splits: ['train', 'dev'],
    read: async (root, split) => (await readArscTraining(arscFolder(root), split)).sets,
  } satisfies Dataset<'train' | 'dev'>,
};

export type DatasetName = keyof typeof DATASETS;

export const DATASET_NAMES = Object.keys(DATASETS) as readonly DatasetName[];

/** The splits of a set, by the names that `readDataset` takes. */
export function splitsOf(name: DatasetName): readonly string[] {
  return DATASETS[name].splits;
}

/**
 * Reads one split of a set.
 *
 * @param root a folder as `scripts/fetchData` fills it.
 * @returns one set; ARSC: one a task, each to be sampled by itself.
 * @throws KshotError `invalid_configuration` for a split that the set does not have, `invalid_file` for what is wrong with
 *   its files.
 */
export async function readDataset(
  root: string,
  name: DatasetName,
  split: string,
  options: ReadOptions = {},
): Promise<readonly TextSet[]> {
  const { splits, read } = DATASETS[name] as Dataset;
  if (!splits.includes(split)) {
    throw new KshotError(
      'invalid_configuration',
      `${name} has no split "${split}"; it has ${splits.join(', ')}`,
    );
  }
  return read(root, split, options);
}

/** Where ARSC lies under the folder of the folders, for `readArscTests`. */
export function arscFolder(root: string): string {
  return join(root, 'arsc', 'Amazon_few_shot');
}

function dataset<const Split extends string>(
  splits: readonly Split[],
  read: (root: string, split: Split, options: ReadOptions) => Promise<TextSet>,
): Dataset<Split> {
  return { splits, read: async (root, split, options) => [await read(root, split, options)] };
}

function intentSet<Split extends string>(set: IntentSetName, splits: readonly Split[]): Dataset<Split> {
  return dataset(splits, (root, split) => readIntentSet(join(root, 'few-shot-intent-detection'), set, split));
}

function classSplitSet(set: ClassSplitSet): Dataset<(typeof CLASS_PARTS)[number]> {
  return dataset(CLASS_PARTS, (root, part) =>
    readClassSplitSet(join(root, 'metaprompter-fewshot-text'), set, part),
  );
}

async function readFewRelSplit(root: string, split: string, { marked }: ReadOptions): Promise<TextSet> {
  const data = join(root, 'fewrel', 'data');
  const options: RelationOptions = {
    names: await readRelationNames(join(data, 'pid2name.json')),
    ...(marked === undefined ? {} : { marked }),
  };
  if (split === 'train') return readFewRelCfrl(join(root, 'fewrel-cfrl'), options);
  return readFewRel(join(data, `${split}.json`), options);
}
