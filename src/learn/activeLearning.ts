import { type Pool, suggest } from '../heads/acquisition.js';
import type { Strategy } from '../heads/strategies.js';
import type { EmbeddedSet } from './embeddedSet.js';
import type { Report } from './evaluation/episodic.js';
import type { EvaluatedHead } from './evaluation/evaluatedHead.js';
import { rowsByClass, taskOf } from './evaluation/task.js';
import { argmax } from '../statistics/measures.js';
import { Random } from '../statistics/random.js';

/** A head that has its say about the pool. */
export interface Judge {
  readonly evaluated: EvaluatedHead;
  /** What its logits are divided by, from the number of support rows of each class. */
  readonly temperature: (counts: readonly number[]) => number;
}

export interface LabellingOptions {
  /** Texts of the pool, those that are labelled at the start among them. */
  readonly pool: number;
  /** Labels that are given between two suggestions. */
  readonly batch: number;
  /** Where it ends: labels, those of the start among them. */
  readonly labels: number;
}

/** What came of labelling as one strategy has it. */
export interface LabellingCurve {
  /** Labels given, from the start on. */
  readonly labels: readonly number[];
  /** Of each set of queries, how many are right at each number of labels. */
  readonly hits: readonly (readonly number[])[];
}

/**
 * Somebody builds a bot by labelling what it meets: the pool is drawn from a set's texts, the bot starts with the names of
 * its intents and one text of each, and again and again `batch` texts that the strategy suggests are labelled with what the
 * set says. Pool and start depend on the seed alone, so that strategies are compared on the same.
 *
 * @param committee judges that are asked besides the bot's own head, by `committee` alone.
 * @param texts what the pool is drawn from.
 * @param queries what the bot is tested on after every batch, by sets: to choose by, and to report.
 */
export function simulateLabelling(
  own: Judge,
  committee: readonly Judge[],
  texts: EmbeddedSet,
  queries: readonly EmbeddedSet[],
  strategy: Strategy,
  seed: number,
  { pool: poolSize, batch, labels: end }: LabellingOptions,
  report?: Report,
): LabellingCurve {
  const random = new Random(seed);
  const { dimension: D, embeddings, set } = texts;
  const rowsOf = (rows: readonly number[]) => gather(embeddings, rows, D);
  const [labelled, pool] = startOf(texts, poolSize, random);
  const labels: number[] = [];
  const hits = queries.map((): number[] => []);
  for (;;) {
    const byClass = set.classes.map((): number[] => []);
    for (const row of labelled) byClass[set.labels[row]!]!.push(row);
    const tasks = queries.map((asked) => taskOf(texts, asked, true, byClass));
    const { support } = tasks[0]!;
    const classes = support.counts.length;
    const logitsOf = ({ evaluated: { runtime } }: Judge, all: readonly Float32Array[]) => {
      const state = runtime.load(runtime.adapt(support));
      const logits = all.map((rows) => runtime.score(state, rows));
      state.dispose();
      return logits;
    };
    const rest = rowsOf(pool);
    const [ofRest, ...ofQueries] = logitsOf(own, [rest, ...tasks.map((task) => task.queries)]);
    labels.push(labelled.length);
    for (const [i, task] of tasks.entries()) {
      const winners = argmax(ofQueries[i]!, classes);
      hits[i]!.push(winners.filter((winner, q) => winner === task.labels[q]).length);
    }
    report?.(labelled.length, end);
    if (labelled.length + batch > end || pool.length < batch) return { labels, hits };

    const probabilities = (judge: Judge, logits: Float32Array) =>
      softmaxRows(logits, classes, judge.temperature(support.counts));
    const others = strategy === 'committee' ? committee : [];
    const about: Pool = {
      embeddings: rest,
      dimension: D,
      labelled: rowsOf(labelled),
      members: [
        probabilities(own, ofRest!),
        ...others.map((judge) => probabilities(judge, logitsOf(judge, [rest])[0]!)),
      ],
    };
    const picked = new Set(
      suggest(strategy, about, batch, random.split(labelled.length).word()).map(({ row }) => row),
    );
    const chosen = pool.filter((_, at) => picked.has(at));
    labelled.push(...chosen);
    const kept = pool.filter((_, at) => !picked.has(at));
    pool.splice(0, pool.length, ...kept);
  }
}

/** One row of each class, and the rest of the pool: rows of the set. */
function startOf(texts: EmbeddedSet, size: number, random: Random): [labelled: number[], pool: number[]] {
  const byClass = rowsByClass(texts);
  const labelled = byClass.map((rows, c) => random.split('start').split(c).sample(rows, 1)[0]!);
  const started = new Set(labelled);
  const others = byClass.flat().filter((row) => !started.has(row));
  const wanted = Math.min(others.length, size - labelled.length);
  return [labelled, random.split('pool').sample(others, wanted)];
}

function gather(embeddings: Float32Array, rows: readonly number[], D: number): Float32Array {
  const gathered = new Float32Array(rows.length * D);
  rows.forEach((row, at) => gathered.set(embeddings.subarray(row * D, (row + 1) * D), at * D));
  return gathered;
}

/**
 * How many labels it took to get so many queries right for the first time, between two batches by a straight line; undefined
 * where it never came to that.
 *
 * @param labels given, and
 * @param hits what was right then.
 */
export function labelsToReach(
  labels: readonly number[],
  hits: readonly number[],
  wanted: number,
): number | undefined {
  const at = hits.findIndex((right) => right >= wanted);
  if (at < 0) return undefined;
  if (at === 0) return labels[0]!;
  const share = (wanted - hits[at - 1]!) / (hits[at]! - hits[at - 1]!);
  return labels[at - 1]! + share * (labels[at]! - labels[at - 1]!);
}

/** Softmax of each row of logits / temperature: `[Q, C]` to `[Q, C]`. */
function softmaxRows(logits: Float32Array, classes: number, temperature: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += classes) {
    const own = logits.subarray(from, from + classes);
    const most = Math.max(...own);
    const weights = own.map((logit) => Math.exp((logit - most) / temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    probabilities.set(
      weights.map((weight) => weight / total),
      from,
    );
  }
  return probabilities;
}
