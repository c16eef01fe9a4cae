import type { EmbeddingCache } from './embeddingCache.js';
import type { SetLoader } from './setLoader.js';
import type { TrainingConfig } from './trainingConfig.js';
import { loadTrainingData, type TrainingData } from './trainingData.js';
import { runTraining, type TrainingResult, type TrainingRunOptions } from './trainingRun.js';

/**
 * Trains a head on embeddings that stay as they are: reads and embeds what the configuration names, then trains. jax-js must
 * have been started (`initHeads`).
 *
 * @param cache what the loader embeds into; closed before the training, so that others may run beside.
 * @param loader closed, too.
 * @throws what `loadTrainingData` and `runTraining` throw.
 */
export async function trainHead(
  config: TrainingConfig,
  cache: EmbeddingCache,
  loader: SetLoader,
  run: TrainingRunOptions,
): Promise<TrainingResult> {
  const data = await loadOnce(config, loader).finally(() => cache.close());
  return runTraining(config, data, run);
}

/** As `loadTrainingData`, with a loader that nothing else is read by: it is closed. */
export async function loadOnce(config: TrainingConfig, loader: SetLoader): Promise<TrainingData> {
  try {
    return await loadTrainingData(config, loader);
  } finally {
    await loader.close();
  }
}
