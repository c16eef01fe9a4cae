import { jit, numpy as np, tree } from '@jax-js/jax';
import type { Params } from '../../heads/head.js';
import { type MannParams, sequenceLogits } from '../../heads/mann.js';
import type { TrainedHead } from '../../heads/trainedHead.js';
import type { EpisodeArrays } from '../episodeArrays.js';
import type { EpisodeStream } from '../episodeStream.js';
import { argmax, meanInterval, type Proportion } from '../../statistics/measures.js';
import type { Random } from '../../statistics/random.js';

/**
 * Accuracy by instance (Santoro et al. 2016, table 1 and figure 2): support sets as sequences in random order, and how often
 * an item's class is named rightly at the first sight of the class, where it can only be guessed, at the second, and so on.
 *
 * @param head `mann`.
 * @param params not consumed.
 * @param stream of episodes of one shape, without name rows: N-way K-shot for the instances 1 to K.
 * @returns `[K]`: of each instance the mean over episodes, with its 95 % interval.
 */
export function accuracyByInstance(
  head: TrainedHead,
  params: Params,
  stream: EpisodeStream,
  { episodes, random }: { readonly episodes: number; readonly random: Random },
): Proportion[] {
  const logitsOf = jit((p: Params, items: np.Array, classes: np.Array) =>
    sequenceLogits(head, p as MannParams, items, classes),
  );
  const runs = Array.from({ length: episodes }, (_, i) => {
    const episode = stream.at(i);
    const { items, labels } = shuffled(episode, random.split(i));
    const [T, C, D] = [labels.length, episode.ways, episode.dimension];
    const oneHot = new Float32Array(T * C);
    labels.forEach((label, t) => (oneHot[t * C + label] = 1));
    const logits = logitsOf(
      tree.ref(params),
      np.array(items, { shape: [T, D] }),
      np.array(oneHot, { shape: [T, C] }),
    );
    return byInstance(labels, argmax(logits.dataSync() as Float32Array, C), C);
  });
  logitsOf.dispose();
  return runs[0]!.map((_, instance) => meanInterval(runs.map((run) => run[instance]!)));
}

/** The support rows of an episode in random order, `[T, D]`, and the class of each. */
function shuffled({ shots, dimension: D, rows, mask }: EpisodeArrays, random: Random) {
  const present = [...mask.keys()].filter((row) => mask[row] === 1);
  const order = random.sample(present, present.length);
  const items = new Float32Array(order.length * D);
  order.forEach((row, t) => items.set(rows.subarray(row * D, (row + 1) * D), t * D));
  return { items, labels: order.map((row) => Math.floor(row / shots)) };
}

/** `[K]`: the share of classes that were named rightly at their first sight, their second ... */
function byInstance(labels: readonly number[], winners: readonly number[], C: number): number[] {
  const seen = new Array<number>(C).fill(0);
  const right: number[] = [];
  labels.forEach((label, t) => {
    const instance = seen[label]!++;
    right[instance] = (right[instance] ?? 0) + Number(winners[t] === label);
  });
  return right.map((count) => count / C);
}
