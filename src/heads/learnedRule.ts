import { lax, numpy as np, tree } from '@jax-js/jax';
import type { Head, Params, Support } from './head.js';
import { innerLoop, seenThrough, type StepRule } from './innerLoop.js';
import {
  alignClassifiers,
  classifierLogits,
  type LinearClassifier,
  type LinearLearner,
  linearSlope,
} from './linearLearner.js';
import { maskedMean } from './ops.js';
import { supportExamples } from './supportExamples.js';

// What the heads share whose inner loop makes its steps by a rule that is itself learned: the learner, where it starts, and
// how a support set becomes class state. The learner is the last layer alone, P(c | x) = softmax_c(s (w_c.x + b_c)), with s a
// constant, so that its numbers are of the size of an embedding's.

/** What tells such a head apart from another. */
export type LearnedRule<Learned extends Params> = {
  readonly name: string;
  readonly options: RuleOptions;
  init(key: np.Array, dimension: number): Learned;
  /** theta_0. @param params not consumed. */
  start(params: Learned, support: Support): LinearLearner;
  /** @param params not consumed, and needed for as long as steps are made. */
  rule(params: Learned): StepRule<LinearLearner, Params>;
};

export type RuleOptions = {
  /** T, steps of the inner loop. */
  readonly steps: number;
  /** Whether the learner starts at the prototypes of the support set; if not, at one row that all classes share. */
  readonly prototypes: boolean;
  /** s, what the learner's logits are multiplied by; a step at one rate moves logits by s squared. */
  readonly sharpness: number;
  /**
   * Whether training differentiates through the inner gradients and losses too, which both papers take for independent of
   * what is learned.
   */
  readonly secondOrder: boolean;
};

/**
 * Half of what cosines are multiplied by: at 20 five steps of the LSTM meta-learner's first gates overshoot (57 % right before
 * training, 95 % at 10 and at 5; validation on CLINC150 and HWU64, 10 to 30 ways).
 */
export const SHARPNESS = 10;

/** What an inner loop needs to know of them. */
export type Descent = Pick<RuleOptions, 'steps' | 'sharpness'> & Partial<Pick<RuleOptions, 'secondOrder'>>;

/** The head that adapts by the rule. */
export function learnedRuleHead<Learned extends Params>(method: LearnedRule<Learned>): Head {
  const { name, options } = method;
  const learn = (params: Learned, support: Support): LinearClassifier => {
    const start = method.start(params, tree.ref(support));
    const end = descend(support, start, method.rule(params), options);
    tree.dispose(params);
    return classifier(end, options);
  };
  const score: Head['score'] = (params, state, queries) => {
    tree.dispose(params);
    return classifierLogits(state as LinearClassifier, queries);
  };
  const head = { name, init: (key: np.Array, D: number) => method.init(key, D), score };
  // What a shared row says of a class before it has adapted is nothing: state and adaptation are one.
  if (!options.prototypes) {
    return { ...head, contextual: true, induce: (params, support) => learn(params as Learned, support) };
  }
  return {
    ...head,
    induce: (params, support) => {
      tree.dispose(params);
      return classifier(prototypeStart(support), options);
    },
    adapt: (params, support, state) => {
      tree.dispose(state);
      return learn(params as Learned, support);
    },
    align: alignClassifiers,
  };
}

/**
 * The inner loop on a support set.
 *
 * @param support consumed, as is the start.
 * @returns theta_T.
 */
export function descend<State extends Params>(
  support: Support,
  start: LinearLearner,
  rule: StepRule<LinearLearner, State>,
  { steps, sharpness: s, secondOrder = false }: Descent,
  visit?: (at: LinearLearner, t: number) => void,
): LinearLearner {
  const examples = supportExamples(support);
  const sharpness = np.full([1], s);
  const slopeAt = linearSlope(examples, sharpness);
  const seen = (at: LinearLearner) => (secondOrder ? slopeAt(at) : seenThrough(slopeAt(at), 0));
  const end = innerLoop(start, seen, rule, steps, visit);
  tree.dispose([examples, sharpness]);
  return end;
}

/** s (w_c.x + b_c) as weights and biases. */
export function classifier(
  { rows, bias }: LinearLearner,
  { sharpness: s }: Pick<RuleOptions, 'sharpness'>,
): LinearClassifier {
  return { weights: rows.mul(s), bias: bias.mul(s) };
}

/** Every class at one row, `[1, D]`, without a bias, which would change nothing as long as it is the same for all. */
export function sharedStart(row: np.Array, support: Support): LinearLearner {
  const C = support.mask.shape[0]!;
  tree.dispose(support);
  return { rows: np.repeat(row, C, 0), bias: np.zeros([C]) };
}

/** w_c = v_c, b_c = -|v_c|^2 / 2, of which s (w_c.x + b_c) is -s/2 |x - v_c|^2 but for what classes have in common. */
export function prototypeStart({ rows, mask, names }: Support): LinearLearner {
  names.dispose();
  const prototypes = maskedMean(rows, mask); // [C, D]
  return { rows: prototypes.ref, bias: np.square(prototypes).sum(1).mul(-0.5) };
}

/** The numbers of a learner, or of its gradient, one beside the other: n = C (D + 1), `[n, 1]`. */
export function coordinates({ rows, bias }: LinearLearner): np.Array {
  const all = np.concatenate([rows, np.expandDims(bias, 1)], 1); // [C, D + 1]
  return all.reshape([all.size, 1]);
}

/** What `coordinates` made `[n, 1]` of, with C classes. */
export function fromCoordinates(all: np.Array, classes: number): LinearLearner {
  const D = all.size / classes - 1;
  const [rows, bias] = np.split(all.reshape([classes, D + 1]), [D], 1) as [np.Array, np.Array];
  return { rows, bias: bias.reshape([classes]) };
}

/** The rule, but that learner and state count as constants every so many steps: truncated back-propagation. */
export function truncated<State extends Params>(
  rule: StepRule<LinearLearner, State>,
  every: number,
): StepRule<LinearLearner, State> {
  const constant = <T extends Params>(x: T) => tree.map<np.Array, np.Array, Params>(lax.stopGradient, x) as T;
  return {
    init: (start) => rule.init(start),
    update: (at, slope, state, t) =>
      (t - 1) % every === 0
        ? rule.update(constant(at), constant(slope), constant(state), t)
        : rule.update(at, slope, state, t),
  };
}
