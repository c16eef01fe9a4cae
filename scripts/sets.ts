import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { describeClass } from '../src/classify/text.js';
import { lateProgress } from '../src/cli/progress.js';
import type { Settings } from '../src/config.js';
import { loadEncoder } from '../src/encoder/load.js';
import type { EmbeddingCache } from '../src/learn/embeddingCache.js';
import { SetLoader } from '../src/learn/setLoader.js';

// What offline commands need to read and embed data sets.

const PACKAGE = new URL('../../', import.meta.url);

export interface SetFlags {
  readonly datasets: string;
  readonly cache: string;
}

export function datasetsOption(): Option {
  return new Option('--datasets <folder>', 'the data sets: a folder for each source')
    .env('KSHOT_DATASETS')
    .default(fileURLToPath(new URL('data/downloads', PACKAGE)), 'data/downloads');
}

/** The flags of `SetFlags`. */
export function setOptions(): Option[] {
  return [
    datasetsOption(),
    new Option('--cache <folder>', 'where embeddings are kept').default(
      fileURLToPath(new URL('data/cache/embeddings', PACKAGE)),
      'data/cache/embeddings',
    ),
  ];
}

/** @param model folder or hub id of the encoder. */
export function openSetLoader(
  model: string,
  { datasets }: SetFlags,
  cache: EmbeddingCache,
  settings: Pick<
    Settings,
    'device' | 'weights' | 'threads' | 'modelCache' | 'maxBatchTexts' | 'maxBatchTokens'
  >,
): SetLoader {
  return new SetLoader({
    root: datasets,
    cache,
    encoder: model,
    openEncoder: (folder) =>
      loadEncoder({
        model: folder,
        device: settings.device,
        weights: settings.weights,
        threads: settings.threads,
        cacheDir: settings.modelCache,
        maxBatchTexts: settings.maxBatchTexts,
        ...(settings.maxBatchTokens === undefined ? {} : { maxBatchTokens: settings.maxBatchTokens }),
        warn: (message) => process.stderr.write(`${message}\n`),
      }),
    describe: describeClass,
    progress: (label) => lateProgress(process.stderr, label),
  });
}
