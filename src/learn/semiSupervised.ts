import { adaptedHead } from '../heads/adapted.js';
import type { Head } from '../heads/head.js';
import { prototypical } from '../heads/prototypical.js';
import { semiSupervisedHead } from '../heads/semiSupervised.js';
import { softKMeansHead } from '../heads/softKMeans.js';
import type { EmbeddedSet } from './embeddedSet.js';
import { EvaluatedHead } from './evaluation/evaluatedHead.js';
import { rowsByClass, scoreTask, taskOf } from './evaluation/task.js';
import { argmax } from '../statistics/measures.js';
import { Random } from '../statistics/random.js';

export interface SemiSupervisedPools {
  /** What support sets and unlabelled texts are drawn from. */
  readonly texts: EmbeddedSet;
  /** `[n, D]`: texts that are out of scope. */
  readonly strangers: Float32Array;
  readonly valid: EmbeddedSet;
  readonly test: EmbeddedSet;
}

/** How a head is evaluated. */
export interface Condition {
  readonly head: HeadId;
  /** Examples an intent. */
  readonly shots: number;
  /** Unlabelled texts. */
  readonly unlabelled: number;
  /** Share of them that is out of scope. */
  readonly strangers: number;
}

/** Queries of each split that are right. */
export interface ConditionHits {
  readonly valid: number;
  readonly test: number;
}

const THRESHOLD = 0.7;
const HEADS = {
  prototypical: () => prototypical,
  adapted: () => adaptedHead(),
  'soft k-means': () => softKMeansHead({ threshold: THRESHOLD }),
  'soft k-means, no distractor': () => softKMeansHead(),
  'semi-supervised': () => semiSupervisedHead(),
  'semi-supervised, no distractor': () => semiSupervisedHead({ threshold: undefined }),
} satisfies Record<string, () => Head>;

export type HeadId = keyof typeof HEADS;
export const HEAD_IDS = Object.keys(HEADS) as [HeadId, ...HeadId[]];

const SHOTS = [5, 10] as const;
/** Unlabelled texts, all of the bot's intents. */
const SIZES = [500, 1000, 4000] as const;
/** And of so many, shares that are out of scope. */
const MIXED = 1000;
const SHARES = [0, 0.5] as const;

/** All that is evaluated of one draw. */
export const CONDITIONS: readonly Condition[] = SHOTS.flatMap((shots) => [
  ...(['prototypical', 'adapted', 'semi-supervised'] as const).map((head) => ({
    head,
    shots,
    unlabelled: 0,
    strangers: 0,
  })),
  ...SIZES.flatMap((unlabelled) =>
    (['soft k-means', 'semi-supervised'] as const).map((head) => ({ head, shots, unlabelled, strangers: 0 })),
  ),
  ...SHARES.flatMap((strangers) =>
    HEAD_IDS.filter(
      (head) =>
        head.includes('no distractor') || (strangers > 0 && !['prototypical', 'adapted'].includes(head)),
    ).map((head) => ({ head, shots, unlabelled: MIXED, strangers })),
  ),
]);

/** A condition in words, to store its result by. */
export function conditionId({ head, shots, unlabelled, strangers }: Condition): string {
  return `${head} | ${shots} shots | ${unlabelled} texts | ${strangers}`;
}

/**
 * Every condition on one draw. The support set of a draw, its texts and the order in which they come depend on the draw's
 * number alone: fewer texts are the first of more, and 5 shots are among 10. Unlabelled are training texts that are in no
 * support set.
 *
 * @param report told the share that is done.
 */
export function evaluateUnlabelled(
  { texts, strangers, valid, test }: SemiSupervisedPools,
  draw: number,
  report?: (done: number) => void,
): Record<string, ConditionHits> {
  const D = texts.dimension;
  const random = new Random(draw);
  const byClass = rowsByClass(texts).map((rows, c) => random.split(c).sample(rows, rows.length));
  const most = Math.max(...SHOTS);
  const free = random.split('unlabelled').sample(
    byClass.flatMap((rows) => rows.slice(most)),
    byClass.reduce((sum, rows) => sum + Math.max(0, rows.length - most), 0),
  );
  const others = random
    .split('strangers')
    .sample([...Array(strangers.length / D).keys()], strangers.length / D);
  const results: Record<string, ConditionHits> = {};
  for (const [done, condition] of CONDITIONS.entries()) {
    const strange = Math.round(condition.unlabelled * condition.strangers);
    const unlabelled = Float32Array.from([
      ...gather(texts.embeddings, free.slice(0, condition.unlabelled - strange), D),
      ...gather(strangers, others.slice(0, strange), D),
    ]);
    const rows = byClass.map((own) => own.slice(0, condition.shots));
    const head = HEADS[condition.head]();
    const evaluated = new EvaluatedHead(head, D, {});
    const [ofValid, ofTest] = [taskOf(texts, valid, true, rows), taskOf(texts, test, true, rows)];
    const queries = Float32Array.from([...ofValid.queries, ...ofTest.queries]);
    const logits = scoreTask(evaluated, { ...ofTest.support, unlabelled }, queries);
    const winners = argmax(logits, ofTest.classes.length);
    const right = (labels: readonly number[], from: number) =>
      labels.filter((label, q) => winners[from + q] === label).length;
    results[conditionId(condition)] = {
      valid: right(ofValid.labels, 0),
      test: right(ofTest.labels, ofValid.labels.length),
    };
    evaluated.dispose();
    report?.((done + 1) / CONDITIONS.length);
  }
  return results;
}

function gather(embeddings: Float32Array, rows: readonly number[], D: number): Float32Array {
  const gathered = new Float32Array(rows.length * D);
  rows.forEach((row, at) => gathered.set(embeddings.subarray(row * D, (row + 1) * D), at * D));
  return gathered;
}
