import { z } from 'zod';

/** How a cell is measured: all that decides which queries are asked against which support sets. */
export const protocolSchema = z.discriminatedUnion('kind', [
  /** N-way K-shot episodes over a set (`evaluateEpisodes`). */
  z.strictObject({
    kind: z.literal('episodes'),
    set: z.string(),
    split: z.string(),
    /** For relations: sentence and both entities' token states joined (src/learn/relationEmbedding.ts). */
    entities: z.boolean(),
    ways: z.int().positive(),
    shots: z.int().positive(),
    queries: z.int().positive(),
    episodes: z.int().positive(),
    seed: z.int(),
  }),
  /** The 12 test tasks of ARSC (`evaluateTasks`). */
  z.strictObject({ kind: z.literal('arsc') }),
  /** A published support set, all intents at once (`evaluateFullSet`). */
  z.strictObject({
    kind: z.literal('intents'),
    set: z.string(),
    shots: z.int().positive(),
    split: z.string(),
  }),
  /** The same, and queries that belong to none of the intents (`outOfScopeMeasures`). */
  z.strictObject({
    kind: z.literal('out-of-scope'),
    set: z.string(),
    shots: z.int().positive(),
    split: z.string(),
  }),
  /** Support sets drawn from the training texts (`evaluateShots`). */
  z.strictObject({
    kind: z.literal('shots'),
    set: z.string(),
    split: z.string(),
    shots: z.union([z.int().positive(), z.literal('uneven')]),
    draws: z.int().positive(),
    seed: z.int(),
  }),
]);

export type Protocol = z.infer<typeof protocolSchema>;

/** One column of a table: a protocol under a name. */
export interface Setting {
  readonly name: string;
  /** The settings of a group share tables and charts. */
  readonly group: string;
  readonly protocol: Protocol;
}

/** A benchmark's standard settings may be narrowed. */
export interface SettingOptions {
  readonly sets?: readonly string[] | undefined;
  readonly split?: string | undefined;
  readonly episodes?: number | undefined;
  readonly draws?: number | undefined;
  readonly seed?: number | undefined;
  readonly entities?: boolean | undefined;
}

const INTENT_SETS = ['banking77', 'clinc150', 'hwu64'];
/** How sets are called in tables. */
const TITLES: Readonly<Record<string, string>> = {
  banking77: 'BANKING77',
  clinc150: 'CLINC150',
  hwu64: 'HWU64',
};
const EPISODES = 1000;
const DRAWS = 5;
const SEED = 1;

const STANDARD = {
  fewrel: ({ sets = ['val_wiki', 'val_pubmed'], episodes = EPISODES, seed = SEED, entities = false }) =>
    sets.flatMap((split) =>
      [5, 10].flatMap((ways) =>
        [1, 5].map((shots): Setting => ({
          name: `${ways}-way ${shots}-shot`,
          group: split,
          protocol: {
            kind: 'episodes',
            set: 'fewrel',
            split,
            entities,
            ways,
            shots,
            queries: 5,
            episodes,
            seed,
          },
        })),
      ),
    ),

  arsc: () => [{ name: 'mean of 12 tasks', group: 'ARSC', protocol: { kind: 'arsc' } }],

  intents: ({ sets = INTENT_SETS, split = 'test' }) =>
    [5, 10].flatMap((shots) =>
      sets.map((set): Setting => ({
        name: titleOf(set),
        group: `${shots} examples an intent`,
        protocol: { kind: 'intents', set, shots, split },
      })),
    ),

  oos: ({ split = 'test' }) =>
    [5, 10].map((shots): Setting => ({
      name: `${shots} examples an intent`,
      group: titleOf('clinc150'),
      protocol: { kind: 'out-of-scope', set: 'clinc150', shots, split },
    })),

  shots: ({ sets = INTENT_SETS, split = 'test', draws = DRAWS, seed = SEED }) =>
    sets.flatMap((set) =>
      ([1, 2, 5, 10, 20, 'uneven'] as const).map((shots): Setting => ({
        name: String(shots),
        group: titleOf(set),
        protocol: { kind: 'shots', set, split, shots, draws, seed },
      })),
    ),
} satisfies Record<string, (options: SettingOptions) => Setting[]>;

export type BenchmarkName = keyof typeof STANDARD;

export const BENCHMARK_NAMES = Object.keys(STANDARD) as [BenchmarkName, ...BenchmarkName[]];

/** The columns of a benchmark, as its published figures have them. */
export function standardSettings(benchmark: BenchmarkName, options: SettingOptions = {}): Setting[] {
  return STANDARD[benchmark](options);
}

function titleOf(set: string): string {
  return TITLES[set] ?? set;
}
