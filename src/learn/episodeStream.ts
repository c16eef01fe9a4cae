import { KshotError } from '../errors.js';
import type { EmbeddedSet } from './embeddedSet.js';
import { episodeArrays, type EpisodeArrays, type EpisodeEmbeddings } from './episodeArrays.js';
import { type Count, type Episode, EpisodeSampler, type EpisodeShape } from './episodes.js';
import type { Random } from '../statistics/random.js';

/** What a training or a validation draws from. */
export interface TaskSource {
  readonly embedded: EmbeddedSet;
  /** Class names; all of the set's by default. */
  readonly classes?: readonly string[];
  /** How often it is drawn, against the others (`EpisodeSource`). */
  readonly weight?: number;
}

/** Numbers of ways are padded to a multiple of so many classes, where they vary. */
const WAY_MULTIPLE = 16;

/**
 * An endless list of episodes as numbers. Episode i depends on the generator and i alone. Sizes that vary are padded to a few
 * shapes, since every shape is compiled anew: ways to a multiple of 16, shots to a power of two, queries by the ways.
 */
export class EpisodeStream {
  /** D. */
  readonly dimension: number;
  readonly #sources: readonly TaskSource[];
  readonly #shape: EpisodeShape;
  readonly #nameRows: boolean;
  readonly #random: Random;
  readonly #sampler: EpisodeSampler;

  /**
   * @param options.nameRows `EpisodeLayout`'s.
   * @throws KshotError `invalid_configuration` for what cannot be drawn (`EpisodeSampler`), and for sets whose embeddings are
   *   of several dimensions.
   */
  constructor(
    sources: readonly TaskSource[],
    shape: EpisodeShape,
    { nameRows, random }: { readonly nameRows: boolean; readonly random: Random },
  ) {
    this.#sampler = new EpisodeSampler(
      sources.map(({ embedded: { set, embeddings }, ...rest }) => ({ set, embeddings, ...rest })),
      shape,
    );
    this.dimension = commonDimension(sources);
    this.#sources = sources;
    this.#shape = shape;
    this.#nameRows = nameRows;
    this.#random = random;
  }

  /** Episode i = 0, 1, ...; the caller's own. */
  at(i: number): EpisodeArrays {
    const episode = this.draw(i);
    return this.layOut(episode, this.#sources[episode.source]!.embedded);
  }

  /** Episode i as rows of its source. */
  draw(i: number): Episode {
    return this.#sampler.sample(this.#random.split(i));
  }

  /** An episode as numbers, padded. @param embeddings what its rows and classes stand for. */
  layOut(episode: Episode, embeddings: EpisodeEmbeddings): EpisodeArrays {
    const { ways, shots, queries, leftOut = 0 } = this.#shape;
    const classes = paddedWays(ways, episode.classes.length);
    const rows = paddedShots(shots, Math.max(...episode.support.map((drawn) => drawn.length)));
    return episodeArrays(episode, embeddings, {
      ways: classes,
      shots: rows + (this.#nameRows ? 1 : 0),
      queries: (classes + largest(leftOut)) * queries,
      nameRows: this.#nameRows,
    });
  }
}

function commonDimension(sources: readonly TaskSource[]): number {
  const [first, ...others] = sources.map(({ embedded }) => embedded);
  for (const { set, dimension } of others) {
    if (dimension === first!.dimension) continue;
    throw new KshotError(
      'invalid_configuration',
      `the embeddings of ${first!.set.name} have ${first!.dimension} numbers, those of ${set.name} ${dimension}; one head ` +
        'can only learn from embeddings of one kind',
    );
  }
  return first!.dimension;
}

function paddedWays(ways: Count, drawn: number): number {
  return Math.min(largest(ways), Math.ceil(drawn / WAY_MULTIPLE) * WAY_MULTIPLE);
}

function paddedShots(shots: Count, drawn: number): number {
  return Math.min(largest(shots), 2 ** Math.ceil(Math.log2(drawn)));
}

function largest(count: Count): number {
  return typeof count === 'number' ? count : count.max;
}
