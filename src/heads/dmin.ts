import { numpy as np, random, tree } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import type { Head } from './head.js';
import { linear, type Linear } from './layers.js';
import { crossEntropy } from './losses.js';
import { squash, standardised, unit } from './ops.js';
import { COSINE_SCALE } from './prototypical.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type DminOptions = {
  /** Base classes, whose vectors the memory holds. */
  readonly memory: number;
  /** Capsules that an embedding is routed into; they share its dimensions, which they must divide. */
  readonly capsules: number;
  /** r, routing iterations. */
  readonly iterations: number;
  /**
   * Adds the support row itself to what the memory makes of it, e' = e + g DMR(M, e), g learned. Not in the paper, where the
   * encoder learns along: with a frozen one all that is left of a row is where it lies among the base classes.
   */
  readonly residual: boolean;
};

const DEFAULTS: DminOptions = { memory: 64, capsules: 4, iterations: 3, residual: false };

export type DminParams = {
  /** `[M, D]`: vectors of the base classes (`withMemory`). */
  memory: np.Array;
  /** W_j and b_j of DMR(memory, support row), the capsules' stacked: `[D, D]`, `[D]`. */
  adaptation: Linear;
  /** The same of DMR(adapted support, query). */
  induction: Linear;
  /** Logarithm of the scale of the cosines: `[1]`. */
  logScale: np.Array;
  /** g: `[1]`; only with `residual`. */
  gate?: np.Array;
};

type DminState = {
  /** The adapted support rows as capsules of the second routing: `[C, K, l, D / l]`. */
  capsules: np.Array;
  /** `[C, K]` */
  mask: np.Array;
};

/** Where W_j starts, times the identity: a capsule's part of an embedding is then about as long as squash leaves it. */
const START_SCALE = 2;
const START_GATE = 0.1;

/**
 * Dynamic memory induction network (Geng et al. 2020, sections 2.3 to 2.5): support rows are adapted by a memory of
 * base-class vectors, e' = DMR(M, e_s); a class vector is induced for every query, e_c = DMR(e'_c, e_q); the logits are
 * s cos(e_q, e_c), s learned; cross-entropy. DMR is dynamic memory routing (`dynamicMemoryRouting`).
 *
 * What is known of a class without a query are its adapted rows: these are the class state.
 */
export function dmin(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('dmin', DEFAULTS, given);
  const { capsules: l, iterations } = options;
  const head: Head = {
    name: 'dmin',

    init: (key, D): DminParams => {
      if (l === 0 || D % l !== 0) {
        throw new KshotError('invalid_configuration', `${l} capsules cannot share ${D} dimensions evenly.`);
      }
      const start = (): Linear => ({ weight: np.eye(D).mul(START_SCALE), bias: np.zeros([D]) });
      return {
        memory: unit(random.normal(key, [options.memory, D])),
        adaptation: start(),
        induction: start(),
        logScale: np.full([1], Math.log(COSINE_SCALE)),
        ...(options.residual ? { gate: np.full([1], START_GATE) } : {}),
      };
    },

    induce: (params: DminParams, { rows, mask, names }): DminState => {
      const { memory, adaptation, induction, logScale, gate } = params;
      for (const unused of [logScale, names]) unused.dispose();
      const [C, K, D] = rows.shape as [number, number, number];
      const M = memory.shape[0]!;
      const adaptationOf = (x: np.Array, n: number) => capsulesOf(tree.ref(adaptation), x, 1, n, l);
      let adapted = dynamicMemoryRouting(
        adaptationOf(memory, M),
        np.ones([1, M]),
        adaptationOf(rows.ref.reshape([C * K, D]), C * K),
        iterations,
      ).reshape([C, K, D]);
      tree.dispose(adaptation);
      if (gate === undefined) rows.dispose();
      else adapted = adapted.mul(gate).add(rows);
      return { capsules: exchanged(capsulesOf(induction, adapted, C, K, l)), mask };
    },

    score: (params: DminParams, { capsules, mask }: DminState, queries) => {
      const { memory, adaptation, induction, logScale, gate } = params;
      tree.dispose([memory, adaptation, ...(gate === undefined ? [] : [gate])]);
      const Q = queries.shape[0]!;
      const guides = capsulesOf(induction, queries.ref, 1, Q, l); // [1, l, Q, D / l]
      const classes = dynamicMemoryRouting(exchanged(capsules), mask, guides, iterations); // [C, Q, D]
      const cosines = unit(classes)
        .mul(np.expandDims(unit(queries), 0))
        .sum(-1); // [C, Q]
      return np.transpose(cosines).mul(np.exp(logScale));
    },
  };
  return { ...head, options, loss: scoreLoss(head, crossEntropy) };
}

/**
 * The parameters with another memory, such as the means of the base classes' embeddings.
 *
 * @param memory `[M, D]`
 * @throws RangeError where its shape is not that of the head's memory.
 */
export function withMemory(params: DminParams, memory: np.Array): DminParams {
  const expected = params.memory.shape;
  if (memory.shape.join() !== expected.join()) {
    throw new RangeError(
      `A memory of shape [${memory.shape.join()}] where [${expected.join()}] is expected.`,
    );
  }
  params.memory.dispose();
  return { ...params, memory };
}

/** squash(W_j x + b_j), capsule by capsule: `[B n, D]` or `[B, n, D]` to `[B, l, n, D / l]`. */
function capsulesOf(layer: Linear, x: np.Array, B: number, n: number, l: number): np.Array {
  const D = x.shape.at(-1)!;
  return squash(exchanged(linear(layer, x).reshape([B, n, l, D / l])));
}

/** `[B, n, l, d]` to `[B, l, n, d]`, and back. */
function exchanged(x: np.Array): np.Array {
  return np.transpose(x, [0, 2, 1, 3]);
}

/**
 * Dynamic memory routing (Geng et al. 2020, algorithm 1), for every guide q by itself: alpha_ij = 0,
 * p_ij = tanh(PCC(m_ij, q_j)), PCC being Pearson's correlation, then `iterations` times d_i = softmax_j(alpha_i),
 * v_j = squash(sum_i (d_ij + p_ij) m_ij), alpha_ij += p_ij (m_ij.v_j), q_j = (q_j + v_j) / 2, and p_ij anew.
 *
 * @param inputs m: `[B, l, n, d]`, transformed and squashed.
 * @param mask `[B, n]`: an input that is padding has no part in the sum.
 * @param guides q: `[B, l, Q, d]` or `[1, l, Q, d]`, transformed and squashed.
 * @returns the capsules v_1 to v_l joined: `[B, Q, l d]`.
 */
export function dynamicMemoryRouting(
  inputs: np.Array,
  mask: np.Array,
  guides: np.Array,
  iterations: number,
): np.Array {
  const [B, l, n, d] = inputs.shape as [number, number, number, number];
  const Q = guides.shape[2]!;
  const present = np.expandDims(mask, [1, 2]); // [B, 1, 1, n]
  const standardInputs = standardised(inputs.ref); // [B, l, n, d]
  const correlations = (q: np.Array) => np.tanh(pairs(standardised(q), standardInputs.ref)); // [B, l, Q, n]

  let q = np.broadcastTo(guides, [B, l, Q, d]);
  let alpha = np.zeros([B, l, Q, n]);
  for (let left = iterations; ; left--) {
    const p = correlations(q.ref);
    const weights = capsuleSoftmax(alpha.ref).add(p.ref).mul(present.ref); // [B, l, Q, n]
    const sums = np.matmul(weights, inputs.ref); // [B, l, Q, d]
    if (left <= 1) {
      for (const done of [p, q, alpha, inputs, standardInputs, present]) done.dispose();
      // Squashed last, so that what comes next finds the capsules of a guide side by side in memory.
      return squash(np.transpose(sums, [0, 2, 1, 3])).reshape([B, Q, l * d]);
    }
    const v = squash(sums);
    alpha = alpha.add(p.mul(pairs(v.ref, inputs.ref)));
    q = q.add(v).mul(0.5);
  }
}

/** Inner products of `[B, l, Q, d]` with `[B, l, n, d]`: `[B, l, Q, n]`. */
function pairs(queries: np.Array, inputs: np.Array): np.Array {
  return np.matmul(queries, np.transpose(inputs, [0, 1, 3, 2]));
}

/** softmax_j over the capsules, axis 1. |alpha| is below the number of iterations, so that nothing need be shifted. */
function capsuleSoftmax(alpha: np.Array): np.Array {
  const weights = np.exp(alpha);
  return weights.ref.div(weights.sum(1, { keepdims: true }));
}
