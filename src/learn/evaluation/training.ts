import { z } from 'zod';
import type { CheckpointMetadata } from '../../heads/checkpoint.js';
import type { Cell } from './cell.js';

const interval = z.object({ value: z.number(), low: z.number(), high: z.number() });

/** What the trainer leaves in a checkpoint's results (src/learn/trainer.ts); a checkpoint from elsewhere may have none. */
const results = z.object({
  history: z
    .array(interval.extend({ step: z.number() }))
    .optional()
    .catch(undefined),
  baseline: interval.optional().catch(undefined),
  seconds: z.number().optional().catch(undefined),
  peakMemoryMb: z.number().optional().catch(undefined),
  share: z.number().optional().catch(undefined),
});

/** What a page says about where a head comes from. */
export function readTraining(weights: string, metadata: CheckpointMetadata): NonNullable<Cell['training']> {
  const { history, baseline, seconds, peakMemoryMb, share } = results.parse(metadata.results);
  return {
    weights,
    data: metadata.data,
    seed: metadata.seed,
    episodes: metadata.episodes,
    ...(seconds === undefined ? {} : { seconds }),
    ...(peakMemoryMb === undefined ? {} : { peakMemoryMb }),
    ...(share === undefined ? {} : { share }),
    ...(history === undefined ? {} : { history }),
    ...(baseline === undefined ? {} : { baseline }),
  };
}
