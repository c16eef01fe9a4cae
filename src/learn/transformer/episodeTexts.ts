import type { EpisodeArrays } from '../episodeArrays.js';
import type { Episode } from '../episodes.js';

/** An episode over its own texts alone, each once. */
export interface EpisodeTexts {
  /** The episode with positions in `rows` for rows, and positions in `classes` for classes. */
  readonly episode: Episode;
  /** `[n]`: rows of the source's set. */
  readonly rows: readonly number[];
  /** `[C]`: classes of the source's set. */
  readonly classes: readonly number[];
}

export function episodeTexts(episode: Episode): EpisodeTexts {
  const rows = [...new Set([...episode.support.flat(), ...episode.queries])];
  const position = new Map(rows.map((row, at) => [row, at]));
  const positions = (drawn: readonly number[]) => drawn.map((row) => position.get(row)!);
  return {
    episode: {
      ...episode,
      classes: [...episode.classes.keys()],
      support: episode.support.map(positions),
      queries: positions(episode.queries),
    },
    rows,
    classes: episode.classes,
  };
}

/** The gradient of a loss with respect to the arrays that `episodeArrays` has laid an episode out as. */
export type ArraysGradient = Pick<EpisodeArrays, 'rows' | 'names' | 'queries'>;

/**
 * The way back through `episodeArrays`: what was copied to several places has the sum of their gradients.
 *
 * @param episode with positions as `episodeTexts` has them.
 * @param named `[C]`: whether a class has a name.
 * @returns `[n, D]` for the texts, `[C, D]` for the names.
 */
export function gradientOfTexts(
  episode: Episode,
  { shots, dimension: D }: Pick<EpisodeArrays, 'shots' | 'dimension'>,
  { rows, names, queries }: ArraysGradient,
  { texts, named, nameRows }: { texts: number; named: readonly boolean[]; nameRows: boolean },
): { texts: Float32Array; names: Float32Array } {
  const ofTexts = new Float32Array(texts * D);
  const ofNames = names.slice(0, named.length * D);
  const add = (into: Float32Array, row: number, from: Float32Array, at: number) => {
    for (let d = 0; d < D; d++) into[row * D + d]! += from[at * D + d]!;
  };
  for (const [way, drawn] of episode.support.entries()) {
    for (const [shot, row] of drawn.entries()) add(ofTexts, row, rows, way * shots + shot);
    if (nameRows && named[way]) add(ofNames, way, rows, way * shots + drawn.length);
  }
  for (const [q, row] of episode.queries.entries()) add(ofTexts, row, queries, q);
  return { texts: ofTexts, names: ofNames };
}
