import { join } from 'node:path';
import { random } from '@jax-js/jax';
import { type CheckpointMetadata, saveCheckpoint } from '../../src/heads/checkpoint.js';
import { createTrainedHead } from '../../src/heads/trained.js';
import type { HeadOptions } from '../../src/heads/trainedHead.js';
import { drawn } from './arrays.js';

export interface CheckpointOptions {
  readonly head: string;
  readonly dimension: number;
  /** Fingerprint. */
  readonly encoder: string;
  readonly options?: HeadOptions;
  /** Of its parameters: noise, which makes a head whose answers no other gives. */
  readonly seed?: number;
  /** Of that noise. */
  readonly spread?: number;
  readonly metadata?: Partial<CheckpointMetadata>;
}

/** Writes a checkpoint of a head that has not learned anything; jax-js must have been started. */
export async function writeCheckpoint(
  folder: string,
  name: string,
  { head, dimension, encoder, options = {}, seed = 1, spread = 0.3, metadata = {} }: CheckpointOptions,
): Promise<void> {
  const { options: all, ...trained } = createTrainedHead(head, options);
  const params = drawn(trained.init(random.key(seed), dimension), spread, seed);
  await saveCheckpoint(join(folder, name), params, {
    head,
    options: all,
    dimension,
    encoder,
    data: ['toy/train'],
    seed,
    episodes: 10,
    results: { validation: { accuracy: 0.5 } },
    ...metadata,
  });
}
