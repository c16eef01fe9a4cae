import { jit, numpy as np, tree } from '@jax-js/jax';
import { adam, type AdamState, adamStepSize } from '../../heads/adam.js';
import { gradientDescent, type StepRule } from '../../heads/innerLoop.js';
import { type LearnedOptimiserParams, networkSteps, optimiserStart } from '../../heads/learnedOptimiser.js';
import { classifier, descend, type RuleOptions } from '../../heads/learnedRule.js';
import { classifierLogits, type LinearLearner } from '../../heads/linearLearner.js';
import { crossEntropy } from '../../heads/losses.js';
import { occupied } from '../../heads/ops.js';
import type { Params } from '../../heads/head.js';
import type { Episode } from '../../heads/trainedHead.js';
import { meanInterval, type Proportion } from '../../statistics/measures.js';

/** How an optimiser does on held-out tasks. */
export interface OptimiserCurve {
  readonly optimiser: 'learned' | 'SGD' | 'RMSprop' | 'Adam';
  /** The rate that was best on the tuning tasks; the learned optimiser has none. */
  readonly rate?: number;
  /** Mean query loss after t = 0, 1, ... T steps, with its 95 % interval over the tasks. */
  readonly losses: readonly Proportion[];
}

export interface OptimiserComparison {
  /** Of a trained learned optimiser; not consumed. */
  readonly params: LearnedOptimiserParams;
  /** What it was trained with; `steps` may be more. */
  readonly options: Pick<RuleOptions, 'steps' | 'prototypes' | 'sharpness'>;
  /** Tasks that the rates of the others are chosen on, and */
  readonly tuning: readonly Episode[];
  /** tasks that all are compared on. Neither is consumed. */
  readonly held: readonly Episode[];
  /** What the rates are chosen from; three a decade by default. */
  readonly rates?: readonly number[];
}

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/**
 * The learned optimiser against others, each at its best rate, from the same start down the same support sets (Andrychowicz
 * et al. 2016, figures 4 to 6). A rate is the better the lower the mean of the query loss over all steps, which is what the
 * learned optimiser is trained for.
 */
export function compareOptimisers(given: OptimiserComparison): OptimiserCurve[] {
  const { params, tuning, held, rates = RATES } = given;
  const step = networkSteps();
  const learned = lossesOf(given, (network) => step(network as LearnedOptimiserParams));
  const curves: OptimiserCurve[] = [{ optimiser: 'learned', losses: intervals(learned.of(params, held)) }];
  learned.dispose();
  for (const [optimiser, rule] of Object.entries(BY_HAND) as [keyof typeof BY_HAND, RuleOfRate][]) {
    const tuned = lossesOf(given, (rate) => rule(rate as np.Array));
    const at = (rate: number, episodes: readonly Episode[]) => {
      const array = np.full([1], rate);
      const losses = tuned.of(array, episodes);
      array.dispose();
      return losses;
    };
    const totals = rates.map((rate) => sum(at(rate, tuning).map(sum)));
    const rate = rates[totals.indexOf(Math.min(...totals.filter(Number.isFinite)))]!;
    curves.push({ optimiser, rate, losses: intervals(at(rate, held)) });
    tuned.dispose();
  }
  return curves;
}

/** What runs an optimiser on tasks, compiled once. @param ruleOf its argument is not consumed. */
function lossesOf(
  { options }: OptimiserComparison,
  ruleOf: (given: Params) => StepRule<LinearLearner, Params>,
) {
  const run = jit((given: Params, episode: Episode) => {
    const { support, queries, targets, weights, ...unused } = episode;
    const classes = occupied(support.mask.ref);
    const start = optimiserStart(tree.ref(support), options.prototypes);
    const losses: np.Array[] = [];
    const measure = (at: LinearLearner) => {
      const logits = classifierLogits(classifier(at, options), queries.ref);
      losses.push(crossEntropy(logits, targets.ref, weights.ref, classes.ref));
    };
    measure(tree.ref(start));
    const end = descend(support, start, ruleOf(given), options, measure);
    tree.dispose([end, given, queries, targets, weights, classes, unused as Params]);
    return np.stack(losses);
  });
  return {
    /** Query losses: `[tasks]` lists of T + 1. Nothing is consumed. */
    of: (given: Params, episodes: readonly Episode[]) =>
      episodes.map((episode) => [...(run(tree.ref(given), tree.ref(episode)).dataSync() as Float32Array)]),
    dispose: () => run.dispose(),
  };
}

/** A rule by its rate, `[1]`, which is not consumed. */
type RuleOfRate = (rate: np.Array) => StepRule<LinearLearner, Params>;

const BY_HAND: Record<Exclude<OptimiserCurve['optimiser'], 'learned'>, RuleOfRate> = {
  SGD: (rate) => gradientDescent(() => ({ rows: rate.ref, bias: rate.ref })),
  RMSprop: rmsprop,
  Adam: byAdam,
};

const SQUARE_DECAY = 0.9;
const EPSILON = 1e-8;

/** Divides the gradient by a running mean of its size (Tieleman & Hinton 2012, lecture 6e). */
export function rmsprop(rate: np.Array): StepRule<LinearLearner, LinearLearner> {
  return {
    init: (start) => mapped((x) => np.zerosLike(x), start),
    update: (at, { loss, gradient }, squares) => {
      loss.dispose();
      const next = mapped(
        (square, slope) => square.mul(SQUARE_DECAY).add(np.square(slope).mul(1 - SQUARE_DECAY)),
        squares,
        tree.ref(gradient),
      );
      const move = (x: np.Array, slope: np.Array, square: np.Array) =>
        x.sub(slope.mul(rate.ref).div(np.sqrt(square).add(EPSILON)));
      return [mapped(move, at, gradient, tree.ref(next)), next];
    },
  };
}

type AdamStates = { rows: AdamState; bias: AdamState };

function byAdam(rate: np.Array): StepRule<LinearLearner, AdamStates> {
  return {
    init: ({ rows, bias }) => ({ rows: adam.init(rows), bias: adam.init(bias) }),
    update: (at, { loss, gradient }, states, t) => {
      loss.dispose();
      const size = adamStepSize(1, t).mul(np.concatenate([rate.ref, np.ones([1])]));
      const [rows, ofRows] = adam.update(at.rows, gradient.rows, states.rows, size.ref, EPSILON);
      const [bias, ofBias] = adam.update(at.bias, gradient.bias, states.bias, size, EPSILON);
      return [
        { rows, bias },
        { rows: ofRows, bias: ofBias },
      ];
    },
  };
}

function mapped(move: (...x: np.Array[]) => np.Array, first: LinearLearner, ...others: LinearLearner[]) {
  return tree.map<np.Array, np.Array, Params>(move, first, ...others) as LinearLearner;
}

/** `[tasks]` lists of T + 1 losses to T + 1 means. */
function intervals(losses: readonly (readonly number[])[]): Proportion[] {
  return losses[0]!.map((_, t) => meanInterval(losses.map((ofTask) => ofTask[t]!)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
