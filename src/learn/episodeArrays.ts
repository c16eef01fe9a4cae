import { KshotError } from '../errors.js';
import type { Episode } from './episodes.js';
import { OUT_OF_SCOPE } from './episodes.js';

/** An episode as numbers, in the layout of a head's `Support` (src/heads/head.ts); padding is zero, its masks 0. */
export interface EpisodeArrays {
  /** C, K, Q and D, padding included. */
  readonly ways: number;
  readonly shots: number;
  readonly queryCount: number;
  readonly dimension: number;
  /** `[C, K, D]`. */
  readonly rows: Float32Array;
  /** `[C, K]`: 1 for an example, 0 for padding. */
  readonly mask: Float32Array;
  /** `[C, D]`: embeddings of the class names; zero without any. */
  readonly names: Float32Array;
  /** `[C]`: 1 for a class, 0 for padding. */
  readonly classMask: Float32Array;
  /** `[Q, D]`. */
  readonly queries: Float32Array;
  /** `[Q]`: 1 for a query, 0 for padding. */
  readonly queryMask: Float32Array;
  /** `[Q]`: the way of each query; -1 out of scope, and for padding. */
  readonly labels: Int32Array;
}

/** What the episode's rows and classes stand for. */
export interface EpisodeEmbeddings {
  readonly dimension: number;
  /** `[n, D]`, row for row with the set. */
  readonly embeddings: Float32Array;
  /** `[classes, D]`, class for class with the set. */
  readonly names?: Float32Array;
}

/** How an episode is laid out. */
export interface EpisodeLayout {
  /** At least this much of each: a compiled step is made once for a shape, so that episodes should share a few. */
  readonly ways?: number;
  /** Rows of a class, that of its name included. */
  readonly shots?: number;
  readonly queries?: number;
  /**
   * Whether the name of a class, if it has one, is one more support row behind its examples, as the server has it
   * (src/classify/supportSet.ts). Default: no.
   */
  readonly nameRows?: boolean;
}

/**
 * Gathers the embeddings of an episode.
 *
 * @throws KshotError `invalid_configuration` if the episode is larger than the padding that was asked for.
 */
export function episodeArrays(
  episode: Episode,
  { dimension, embeddings, names }: EpisodeEmbeddings,
  layout: EpisodeLayout = {},
): EpisodeArrays {
  const rowOf = (source: Float32Array, row: number) =>
    source.subarray(row * dimension, (row + 1) * dimension);
  const nameOf = (way: number) => (names === undefined ? undefined : rowOf(names, episode.classes[way]!));
  const support = episode.support.map((rows, way) => {
    const examples = rows.map((row) => rowOf(embeddings, row));
    const name = layout.nameRows ? nameOf(way) : undefined;
    return name?.some((value) => value !== 0) ? [...examples, name] : examples;
  });
  const ways = padded('ways', episode.classes.length, layout.ways);
  const shots = padded('shots', Math.max(...support.map((rows) => rows.length)), layout.shots);
  const queryCount = padded('queries', episode.queries.length, layout.queries);
  const arrays: EpisodeArrays = {
    ways,
    shots,
    queryCount,
    dimension,
    rows: new Float32Array(ways * shots * dimension),
    mask: new Float32Array(ways * shots),
    names: new Float32Array(ways * dimension),
    classMask: new Float32Array(ways).fill(1, 0, episode.classes.length),
    queries: new Float32Array(queryCount * dimension),
    queryMask: new Float32Array(queryCount).fill(1, 0, episode.queries.length),
    labels: new Int32Array(queryCount).fill(OUT_OF_SCOPE),
  };
  for (const [way, rows] of support.entries()) {
    arrays.mask.fill(1, way * shots, way * shots + rows.length);
    for (const [shot, row] of rows.entries()) arrays.rows.set(row, (way * shots + shot) * dimension);
    const name = nameOf(way);
    if (name !== undefined) arrays.names.set(name, way * dimension);
  }
  for (const [q, row] of episode.queries.entries()) {
    arrays.queries.set(rowOf(embeddings, row), q * dimension);
  }
  arrays.labels.set(episode.labels);
  return arrays;
}

function padded(what: string, count: number, wanted: number | undefined): number {
  if (wanted === undefined || wanted >= count) return wanted ?? count;
  throw new KshotError(
    'invalid_configuration',
    `an episode of ${count} ${what} does not fit into ${wanted}; pad to ${count} or more`,
  );
}
