import { numpy as np, random, tree } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import type { Head, Support } from './head.js';
import { initLstmCell, type LstmCell, lstmInput, lstmStep } from './layers.js';
import { crossEntropy } from './losses.js';
import { innerProducts, maskedMean, maskedSoftmax, unit } from './ops.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type MatchingFceOptions = {
  /** T, steps of the attention LSTM. */
  readonly steps: number;
  /** Rows, padding included, that a support set may have at most: the LSTMs read them one after the other. */
  readonly maxRows: number;
};

const DEFAULTS: MatchingFceOptions = { steps: 5, maxRows: 256 };

export type MatchingFceParams = {
  /** The two directions of the LSTM over the support set, of D units each. */
  forward: LstmCell;
  backward: LstmCell;
  /** The LSTM over a query; what recurs is [h ; r]. */
  attention: LstmCell;
  /** Logarithm of tau: `[1]`. */
  logScale: np.Array;
};

type MatchingFceState = {
  /** g(x_i, S): `[C, K, D]`. */
  rows: np.Array;
  /** `[C, K]` */
  mask: np.Array;
};

/** Where tau starts: as in `matching`. */
const START_SCALE = 25;

/** Keeps the logarithm of a class without rows finite. */
const NOTHING = 1e-30;

/**
 * Matching networks with full context embeddings (Vinyals et al. 2016, sections 2.1.1 and 2.1.2, appendix A):
 * a(x, x_i) = softmax_i(tau cos(f(x, S), g(x_i, S))), P(y | x, S) from the attention that falls on the rows of y;
 * cross-entropy. g reads the support set with a bidirectional LSTM (`contextualRows`), f attends to it (`attend`). As in
 * `matching`, the attention on a class is the mean over its rows, for uneven classes.
 *
 * The paper leaves open in which order the LSTM reads the set. Here it is the order of the cosine to the mean of all
 * support rows, the most typical first, so that scores do not depend on the order in which rows and classes are given. They
 * do depend on the whole set: nothing of a class's state can be kept when another class changes.
 */
export function matchingFce(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('matching-fce', DEFAULTS, given);
  const head: Head = {
    name: 'matching-fce',
    contextual: true,

    init: (key, D): MatchingFceParams => {
      const [forward, backward, attention] = [...random.split(key, 3)] as [np.Array, np.Array, np.Array];
      return {
        forward: initLstmCell(forward, D, D),
        backward: initLstmCell(backward, D, D),
        attention: initLstmCell(attention, D, D, 2 * D),
        logScale: np.full([1], Math.log(START_SCALE)),
      };
    },

    induce: (params: MatchingFceParams, support): MatchingFceState => {
      const [C, K] = support.mask.shape as [number, number];
      if (C * K > options.maxRows) {
        throw new KshotError(
          'invalid_configuration',
          `The head matching-fce reads the support set row by row, and at most ${options.maxRows} rows: ` +
            `${C} classes of up to ${K} rows are too many.`,
        );
      }
      return contextualRows(params, support);
    },

    score: (params: MatchingFceParams, { rows, mask }: MatchingFceState, queries) => {
      const { forward, backward, attention, logScale } = params;
      tree.dispose([forward, backward]);
      const [C, K, D] = rows.shape as [number, number, number];
      const support = rows.reshape([C * K, D]);
      const context = attend(attention, queries, support.ref, mask.ref.reshape([1, C * K]), options.steps);
      const scale = np.exp(logScale);
      const cosines = innerProducts(unit(context), unit(support)); // [Q, C K]
      // Shifted by tau, which no logit exceeds.
      const weights = np.exp(cosines.sub(1).mul(scale.ref)).reshape([context.shape[0]!, C, K]);
      const attentionSum = weights.mul(mask.ref).sum(-1); // [Q, C]
      const shots = np.maximum(mask.sum(-1), 1); // [C]
      return np.log(attentionSum.div(shots).add(NOTHING)).add(scale);
    },
  };
  return { ...head, options, loss: scoreLoss(head, crossEntropy) };
}

/**
 * g(x_i, S) = h_i forward + h_i backward + g'(x_i), an LSTM each way over the set, g' the encoder (appendix A.2):
 * `[C, K, D]` support rows to as many. Padding comes last and leaves hidden state and cell as they are.
 */
function contextualRows(params: MatchingFceParams, { rows, mask, names }: Support): MatchingFceState {
  const { forward, backward, attention, logScale } = params;
  tree.dispose([attention, logScale, names]);
  const [C, K, D] = rows.shape as [number, number, number];
  const N = C * K;
  const set = rows.reshape([N, D]);
  const present = mask.ref.reshape([N]);
  const order = typicalFirst(set.ref, present.ref); // [N, N]
  const sorted = np.matmul(order.ref, set.ref); // [N, D]
  const there = np.split(np.matmul(order.ref, present).reshape([N, 1]), N, 0); // N of [1, 1]
  const onward = readRows(forward, sorted.ref, tree.ref(there));
  const back = readRows(backward, np.flip(sorted, 0), there.reverse());
  const context = onward.add(np.flip(back, 0)); // [N, D], in reading order
  const g = np.matmul(np.transpose(order), context).add(set);
  return { rows: g.reshape([C, K, D]), mask };
}

/**
 * The matrix that sorts rows by their cosine to the mean of all, descending, padding last: rows `[N, D]` and mask `[N]` to
 * `[N, N]`, in whose row r stands a 1 for the row that is read r-th.
 */
export function typicalFirst(rows: np.Array, mask: np.Array): np.Array {
  const N = rows.shape[0]!;
  const mean = maskedMean(np.expandDims(rows.ref, 0), np.expandDims(mask.ref, 0)); // [1, D]
  const typicality = innerProducts(mean, unit(rows)).reshape([N]).add(mask.sub(1).mul(2)); // padding behind
  const mine = np.expandDims(typicality.ref, 1); // [N, 1]
  const others = np.expandDims(typicality, 0); // [1, N]
  const ahead = others.ref.greater(mine.ref).astype(np.float32); // [N, N]
  const tiedBefore = others
    .equal(mine)
    .astype(np.float32)
    .mul(np.tri(N, N, -1));
  const rank = ahead.add(tiedBefore).sum(1); // [N]
  const places = np.arange(N).astype(np.float32);
  return np.expandDims(places, 1).equal(np.expandDims(rank, 0)).astype(np.float32);
}

/** Hidden states of an LSTM that reads rows `[N, D]` one by one and passes over those whose mask `[1, 1]` is 0: `[N, D]`. */
function readRows(cell: LstmCell, rows: np.Array, masks: readonly np.Array[]): np.Array {
  const { recurrent, ...input } = cell;
  const [N, D] = rows.shape as [number, number];
  const gates = np.split(lstmInput(input, rows), N, 0); // N of [1, 4 D]
  let hidden = np.zeros([1, D]);
  let memory = np.zeros([1, D]);
  const states: np.Array[] = [];
  gates.forEach((gate, i) => {
    const [h, c] = lstmStep(recurrent.ref, gate, hidden.ref, memory.ref);
    const mask = masks[i]!;
    hidden = hidden.ref.add(h.sub(hidden).mul(mask.ref));
    memory = memory.ref.add(c.sub(memory).mul(mask));
    states.push(hidden.ref);
  });
  for (const done of [recurrent, hidden, memory]) done.dispose();
  return np.concatenate(states, 0);
}

/**
 * f(x, S) (section 2.1.2, eq. 3 to 6): for t = 1 ... T, r_{t-1} = sum_i softmax_i(h_{t-1}.g(x_i)) g(x_i);
 * h^_t, c_t = LSTM(f'(x), [h_{t-1} ; r_{t-1}], c_{t-1}); h_t = h^_t + f'(x); h_0 = c_0 = 0, f' the encoder.
 *
 * @param queries `[Q, D]`
 * @param support g(x_i): `[N, D]`.
 * @param mask `[1, N]`
 * @returns h_T: `[Q, D]`.
 */
function attend(
  cell: LstmCell,
  queries: np.Array,
  support: np.Array,
  mask: np.Array,
  steps: number,
): np.Array {
  const { recurrent, ...input } = cell;
  const gates = lstmInput(input, queries.ref); // [Q, 4 D]
  let hidden = np.zerosLike(queries.ref);
  let memory = np.zerosLike(queries.ref);
  for (let t = 1; t <= steps; t++) {
    const attention = maskedSoftmax(innerProducts(hidden.ref, support.ref), mask.ref, -1); // [Q, N]
    const read = np.matmul(attention, support.ref); // [Q, D]
    const recurring = np.concatenate([hidden, read], 1); // [Q, 2 D]
    const [h, c] = lstmStep(recurrent.ref, gates.ref, recurring, memory);
    hidden = h.add(queries.ref);
    memory = c;
  }
  for (const done of [recurrent, gates, queries, support, mask, memory]) done.dispose();
  return hidden;
}
