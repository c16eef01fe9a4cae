import type { numpy as np } from '@jax-js/jax';
import { lax, tree } from '@jax-js/jax';
import type { Params } from './head.js';

/** Where a learner stands on a support set, as far as a step may know. */
export type Slope<Learner extends Params> = {
  /** L, the loss of the support set: a scalar. */
  loss: np.Array;
  /** dL / d theta. */
  gradient: Learner;
};

/** How steps are made from slopes: a pair of functions, as everywhere an optimiser is. Both consume what they are given. */
export type StepRule<Learner extends Params, State> = {
  /** What is carried from step to step. */
  init(start: Learner): State;
  /** @param t = 1, 2, ... */
  update(at: Learner, slope: Slope<Learner>, state: State, t: number): [Learner, State];
};

/**
 * The inner loop, which every method of "learning to learn" shares: a learner starts at theta_0 and goes down the loss of one
 * task's support set,
 *
 *   theta_t = rule(theta_{t-1}, dL/dtheta (theta_{t-1})),   t = 1 ... steps.
 *
 * What a method learns offline is where to start (MAML), how far to step (Meta-SGD), or the rule itself (learned optimisers);
 * the server's heads that adapt run the very same loop. It is a plain function of arrays: an outer loss that calls it is
 * differentiated through all of its steps.
 *
 * @param start theta_0; consumed.
 * @param slopeAt the slope at a learner, which it consumes.
 * @param visit sees each learner on the way, theta_1 to theta_steps; the reference is its own.
 * @returns theta_steps.
 */
export function innerLoop<Learner extends Params, State extends Params>(
  start: Learner,
  slopeAt: (at: Learner) => Slope<Learner>,
  rule: StepRule<Learner, State>,
  steps: number,
  visit?: (at: Learner, t: number) => void,
): Learner {
  let at = start;
  let state = rule.init(tree.ref(start));
  for (let t = 1; t <= steps; t++) {
    [at, state] = rule.update(at, slopeAt(tree.ref(at)), state, t);
    visit?.(tree.ref(at), t);
  }
  tree.dispose(state);
  return at;
}

/**
 * theta - alpha o dL/dtheta (Finn et al. 2017, eq. 1; with a rate for every number Li et al. 2017, eq. 1).
 *
 * @param ratesAt alpha of step t = 1, 2, ...: a tree like the learner's, of arrays that broadcast to its; consumed.
 */
export function gradientDescent<Learner extends Params>(
  ratesAt: (t: number) => Params,
): StepRule<Learner, Params> {
  return {
    init: (start) => {
      tree.dispose(start);
      return {};
    },
    update: (at, { loss, gradient }, state, t) => {
      loss.dispose();
      const move = (x: np.Array, slope: np.Array, rate: np.Array) => x.sub(slope.mul(rate));
      return [tree.map(move, at, gradient, ratesAt(t)) as Learner, state];
    },
  };
}

/**
 * The slope as an outer gradient shall see it: the value is the same, what is differentiated of it is `order` times as much.
 *
 * @param order 1 differentiates through the inner gradients (second order: MAML), 0 takes them for constants (first order:
 *   FOMAML); an array `[1]` of a number between anneals from one to the other (Antoniou et al. 2019, section 4). Not consumed.
 */
export function seenThrough<Learner extends Params>(
  { loss, gradient }: Slope<Learner>,
  order: 0 | 1 | np.Array,
): Slope<Learner> {
  const seen = (x: np.Array): np.Array => {
    if (order === 1) return x;
    if (order === 0) return lax.stopGradient(x);
    const constant = lax.stopGradient(x.ref);
    return constant.ref.add(x.sub(constant).mul(order.ref));
  };
  return { loss: lax.stopGradient(loss), gradient: tree.map<np.Array, np.Array, Learner>(seen, gradient) };
}
