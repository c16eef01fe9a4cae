import { numpy as np } from '@jax-js/jax';
import type { Support } from '../heads/head.js';
import type { Episode as HeadEpisode } from '../heads/trainedHead.js';
import type { EpisodeArrays } from './episodeArrays.js';

/** The support set of an episode inside jax-js. */
export function supportOf({ ways, shots, dimension, rows, mask, names }: EpisodeArrays): Support {
  return {
    rows: np.array(rows, { shape: [ways, shots, dimension] }),
    mask: np.array(mask, { shape: [ways, shots] }),
    names: np.array(names, { shape: [ways, dimension] }),
  };
}

/** `[Q, D]` inside jax-js. */
export function queriesOf({ queries, queryCount, dimension }: EpisodeArrays): np.Array {
  return np.array(queries, { shape: [queryCount, dimension] });
}

/**
 * An episode as a head's loss takes it: every query weighs the same, padding nothing.
 *
 * @param progress share of the training that is over.
 */
export function headEpisode(arrays: EpisodeArrays, progress?: number): HeadEpisode {
  const { ways, queryCount, labels, queryMask } = arrays;
  const targets = new Float32Array(queryCount * ways);
  for (const [q, way] of labels.entries()) if (way >= 0) targets[q * ways + way] = 1;
  return {
    support: supportOf(arrays),
    queries: queriesOf(arrays),
    targets: np.array(targets, { shape: [queryCount, ways] }),
    weights: np.array(queryMask, { shape: [queryCount] }),
    ...(progress === undefined ? {} : { progress: np.array(new Float32Array([progress]), { shape: [1] }) }),
  };
}
