import type { EmbeddedSet } from '../embeddedSet.js';
import { episodeArrays } from '../episodeArrays.js';
import { EpisodeSampler } from '../episodes.js';
import { argmax } from '../../statistics/measures.js';
import { Random } from '../../statistics/random.js';
import { EpisodeScorer } from './episodeScorer.js';
import type { EvaluatedHead } from './evaluatedHead.js';
import type { Outcomes } from './outcomes.js';

/** N-way K-shot episodes over a set; all that decides which they are. */
export interface EpisodicProtocol {
  readonly ways: number;
  readonly shots: number;
  /** Of each class. */
  readonly queries: number;
  readonly episodes: number;
  readonly seed: number;
}

/** Told how many units of the total are done. */
export type Report = (done: number, total: number) => void;

/**
 * Accuracy over N-way K-shot episodes (Vinyals et al. 2016). Episode i depends on set, shape, seed and i alone: every head
 * meets the same. Class names are not shown, as the benchmarks have it.
 *
 * @returns one unit an episode.
 * @throws KshotError `invalid_configuration` where the set cannot fill the episodes.
 */
export function evaluateEpisodes(
  evaluated: EvaluatedHead,
  embedded: EmbeddedSet,
  { ways, shots, queries, episodes, seed }: EpisodicProtocol,
  report?: Report,
): Outcomes {
  const { set, dimension, embeddings } = embedded;
  const sampler = new EpisodeSampler([{ set }], { ways, shots, queries });
  const random = new Random(seed);
  const scorer = new EpisodeScorer(evaluated);
  try {
    const hits: number[] = [];
    for (let i = 0; i < episodes; i++) {
      const arrays = episodeArrays(sampler.sample(random.split(i)), { dimension, embeddings });
      const winners = argmax(scorer.score(arrays), ways);
      hits.push(winners.filter((winner, q) => winner === arrays.labels[q]).length);
      report?.(i + 1, episodes);
    }
    return { of: ways * queries, hits };
  } finally {
    scorer.dispose();
  }
}
