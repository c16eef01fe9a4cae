import { nn, numpy as np, random, tree } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import type { Head } from './head.js';
import { linear, type Linear, project } from './layers.js';
import { squaredError } from './losses.js';
import { maskedMean } from './ops.js';
import { type HeadOptions, resolveOptions, scoreLoss, type TrainedHead } from './trainedHead.js';

export type RelationOptions = {
  /** H, hidden units of g: a multiple of 4; 0 for four a dimension of the embeddings. */
  readonly hidden: number;
};

export type RelationParams = {
  /** The hidden layer over [v_c ; f(q)], its weights in two halves: `[H, D]`, and the bias `[H]`. */
  ofClass: Linear;
  /** `[H, D]` */
  ofQuery: np.Array;
  /** `[1, H]`, `[1]` */
  output: Linear;
};

/** Class state: what v_c adds to the hidden units, `[C, H]`. */
type RelationState = { hidden: np.Array };

/** The slope of the first scores in |v + q| - |v - q|, and where they cross 0: at a cosine of about 0.5. */
const START_SLOPE = 8;
const START_MIDDLE = Math.sqrt(3) - 1;

/**
 * Relation network (Sung et al. 2018, eq. 1 and 2): r = g_phi([v_c ; f(q)]) in (0, 1), g_phi a learned network of one hidden
 * layer, v_c the mean of the class's support rows (with uneven classes the paper's sum would score their size); squared error.
 *
 * The logits are z with r = sigma(z); exp(z) = r / (1 - r), so that their softmax is the probability that just this relation
 * holds, given that just one does. As the hidden layer is linear in [v ; q], the class's half is worked out once.
 *
 * A network that starts at random would have to find out what similarity is. This one starts with quadruples of units
 * relu(+-u.(v + q)), weighing +a, and relu(+-u.(v - q)), weighing -a: together a |u.(v + q)| - a |u.(v - q)|, whose mean over
 * directions u grows with the cosine. u are the axes, where there is a quadruple for each, which ranks as the cosine does to
 * within a point; else they are random.
 */
export function relation(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions<RelationOptions>('relation', { hidden: 0 }, given);
  if (options.hidden % 4 !== 0) {
    throw new KshotError('invalid_configuration', 'The head relation takes a multiple of 4 for "hidden".');
  }
  const head: Head = {
    name: 'relation',

    init: (key, D): RelationParams => {
      const directions = options.hidden / 4 || D;
      const axes = directions === D;
      if (axes) key.dispose();
      // |u.x| is sqrt(2 / pi) |x| on average
      const u = axes ? np.eye(D).mul(Math.sqrt(D)) : random.normal(key, [directions, D]);
      const weigh = (START_SLOPE / directions) * Math.sqrt(Math.PI / 2);
      const weights = [weigh, weigh, -weigh, -weigh].map((w) => np.full([1, directions], w));
      return {
        ofClass: {
          weight: np.concatenate([u.ref, u.ref.neg(), u.ref, u.ref.neg()], 0), // [H, D]
          bias: np.zeros([4 * directions]),
        },
        ofQuery: np.concatenate([u.ref, u.ref.neg(), u.ref.neg(), u], 0), // [H, D]
        output: {
          weight: np.concatenate(weights, 1),
          bias: np.full([1], -START_SLOPE * START_MIDDLE),
        },
      };
    },

    induce: ({ ofClass, ofQuery, output }: RelationParams, { rows, mask, names }): RelationState => {
      tree.dispose([ofQuery, output, names]);
      return { hidden: linear(ofClass, maskedMean(rows, mask)) };
    },

    score: ({ ofClass, ofQuery, output }: RelationParams, { hidden }: RelationState, queries) => {
      tree.dispose(ofClass);
      const query = np.expandDims(project(ofQuery, queries), 1); // [Q, 1, H]
      const units = nn.relu(query.add(np.expandDims(hidden, 0))); // [Q, C, H]
      return units.mul(output.weight).sum(-1).add(output.bias); // [Q, C]
    },
  };
  return { ...head, options, loss: scoreLoss(head, squaredError) };
}
