import type { SupportRows } from '../../heads/runtime.js';
import type { EmbeddedSet } from '../embeddedSet.js';
import { type EpisodeShape, EpisodeSampler } from '../episodes.js';
import type { Random } from '../../statistics/random.js';

/** A set to calibrate on, embedded by an encoder that has not seen it. */
export interface CalibrationSet {
  readonly name: string;
  readonly embedded: EmbeddedSet;
  /** Texts that belong to none of its classes, a source each. */
  readonly far: readonly { readonly name: string; readonly embeddings: Float32Array }[];
}

/** A bot as a user might have made it, and what it is asked. */
export interface SampledBot {
  /** Position in `BOT_SIZES`. */
  readonly size: number;
  /** As the server makes it (src/classify/supportSet.ts): an intent's examples, and its name as one more row. */
  readonly support: SupportRows;
  /** `[C]`: the rows of each intent that are examples. */
  readonly examples: readonly number[];
  /** `[Q, D]` */
  readonly queries: Float32Array;
  /** `[Q]`: the intent of each query; `NEAR`, or `FAR` and lower, for one out of scope. */
  readonly labels: Int32Array;
}

/** The label of a query whose class the bot does not have. */
export const NEAR = -1;
/** The label of a query of the set's first far source; of the second it is one lower, and so on. */
export const FAR = -2;

/**
 * Intents of a bot, and queries of each: every size counts the same, so that small bots must be asked more for their figures
 * to be as sure.
 */
export const BOT_SIZES: readonly { readonly min: number; readonly max: number; readonly queries: number }[] =
  [
    { min: 2, max: 3, queries: 16 },
    { min: 4, max: 7, queries: 10 },
    { min: 8, max: 15, queries: 6 },
    { min: 16, max: 31, queries: 4 },
    { min: 32, max: 63, queries: 4 },
    { min: 64, max: 150, queries: 4 },
  ];

/** Examples of an intent: real bots have uneven ones; the others are what is published about. */
const UNEVEN = { min: 1, max: 40 };
const SHOTS: readonly EpisodeShape['shots'][] = [UNEVEN, UNEVEN, UNEVEN, 1, 2, 3, 5, 10, 20];

const FAR_QUERIES = 25;
const LEFT_OUT = { min: 2, max: 20 };
/** Bots whose intents are near to one another, and so are the classes that they lack. */
const CONFUSABLE = 0.25;

/** Bots whose intents are called `intent_17`. */
const NAMELESS = 0.15;
/** Bots of which some intents have no example yet, and how many of them. */
const UNFINISHED = 0.2;
const WITHOUT_EXAMPLES = 0.3;
/** Bots that have names alone. */
const EMPTY = 0.05;

/** Samples bots of one set, of every size that it has classes for. */
export class BotSampler {
  readonly #set: CalibrationSet;
  /** By size and shots. */
  readonly #samplers: readonly { readonly size: number; readonly byShots: readonly EpisodeSampler[] }[];

  /** @throws KshotError `invalid_configuration` where the set cannot fill the smallest bots. */
  constructor(set: CalibrationSet) {
    this.#set = set;
    const source = { set: set.embedded.set, embeddings: set.embedded.embeddings };
    const least = BOT_SIZES[0]!.min;
    this.#samplers = BOT_SIZES.flatMap(({ queries, ...ways }, size) => {
      if (ways.min > least && source.set.classes.length < ways.min + LEFT_OUT.max) return [];
      const samplerOf = (shots: EpisodeShape['shots']) =>
        new EpisodeSampler([source], {
          ways,
          shots,
          queries,
          leftOut: LEFT_OUT,
          confusable: CONFUSABLE,
          smallClasses: 'leave-out',
        });
      const made = new Map([...new Set(SHOTS)].map((shots) => [shots, samplerOf(shots)]));
      return [{ size, byShots: SHOTS.map((shots) => made.get(shots)!) }];
    });
  }

  /** Bot number i: sizes take turns, all else is random. Consumes the generator. */
  sample(i: number, random: Random): SampledBot {
    const { size, byShots } = this.#samplers[i % this.#samplers.length]!;
    const episode = byShots[random.below(byShots.length)]!.sample(random);
    const { embedded, far } = this.#set;
    const { dimension: D, embeddings, names } = embedded;

    const nameless = random.next() < NAMELESS;
    const state = random.next();
    const emptied = (share: number) => !nameless && random.next() < share;
    const share = state < EMPTY ? 1 : state < EMPTY + UNFINISHED ? WITHOUT_EXAMPLES : 0;
    const support = episode.support.map((rows) => (emptied(share) ? [] : rows));

    const gathered: Float32Array[] = [];
    const counts = support.map((rows, c) => {
      for (const at of rows) gathered.push(rowOf(embeddings, at, D));
      const name = rowOf(names, episode.classes[c]!, D);
      const named = rows.length === 0 || (!nameless && name.some((value) => value !== 0));
      if (named) gathered.push(name);
      return rows.length + (named ? 1 : 0);
    });
    const strangers = far.flatMap(({ embeddings: texts }, source) =>
      random
        .sample(
          Array.from({ length: texts.length / D }, (_, at) => at),
          FAR_QUERIES,
        )
        .map((at) => ({ query: rowOf(texts, at, D), label: FAR - source })),
    );
    return {
      size,
      support: {
        counts,
        rows: concat(gathered, D),
        names: nameless
          ? new Float32Array(counts.length * D)
          : concat(
              episode.classes.map((c) => rowOf(names, c, D)),
              D,
            ),
      },
      examples: support.map(({ length }) => length),
      queries: concat(
        [...episode.queries.map((at) => rowOf(embeddings, at, D)), ...strangers.map(({ query }) => query)],
        D,
      ),
      labels: Int32Array.from([...episode.labels, ...strangers.map(({ label }) => label)]),
    };
  }
}

function rowOf(rows: Float32Array, at: number, D: number): Float32Array {
  return rows.subarray(at * D, (at + 1) * D);
}

function concat(rows: readonly Float32Array[], D: number): Float32Array {
  const all = new Float32Array(rows.length * D);
  rows.forEach((row, at) => all.set(row, at * D));
  return all;
}
