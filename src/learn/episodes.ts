import { KshotError } from '../errors.js';
import { nearestClasses } from './confusable.js';
import { classIndices, rowKey, type TextSet } from './datasets/textSet.js';
import type { Random } from '../statistics/random.js';

/** A fixed number, or one drawn anew within bounds. */
export type Count = number | { readonly min: number; readonly max: number };

/** What episodes are drawn from: a set, or those of its classes that one part of a class split has. */
export interface EpisodeSource {
  readonly set: TextSet;
  /** Class names; all classes by default. */
  readonly classes?: readonly string[];
  /** `[n, D]`, row for row with the set; needed for confusable ways only. */
  readonly embeddings?: Float32Array;
  /** How often the source is drawn, against the others; by default the square root of its number of classes. */
  readonly weight?: number;
}

/** N-way K-shot and what else an episode shall be like. */
export interface EpisodeShape {
  /** N. Within bounds: uniform, no more than the source has classes for. */
  readonly ways: Count;
  /** K. Within bounds: log-uniform, for each class by itself, no more than the class has besides its queries. */
  readonly shots: Count;
  /** Queries of each class, those left out included. */
  readonly queries: number;
  /** Classes that are queried and have no support: their queries are out of scope. Default: 0. */
  readonly leftOut?: Count;
  /** Probability that an episode's classes are near to one another. Default: 0. */
  readonly confusable?: number;
  /**
   * Classes with fewer texts than an episode needs: an error, or left out of the source; and sources with too few classes
   * likewise, if there are others. Default: `refuse`.
   */
  readonly smallClasses?: 'refuse' | 'leave-out';
}

/** One task: a support set and queries, as rows of the source's set. */
export interface Episode {
  /** Position among the sampler's sources. */
  readonly source: number;
  /** `[C]`: the ways, as indices of the set's classes, in random order. */
  readonly classes: readonly number[];
  /** `[C]` lists of rows, K each, or as many as were drawn for the class. */
  readonly support: readonly (readonly number[])[];
  /** `[Q]`: rows; none is in the support set, nor has a text that is in it. */
  readonly queries: readonly number[];
  /** `[Q]`: the way of each query, -1 for one that is out of scope. */
  readonly labels: readonly number[];
  /** Whether the classes were drawn near to one another. */
  readonly confusable: boolean;
}

/** The label of a query that belongs to none of the ways. */
export const OUT_OF_SCOPE = -1;

/** Confusable ways are drawn among so many times as many nearest classes as are needed, so that they vary. */
const POOL = 2;

/** The rows of a source's classes that can be drawn. */
interface Pool {
  readonly source: EpisodeSource;
  /** Indices of the set's classes. */
  readonly classes: readonly number[];
  /** Class for class with `classes`: rows, no text twice. */
  readonly rows: readonly (readonly number[])[];
  readonly weight: number;
  /** Positions in `classes`, most similar first; absent until it is needed. */
  nearest?: number[][];
}

/**
 * Draws episodes. What is drawn depends on the generator alone, so that episode i of a run is
 * `sampler.sample(random.split(i))`, whenever it is drawn.
 *
 * A text is drawn from one class only and once only: repeated rows count as one, and texts that a set gives to two classes
 * are not drawn at all, since they have no right answer. (For relations a sentence with another pair of entities is another
 * text.)
 */
export class EpisodeSampler {
  readonly #pools: readonly Pool[];
  readonly #ways: Range;
  readonly #shots: Range;
  readonly #leftOut: Range;
  readonly #queries: number;
  readonly #confusable: number;

  /**
   * @throws KshotError `invalid_configuration` for a shape that makes no sense, and for a source that cannot fill it: it
   *   names the source, the class, what there is and what is needed.
   */
  constructor(sources: readonly EpisodeSource[], shape: EpisodeShape) {
    this.#ways = rangeOf('ways', shape.ways, 1);
    this.#shots = rangeOf('shots', shape.shots, 1);
    this.#leftOut = rangeOf('leftOut', shape.leftOut ?? 0, 0);
    this.#queries = rangeOf('queries', shape.queries, 1).min;
    this.#confusable = shape.confusable ?? 0;
    if (!(this.#confusable >= 0 && this.#confusable <= 1)) {
      throw misconfigured(`confusable ${this.#confusable}: a probability from 0 to 1 is needed`);
    }
    if (sources.length === 0) throw misconfigured('there is no set to draw episodes from');
    const several = sources.length > 1;
    this.#pools = sources.map((source) => this.#poolOf(source, shape.smallClasses ?? 'refuse', several));
    if (!this.#pools.some(({ weight }) => weight > 0)) {
      throw misconfigured('every set has the weight 0, or too few classes with enough texts');
    }
  }

  /** Draws one episode; consumes the generator. */
  sample(random: Random): Episode {
    const source = random.weighted(this.#pools.map(({ weight }) => weight));
    const pool = this.#pools[source]!;
    const available = pool.classes.length;
    const ways = random.between(this.#ways.min, Math.min(this.#ways.max, available - this.#leftOut.min));
    const leftOut = random.between(this.#leftOut.min, Math.min(this.#leftOut.max, available - ways));
    const confusable = random.next() < this.#confusable;
    const drawn = confusable
      ? drawNear(pool, ways + leftOut, random)
      : random.sample([...pool.classes.keys()], ways + leftOut);

    const support: number[][] = [];
    const queries: number[] = [];
    const labels: number[] = [];
    for (const [way, position] of drawn.entries()) {
      const rows = pool.rows[position]!;
      const known = way < ways;
      const shots = known ? this.#drawShots(rows.length, random) : 0;
      const picked = random.sample(rows, shots + this.#queries);
      if (known) support.push(picked.slice(0, shots));
      for (const row of picked.slice(shots)) {
        queries.push(row);
        labels.push(known ? way : OUT_OF_SCOPE);
      }
    }
    const classes = drawn.slice(0, ways).map((position) => pool.classes[position]!);
    return { source, classes, support, queries, labels, confusable };
  }

  #drawShots(texts: number, random: Random): number {
    const { min, max } = this.#shots;
    return min === max ? min : random.logUniform(min, Math.min(max, texts - this.#queries));
  }

  #poolOf(source: EpisodeSource, small: 'refuse' | 'leave-out', several: boolean): Pool {
    const { set, weight } = source;
    const wanted = source.classes === undefined ? [...set.classes.keys()] : classIndices(set, source.classes);
    if (new Set(wanted).size !== wanted.length) throw misconfigured(`${set.name}: a class is named twice`);
    const rowsByClass = distinctRows(set);
    const needed = this.#shots.min + this.#queries;
    const classes = wanted.filter((index) => {
      const count = rowsByClass[index]!.length;
      if (count < needed && small === 'refuse') {
        throw misconfigured(
          `${set.name}: class "${set.classes[index]!.name}" has ${count} different texts; ${this.#shots.min} shots and ` +
            `${this.#queries} queries need ${needed}: ask for less, or have small classes left out`,
        );
      }
      return count >= needed;
    });
    const least = this.#ways.min + this.#leftOut.min;
    const passedOver = classes.length < least && small === 'leave-out' && several;
    if (classes.length < least && !passedOver) {
      throw misconfigured(
        `${set.name}: ${classes.length} classes have ${needed} different texts; ${this.#ways.min} ways` +
          `${this.#leftOut.min === 0 ? '' : ` and ${this.#leftOut.min} left out`} need ${least}`,
      );
    }
    if (weight !== undefined && !(weight >= 0 && weight < Infinity)) {
      throw misconfigured(`${set.name}: the weight ${weight} is no number from 0 upwards`);
    }
    if (this.#confusable > 0) checkEmbeddings(source);
    return {
      source,
      classes,
      rows: classes.map((index) => rowsByClass[index]!),
      weight: passedOver ? 0 : (weight ?? Math.sqrt(classes.length)),
    };
  }
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * An anchor and others among the classes nearest to it, in random order, so that those left out are as near as the ways.
 *
 * @returns positions in the pool.
 */
function drawNear(pool: Pool, count: number, random: Random): number[] {
  const { set, embeddings } = pool.source;
  // The dimension follows from the lengths; `checkEmbeddings` has seen that they fit.
  pool.nearest ??= nearestClasses(embeddings!, embeddings!.length / set.texts.length, pool.rows);
  const anchor = random.below(pool.classes.length);
  const near = pool.nearest[anchor]!.slice(0, POOL * (count - 1));
  return random.sample([anchor, ...random.sample(near, count - 1)], count);
}

/** `[classes]` lists of rows: the first of each text, without texts that stand in several classes. */
function distinctRows(set: TextSet): number[][] {
  const first = new Map<string, number>();
  const ambiguous = new Set<string>();
  for (const row of set.texts.keys()) {
    const key = rowKey(set, row);
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, row);
    else if (set.labels[earlier] !== set.labels[row]) ambiguous.add(key);
  }
  const rows = set.classes.map((): number[] => []);
  for (const [key, row] of first) if (!ambiguous.has(key)) rows[set.labels[row]!]!.push(row);
  return rows;
}

function checkEmbeddings({ set, embeddings }: EpisodeSource): void {
  if (embeddings === undefined) {
    throw misconfigured(`${set.name}: confusable ways need the embeddings of its texts`);
  }
  const rows = set.texts.length;
  if (embeddings.length === 0 || embeddings.length % rows !== 0) {
    throw misconfigured(`${set.name}: ${embeddings.length} numbers are not the embeddings of ${rows} texts`);
  }
}

function rangeOf(name: string, count: Count, least: number): Range {
  const range = typeof count === 'number' ? { min: count, max: count } : count;
  const { min, max } = range;
  if (!Number.isInteger(min) || !Number.isInteger(max) || min < least || max < min) {
    throw misconfigured(
      `${name} ${min} to ${max}: integers from ${least} upwards are needed, the smaller first`,
    );
  }
  return range;
}

function misconfigured(message: string): KshotError {
  return new KshotError('invalid_configuration', message);
}
