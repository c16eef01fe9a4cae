import { jit, numpy as np, random, tree } from '@jax-js/jax';
import { gradientFeatures } from './gradientFeatures.js';
import type { Support } from './head.js';
import type { StepRule } from './innerLoop.js';
import { initLstmCell, type LstmCell, lstmInput, lstmStep, project } from './layers.js';
import {
  classifier,
  coordinates,
  descend,
  fromCoordinates,
  type LearnedRule,
  learnedRuleHead,
  prototypeStart,
  type RuleOptions,
  SHARPNESS,
  sharedStart,
  truncated,
} from './learnedRule.js';
import { classifierLogits, type LinearLearner } from './linearLearner.js';
import { crossEntropy } from './losses.js';
import { occupied } from './ops.js';
import { type HeadOptions, resolveOptions, type TrainedHead } from './trainedHead.js';

export type LearnedOptimiserOptions = RuleOptions & {
  /** H, units of each of the two LSTMs. */
  readonly units: number;
  /** Steps that back-propagation goes back through. */
  readonly unroll: number;
};

const DEFAULTS: LearnedOptimiserOptions = {
  steps: 8,
  units: 20,
  unroll: 4,
  prototypes: false,
  sharpness: SHARPNESS,
  secondOrder: false,
};

/** phi. */
export type LearnedOptimiserParams = {
  /** The two layers of m. */
  first: LstmCell;
  second: LstmCell;
  /** g of the second's hidden state: `[1, H]`. A bias would move all classes alike, and no score. */
  output: np.Array;
};

/** h_t, for each of n coordinates: hidden state and cell of both layers, `[n, H]` each. */
export type OptimiserState = {
  firstHidden: np.Array;
  firstMemory: np.Array;
  secondHidden: np.Array;
  secondMemory: np.Array;
};

/** What the network's output is times to be a step: steps are small against what a network gives out (section 2.1). */
const OUTPUT_SCALE = 0.1;

/**
 * Learning to learn by gradient descent by gradient descent (Andrychowicz et al. 2016, eq. 3 and section 2.1). The rule of the
 * inner loop is a recurrent network m, two layers of LSTM that go over the coordinates one like another:
 *
 *   theta_{t+1} = theta_t + g_t,   [g_t, h_{t+1}] = m(dL(theta_t), h_t, phi);   L(phi) = sum_t w_t f(theta_t).
 *
 * The network is given the gradient of the support set. f is what the steps are for: the loss of the queries, which are to the
 * support set what a fresh minibatch is in the paper; going down the support set itself soon is of no use, with a few shots.
 * w_t = 1 / T for t = 1 ... T. Back-propagation goes back `unroll` steps, and not through the gradients that the network reads
 * (the dashed edges of figure 2).
 *
 * theta_0 is zero, all classes alike, or the prototypes.
 */
export function learnedOptimiser(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('learned-optimiser', DEFAULTS, given);
  const { steps, units, unroll, prototypes } = options;
  const rule = networkSteps();
  const method: LearnedRule<LearnedOptimiserParams> = {
    name: 'learned-optimiser',
    options,
    init: (key) => {
      const [first, second] = [...random.split(key, 2)] as [np.Array, np.Array];
      return {
        first: initLstmCell(first, units, 2),
        second: initLstmCell(second, units, units),
        output: np.zeros([1, units]), // no step at all to begin with
      };
    },
    start: (_params, support) => optimiserStart(support, prototypes),
    rule,
  };

  return {
    ...learnedRuleHead(method),
    options,
    loss: (given, { support, queries, targets, weights, adapted, progress }) => {
      tree.dispose([adapted ?? {}, progress ?? {}]);
      const params = given as LearnedOptimiserParams;
      const classes = occupied(support.mask.ref);
      let total = np.array(0);
      const visit = (at: LinearLearner) => {
        const logits = classifierLogits(classifier(at, options), queries.ref);
        total = total.add(crossEntropy(logits, targets.ref, weights.ref, classes.ref));
      };
      const start = optimiserStart(tree.ref(support), prototypes);
      const end = descend(support, start, truncated(rule(params), unroll), options, visit);
      tree.dispose([end, params, queries, targets, weights, classes]);
      return total.div(steps);
    },
  };
}

/** theta_0. */
export function optimiserStart(support: Support, prototypes: boolean): LinearLearner {
  if (prototypes) return prototypeStart(support);
  return sharedStart(np.zeros([1, support.rows.shape[2]!]), support);
}

/** The rule of the steps, compiled once for a number of classes: of all steps at once the intermediate arrays are too many. */
export function networkSteps(): (params: LearnedOptimiserParams) => StepRule<LinearLearner, OptimiserState> {
  const step = jit(networkStep);
  return (params) => ({
    init: (start) => networkStart(params, start),
    update: (at, { loss, gradient }, state) => {
      loss.dispose();
      return step(tree.ref(params), at, gradient, state);
    },
  });
}

function networkStart({ first }: LearnedOptimiserParams, { rows, bias }: LinearLearner): OptimiserState {
  const n = rows.size + bias.size;
  tree.dispose([rows, bias]);
  const zeros = () => np.zeros([n, first.recurrent.shape[1]!]);
  return { firstHidden: zeros(), firstMemory: zeros(), secondHidden: zeros(), secondMemory: zeros() };
}

/** One step of m: theta_{t+1} and h_{t+1}. Every argument is consumed. */
export function networkStep(
  { first, second, output }: LearnedOptimiserParams,
  at: LinearLearner,
  gradient: LinearLearner,
  state: OptimiserState,
): [LinearLearner, OptimiserState] {
  const C = at.rows.shape[0]!;
  const slope = coordinates(gradient); // [n, 1]
  const read = gradientFeatures(slope.reshape([slope.size])); // [n, 2]
  const layer = ({ recurrent, ...input }: LstmCell, x: np.Array, hidden: np.Array, memory: np.Array) =>
    lstmStep(recurrent, lstmInput(input, x), hidden, memory);
  const [firstHidden, firstMemory] = layer(first, read, state.firstHidden, state.firstMemory);
  const [secondHidden, secondMemory] = layer(second, firstHidden.ref, state.secondHidden, state.secondMemory);
  const step = project(output, secondHidden.ref).mul(OUTPUT_SCALE); // [n, 1]: g_t
  const next = fromCoordinates(coordinates(at).add(step), C);
  return [next, { firstHidden, firstMemory, secondHidden, secondMemory }];
}
