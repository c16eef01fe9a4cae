import { tree } from '@jax-js/jax';
import { adaptedHead } from '../heads/adapted.js';
import { COSINE_DESCENT } from '../heads/cosineLearner.js';
import type { Params } from '../heads/head.js';
import { cutShort, isMamlName, maml, type MamlParams } from '../heads/maml.js';
import type { HeadRuntime } from '../heads/runtime.js';
import { type SupportRows } from '../heads/runtime.js';
import type { TrainedHead } from '../heads/trainedHead.js';
import { weighing } from '../heads/weighing.js';
import { EvaluatedHead } from './evaluation/evaluatedHead.js';
import { accuracy, type Strata } from './evaluation/outcomes.js';
import type { Proportion } from '../statistics/measures.js';
import { Random } from '../statistics/random.js';

/** One point of the study: a head whose inner loop makes so many steps. */
export interface AdaptationPoint {
  readonly head: string;
  readonly steps: number;
  /** Mean over the settings, each counting the same. */
  readonly accuracy: Proportion;
  /** By setting. */
  readonly bySetting: Readonly<Record<string, Proportion>>;
  /** Of one adaptation in the server's code, by the size of the bot: the median of a few. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** What adapting to a bot of a size takes, in a process of its own. */
export interface AdaptationSize {
  readonly head: string;
  readonly steps: number;
  readonly intents: number;
  readonly shots: number;
  /** Of the whole bot; null where it takes more memory than WebAssembly has, 4 GiB. */
  readonly milliseconds: number | null;
  /** The largest that the process ever was, less what it was before; null as above. */
  readonly megabytes: number | null;
  /** Of the eight candidates of a query, as the server does for bots beyond 512 intents. */
  readonly localMilliseconds: number;
}

/** A head at another number of inner steps than it has by itself. */
export function atSteps({ head, params, dimension }: EvaluatedHead, steps: number): EvaluatedHead {
  const own = tree.ref(params);
  const options = 'options' in head ? (head as TrainedHead).options : {};
  if (head.name === 'adapted') return new EvaluatedHead(adaptedHead({ steps }), dimension, own);
  if (head.name === 'weighing') return new EvaluatedHead(weighing({ ...options, steps }), dimension, own);
  if (isMamlName(head.name)) {
    const cut = cutShort(own as MamlParams, steps) as Params;
    return new EvaluatedHead(maml(head.name, { ...options, steps }), dimension, cut);
  }
  return new EvaluatedHead(head, dimension, own);
}

/** The inner steps of a head as it is; 0 of one that makes none. */
export function stepsOf({ head }: EvaluatedHead): number {
  if (head.name === 'adapted') return COSINE_DESCENT.steps;
  if (!('options' in head)) return 0;
  const { steps } = (head as TrainedHead).options;
  return typeof steps === 'number' ? steps : 0;
}

/** The mean over settings that count the same. */
export function meanAccuracy(bySetting: Readonly<Record<string, Strata>>): Proportion {
  const single = Object.entries(bySetting).map(
    ([name, strata]) => [name, Object.values(strata)[0]!] as const,
  );
  return accuracy([Object.fromEntries(single)]);
}

/** Of one adaptation, the median of `repeats` after one that is not counted. */
export function timeAdaptation(runtime: HeadRuntime, support: SupportRows, repeats = 3): number {
  runtime.adapt(support);
  const times = Array.from({ length: repeats }, () => {
    const start = performance.now();
    runtime.adapt(support);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
}

/** Of adapting to eight candidates of 15 examples and a name each, as the server does for a query: the median of 20. */
export function timeLocally(runtime: HeadRuntime): number {
  const [classes, rows] = [8, 16];
  const support = madeUpSupport(classes, rows, runtime.dimension, new Random(4));
  const times = Array.from({ length: 21 }, () => {
    const start = performance.now();
    runtime.adaptLocally(support, classes, rows);
    return performance.now() - start;
  });
  return times.slice(1).sort((a, b) => a - b)[10]!; // the first compiles
}

/** A support set of made-up intents: rows around a centre each, as near to it as paraphrases are (a cosine of about 0.75). */
export function madeUpSupport(
  intents: number,
  shots: number,
  dimension: number,
  random: Random,
): SupportRows {
  const rows = new Float32Array(intents * shots * dimension);
  for (let c = 0; c < intents; c++) {
    const centre = unitVector(dimension, random);
    for (let k = 0; k < shots; k++) {
      const noise = unitVector(dimension, random);
      rows.set(normalised(centre.map((value, d) => value + 0.88 * noise[d]!)), (c * shots + k) * dimension);
    }
  }
  return {
    counts: Array<number>(intents).fill(shots),
    rows,
    names: new Float32Array(intents * dimension),
  };
}

function unitVector(dimension: number, random: Random): number[] {
  // The sum of uniform numbers is near enough to normal for a direction.
  return normalised(
    Array.from({ length: dimension }, () => random.next() + random.next() + random.next() - 1.5),
  );
}

function normalised(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
