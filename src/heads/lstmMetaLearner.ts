import { jit, numpy as np, random, tree } from '@jax-js/jax';
import { gradientFeatures } from './gradientFeatures.js';
import { adaptedState, type Head, type Support } from './head.js';
import type { Slope, StepRule } from './innerLoop.js';
import { glorot, initLstmCell, type Linear, linear, type LstmCell, lstmInput, lstmStep } from './layers.js';
import {
  coordinates,
  fromCoordinates,
  type LearnedRule,
  learnedRuleHead,
  prototypeStart,
  type RuleOptions,
  SHARPNESS,
  sharedStart,
} from './learnedRule.js';
import type { LinearLearner } from './linearLearner.js';
import { crossEntropy } from './losses.js';
import { sigmoid } from './ops.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type LstmMetaLearnerOptions = RuleOptions & {
  /** H, units of the LSTM that reads gradients and losses. */
  readonly units: number;
};

const DEFAULTS: LstmMetaLearnerOptions = {
  steps: 5,
  units: 20,
  prototypes: false,
  sharpness: SHARPNESS,
  secondOrder: false,
};

export type LstmMetaLearnerParams = {
  /** Reads gradient and loss, four features: H units. */
  reader: LstmCell;
  /** W_F, b_F and W_I, b_I of the gates f and i: of H + 2 inputs one number. */
  forget: Linear;
  input: Linear;
  /** The row of theta_0, that every class starts at: `[1, D]`; absent where they start at the prototypes. */
  row?: np.Array;
};

/** What goes from step to step, for each of n coordinates. */
export type GateState = {
  /** Of the LSTM that reads: `[n, H]` each. */
  hidden: np.Array;
  memory: np.Array;
  /** f_t and i_t: `[n, 1]` each. */
  forget: np.Array;
  input: np.Array;
};

/** Biases of the gates: all is kept, and little is taken in, which is gradient descent at a small rate (section 3.3). */
const START_FORGET = 5;
const START_INPUT = -4;
/** What the gates' first weights are times Glorot's draw. */
const START_GATES = 0.1;

/**
 * The LSTM meta-learner (Ravi & Larochelle 2017). A step of the inner loop is the cell of an LSTM, whose memory is the
 * learner and whose candidate is the negative gradient (eq. 2):
 *
 *   theta_t = f_t o theta_{t-1} - i_t o dL_t,
 *   i_t = sigma(W_I [h_t, theta_{t-1}, i_{t-1}] + b_I),   f_t = sigma(W_F [h_t, theta_{t-1}, f_{t-1}] + b_F),
 *
 * h_t of a plain LSTM that has read gradients and losses so far (`gradientFeatures`; section 5.1 puts it below the cell whose
 * equations have dL_t and L_t there). All of it is shared by the coordinates, each of which has a state of its own
 * (section 3.2). theta_0 is learned too: one row that all classes start at, so that scores do not depend on their order, where
 * the paper's classes are told apart by place; or it is the prototypes. Cross-entropy of the queries at theta_T
 * (algorithm 1); gradients and losses count as independent of what is learned (section 3.3).
 */
export function lstmMetaLearner(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('lstm-meta-learner', DEFAULTS, given);
  const { units, prototypes } = options;
  const rule = gatedSteps();
  const method: LearnedRule<LstmMetaLearnerParams> = {
    name: 'lstm-meta-learner',
    options,
    init: (key, D) => {
      const [reader, forget, input] = [...random.split(key, 3)] as [np.Array, np.Array, np.Array];
      const gate = (draw: np.Array, bias: number) => ({
        weight: glorot(draw, [1, units + 2]).mul(START_GATES),
        bias: np.full([1], bias),
      });
      return {
        reader: initLstmCell(reader, units, 4),
        forget: gate(forget, START_FORGET),
        input: gate(input, START_INPUT),
        ...(!prototypes && { row: np.zeros([1, D]) }),
      };
    },
    start: metaStart,
    rule,
  };

  const head = learnedRuleHead(method);
  const atTheEnd: Head['induce'] = (params, support) => adaptedState(head, params, support);
  return {
    ...head,
    options,
    loss: scoreLoss({ induce: atTheEnd, score: (...given) => head.score(...given) }, crossEntropy),
  };
}

/** theta_0. @param params not consumed. */
export function metaStart({ row }: LstmMetaLearnerParams, support: Support): LinearLearner {
  return row === undefined ? prototypeStart(support) : sharedStart(row.ref, support);
}

/** The rule of the steps, compiled once for a number of classes: of all steps at once the intermediate arrays are too many. */
export function gatedSteps(): (params: LstmMetaLearnerParams) => StepRule<LinearLearner, GateState> {
  const step = jit(gatedStep);
  return (params) => ({
    init: (start) => gateStart(params, start),
    update: (at, slope, state) => step(tree.ref(params), at, slope, state),
  });
}

function gateStart({ reader }: LstmMetaLearnerParams, { rows, bias }: LinearLearner): GateState {
  const n = rows.size + bias.size;
  tree.dispose([rows, bias]);
  const zeros = (size: number) => np.zeros([n, size]);
  const units = reader.recurrent.shape[1]!;
  return { hidden: zeros(units), memory: zeros(units), forget: zeros(1), input: zeros(1) };
}

/** One step of the cell: theta_t and the state. Every argument is consumed. */
export function gatedStep(
  { reader, forget, input, ...start }: LstmMetaLearnerParams,
  at: LinearLearner,
  { loss, gradient }: Slope<LinearLearner>,
  state: GateState,
): [LinearLearner, GateState] {
  tree.dispose(start);
  const C = at.rows.shape[0]!;
  const theta = coordinates(at); // [n, 1]
  const slope = coordinates(gradient); // [n, 1]
  const ofLoss = np.broadcastTo(gradientFeatures(loss), [slope.size, 2]);
  const read = np.concatenate([gradientFeatures(slope.ref.reshape([slope.size])), ofLoss], 1); // [n, 4]
  const { recurrent, ...first } = reader;
  const [hidden, memory] = lstmStep(recurrent, lstmInput(first, read), state.hidden, state.memory);
  const gate = (layer: Linear, previous: np.Array) =>
    sigmoid(linear(layer, np.concatenate([hidden.ref, theta.ref, previous], 1))); // [n, 1]
  const f = gate(forget, state.forget);
  const i = gate(input, state.input);
  const next = theta.mul(f.ref).sub(slope.mul(i.ref));
  return [fromCoordinates(next, C), { hidden, memory, forget: f, input: i }];
}
