import { BotTexts, indexedTexts, type LiveIntent } from '../../src/classify/botTexts.js';
import { defaultTemperature, softmax } from '../../src/classify/calibrate.js';
import { CandidateScorer } from '../../src/classify/candidates.js';
import { rowCount, supportRows } from '../../src/classify/supportSet.js';
import { isTelling } from '../../src/classify/text.js';
import type { CalibrationModel } from '../../src/heads/calibration.js';
import type { HeadRuntime } from '../../src/heads/runtime.js';
import { AdaptiveIndex } from '../../src/index/adaptive.js';
import { openIndex } from '../../src/index/openIndex.js';
import { expectedCalibrationError, proportion, type Proportion } from '../../src/statistics/measures.js';
import { Random } from '../../src/statistics/random.js';
import type { BotContents, StoredText } from '../../src/store/store.js';
import { type BenchIntent, type BenchQueries, groupTexts, type LargeBotSource } from './largeBot.js';

/** Texts to unit-length embeddings `[n, D]`. */
export type Embed = (texts: readonly string[]) => Promise<Float32Array>;

export interface BenchHead {
  readonly name: string;
  readonly runtime: HeadRuntime;
}

/** How candidates are found. */
export interface Retrieval {
  /** Nearest examples that are looked up. */
  readonly examples: number;
  /** Intents that they belong to, at most so many, the nearest first; where left out, as many as the service takes. */
  readonly candidates?: number;
}

export interface RetrievalRow {
  readonly intents: number;
  readonly head: string;
  /** `all`: scored are all intents. `adapted`: likewise, by a head that has adapted to the bot. */
  readonly way: 'all' | 'adapted' | Required<Retrieval>;
  readonly queries: number;
  readonly accuracy: Proportion;
  /** Share of the queries whose intent is scored at all. */
  readonly reachable: number;
  /** Expected calibration error of the confidence, as the service's defaults make it of the logits. */
  readonly ece: number;
  /** From an embedding to logits, retrieval included, one query at a time, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The same in time that the process was on a core, the mean: what others do on the machine hardly moves it. */
  readonly cpuMs: number;
}

export interface BotSize {
  readonly intents: number;
  readonly examples: number;
  /** How many intents are of each set, and of `groups`. */
  readonly origins: Readonly<Record<string, number>>;
}

/**
 * Up to so many intents the service scores all (src/classify/liveBot.ts), and heads adapt to all: it takes the square of the
 * size, some seconds for 150 intents, hours for 10,000.
 */
const MAX_ADAPTED = 512;

/** A bot of one size, as the service would hold it in memory. */
export interface LargeBot {
  readonly size: BotSize;
  readonly texts: BotTexts;
  readonly intents: readonly LiveIntent[];
}

/** Bots of the given sizes, each holding the ones before it: CLINC150's intents, then other sets', then groups. */
export async function* buildBots(
  source: LargeBotSource,
  sizes: readonly number[],
  embed: Embed,
  seed: number,
): AsyncGenerator<LargeBot> {
  const largest = Math.max(...sizes);
  const intents = [...source.intents];
  if (largest > intents.length) {
    const loose = source.loose.slice(0, (largest - intents.length) * TEXTS_A_GROUP);
    intents.push(
      ...groupTexts(loose, await embed(loose), largest - intents.length, new Random(seed).split('groups')),
    );
  }
  for (const size of sizes) yield await buildBot(intents.slice(0, size), embed);
}

/** Somewhat more texts than groups need: what is left over at the end of a block makes none. */
const TEXTS_A_GROUP = 5.2;

async function buildBot(intents: readonly BenchIntent[], embed: Embed): Promise<LargeBot> {
  const texts: StoredText[] = [];
  for (const { name, label, examples } of intents) {
    const add = (kind: StoredText['kind'], text: string) =>
      texts.push({ id: texts.length, kind, intent: name, text });
    add('label', label);
    for (const example of examples) add('example', example);
  }
  const embeddings = await embed(texts.map(({ text }) => text));
  const dimension = embeddings.length / texts.length;
  const time = new Date(0).toISOString();
  const contents: BotContents = {
    bot: { id: 1, name: 'large', settings: {}, revision: 1, createdAt: time, updatedAt: time },
    intents: intents.map(({ name }) => ({ name, description: null })),
    texts,
    embeddings,
  };
  const { examples: ids } = indexedTexts(contents);
  const rows = new Float32Array(ids.length * dimension);
  ids.forEach((id, row) =>
    rows.set(embeddings.subarray(id * dimension, (id + 1) * dimension), row * dimension),
  );
  const { index } = await openIndex({ dimension, ids, embeddings: rows });
  const bot = new BotTexts(contents, dimension, {
    examples: index,
    counterexamples: new AdaptiveIndex(dimension),
  });
  const origins: Record<string, number> = {};
  for (const { origin } of intents) origins[origin] = (origins[origin] ?? 0) + 1;
  return {
    size: { intents: intents.length, examples: bot.exampleCount, origins },
    texts: bot,
    intents: bot.intents,
  };
}

/** Queries with the embeddings that they are asked with. */
export interface EmbeddedQueries extends BenchQueries {
  /** `[texts.length, D]`, unit length. */
  readonly embeddings: Float32Array;
}

/** Measures a head on a bot: against all of its intents, and against the candidates that each retrieval finds. */
export function* measureHead(
  bot: LargeBot,
  head: BenchHead,
  retrievals: readonly Retrieval[],
  queries: EmbeddedQueries,
  calibration: CalibrationModel,
): Generator<RetrievalRow> {
  const { runtime } = head;
  const supportOf = (intents: readonly LiveIntent[], maxShots?: number) =>
    supportRows(
      intents.map(({ examples, label }) => ({
        examples: examples.map(({ id }) => bot.texts.embedding(id)),
        label: bot.texts.embedding(label.id),
        isTelling: isTelling(label.text),
      })),
      runtime.dimension,
      maxShots,
    );
  const row = (way: RetrievalRow['way'], score: Scoring): RetrievalRow => ({
    intents: bot.intents.length,
    head: head.name,
    way,
    queries: queries.texts.length,
    ...ask(queries, runtime.dimension, score),
  });

  const support = supportOf(bot.intents);
  const names = bot.intents.map(({ name }) => name);
  const temperatureOf = (intents: readonly LiveIntent[]) =>
    defaultTemperature(
      calibration,
      runtime.head.name,
      intents.map(({ examples, label }) => rowCount({ examples, isTelling: isTelling(label.text) })),
    );
  const temperature = temperatureOf(bot.intents);
  const ways = [
    { way: 'all' as const, leaves: () => runtime.induce(support) },
    ...(runtime.adapts && bot.intents.length <= MAX_ADAPTED
      ? [{ way: 'adapted' as const, leaves: () => runtime.adapt(support) }]
      : []),
  ];
  for (const { way, leaves } of ways) {
    const state = runtime.load(leaves());
    yield row(way, (query) => ({
      names,
      logits: runtime.score(state, query),
      temperature: () => temperature,
    }));
    state.dispose();
  }
  for (const { examples, candidates: given } of retrievals) {
    const scorer = new CandidateScorer(runtime, supportOf);
    const most = given ?? scorer.maxCandidates;
    yield row({ examples, candidates: most }, (query) => {
      const found = bot.texts.nearestExamples(query, examples);
      const retrieved = [...new Set(found.map(({ id }) => bot.texts.text(id).intent!))];
      const candidates = retrieved.slice(0, most).map((name) => bot.texts.intent(name)!);
      return {
        names: candidates.map(({ name }) => name),
        logits: scorer.score(query, candidates),
        temperature: () => (runtime.adapts ? temperatureOf(candidates) : temperature),
      };
    });
  }
}

/** What a query is answered with: the intents that were scored, their logits, and what makes probabilities of them. */
interface Answer {
  readonly names: readonly string[];
  readonly logits: Float32Array;
  /** Asked for when the clock has stopped. */
  readonly temperature: () => number;
}

type Scoring = (query: Float32Array) => Answer;

/** Queries that are asked before the clock runs: shapes are compiled, states that are often needed induced. */
const WARM_UP = 50;

function ask({ embeddings, labels }: EmbeddedQueries, D: number, score: Scoring) {
  const queries = labels.map((_, i) => embeddings.subarray(i * D, (i + 1) * D));
  for (const query of queries.slice(0, WARM_UP)) score(query);
  const right: boolean[] = [];
  const confidences: number[] = [];
  let reachable = 0;
  let cpuMicroseconds = 0;
  const times = queries.map((query, i) => {
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    const { names, logits, temperature } = score(query);
    const milliseconds = performance.now() - started;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMicroseconds += user + system;
    const probabilities = softmax(logits, temperature());
    const confidence = Math.max(...probabilities);
    confidences.push(confidence);
    right.push(names[probabilities.indexOf(confidence)] === labels[i]);
    if (names.includes(labels[i]!)) reachable++;
    return milliseconds;
  });
  times.sort((a, b) => a - b);
  const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))]!;
  return {
    accuracy: proportion(right.filter(Boolean).length, queries.length),
    ece: expectedCalibrationError(confidences, right),
    reachable: reachable / queries.length,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    cpuMs: cpuMicroseconds / 1000 / queries.length,
  };
}
