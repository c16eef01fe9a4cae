import { lax, numpy as np, tree } from '@jax-js/jax';
import type { Head, Params, Support } from './head.js';
import { gradientDescent, innerLoop, seenThrough } from './innerLoop.js';
import { project, scaledIdentity } from './layers.js';
import {
  alignClassifiers,
  classifierLogits,
  folded,
  type LinearClassifier,
  type LinearLearner,
  linearLogits,
  linearSlope,
} from './linearLearner.js';
import { crossEntropy } from './losses.js';
import { fewRowsBonus, maskedMean, occupied, unit } from './ops.js';
import { COSINE_SCALE } from './prototypical.js';
import { supportExamples } from './supportExamples.js';
import { type Episode, type HeadOptions, resolveOptions, type TrainedHead } from './trainedHead.js';

/** What tells the methods of the family apart; all of them run `innerLoop` on a `LinearLearner`. */
export type MamlMethod = {
  /** Where the last layer starts: at zero, or at the prototypes of the support set. */
  readonly lastLayer: 'zero' | 'prototypes';
  /** Whether the inner loop moves the body P too. */
  readonly adaptsBody: boolean;
  /** Inner learning rates: constants, one learned for every parameter, or one for every layer and step. */
  readonly rates: 'constant' | 'of each parameter' | 'of each layer and step';
  /** The outer gradient differentiates through the inner gradients (2), or not (1), or first not and then does. */
  readonly order: 1 | 2 | 'annealed';
  /**
   * What the outer loop goes down: the query loss of the last learner; of all learners on the way, annealed towards the last;
   * or the distance to the last learner.
   */
  readonly outer: 'last step' | 'every step' | 'reptile';
};

const MAML: MamlMethod = {
  lastLayer: 'zero',
  adaptsBody: true,
  rates: 'constant',
  order: 2,
  outer: 'last step',
};

/**
 * The family.
 *
 * - `maml`: second order through k steps (Finn et al. 2017, eq. 1 and algorithm 2).
 * - `fomaml`: the inner gradients are taken for constants, g = dL(theta_k)/dtheta_k (there, section 5.2).
 * - `reptile`: theta <- theta + epsilon (theta_k - theta) (Nichol et al. 2018, algorithm 1).
 * - `meta-sgd`: a learned rate for every parameter (Li et al. 2017, eq. 1 to 4).
 * - `maml-plus-plus`: learned rates of each layer and step, the loss of every step annealed towards the last, first order
 *   annealed to second (Antoniou et al. 2019, section 4); its cosine schedule is the trainer's.
 * - `anil`: only the last layer adapts (Raghu et al. 2020, section 4).
 * - `proto-maml`: the last layer starts at the prototypes, W_c = 2 v_c, b_c = -|v_c|^2 (Triantafillou et al. 2020, section 3);
 *   rates as in MAML++.
 */
export const MAML_METHODS = {
  maml: MAML,
  fomaml: { ...MAML, order: 1 },
  reptile: { ...MAML, order: 1, outer: 'reptile' },
  'meta-sgd': { ...MAML, rates: 'of each parameter' },
  'maml-plus-plus': { ...MAML, rates: 'of each layer and step', order: 'annealed', outer: 'every step' },
  anil: { ...MAML, adaptsBody: false },
  'proto-maml': { ...MAML, lastLayer: 'prototypes', rates: 'of each layer and step' },
} satisfies Record<string, MamlMethod>;

export type MamlName = keyof typeof MAML_METHODS;

export function isMamlName(name: string): name is MamlName {
  return Object.hasOwn(MAML_METHODS, name);
}

export type MamlOptions = {
  /** k, steps of the inner loop. */
  readonly steps: number;
  /** Numbers that the body makes of an embedding; 0 for as many as it has. */
  readonly width: number;
  /** Rates, or where learned ones start, in thousandths: of rows and biases, */
  readonly rowRate: number;
  /** and of the body. */
  readonly bodyRate: number;
  /** s, what the inner loop multiplies logits by, or where it starts to be learned, in hundredths. */
  readonly sharpness: number;
  /** Of `proto-maml`: prototypes are brought to one length, as the cosine does, and a bias is learned for few rows. */
  readonly cosine: boolean;
  /** Whether the outer loop learns P, where the body starts, or the rates and biases alone. */
  readonly learnsBody: boolean;
};

/** What was best on validation before anything is learned (docs/defaults.md). */
const DEFAULTS: MamlOptions = {
  steps: 5,
  width: 0,
  rowRate: 300,
  bodyRate: 5000,
  sharpness: 100,
  cosine: false,
  learnsBody: true,
};

export type MamlParams = {
  /** P, where the body starts: `[W, D]`. */
  body: np.Array;
  /**
   * rho, zero to begin with; the rates are alpha (1 + 10 rho), of either sign, so that the outer loop moves a rate as readily
   * whether it is 0.3 or 5. Of each layer and step, `[k]` each; or of each parameter, shaped as it is. Absent where rates
   * are constants.
   */
  rates?: Rates;
  /** sigma, zero to begin with; s is `MamlOptions.sharpness` times exp(10 sigma): `[1]`; absent where s is a constant. */
  sharpness?: np.Array;
  /** Of `MamlOptions.cosine`: what a class's bias is for having few rows, times 1 / rows: `[1]`. */
  fewRows?: np.Array;
};

type Rates = {
  /** Absent where the body does not adapt. */
  body?: np.Array;
  rows: np.Array;
  bias: np.Array;
};

/** By how much faster learned rates move than other parameters. */
const GAIN = 10;

/** As `prototypical` has it, at its scale. */
const START_FEW_ROWS = 0.12 * COSINE_SCALE;

/** The share of MAML++'s training after which the last step's loss counts alone, and gradients are of second order. */
const ANNEALED_OVER = 0.5;

/**
 * A method of the MAML family: a linear learner over the frozen embedding, theta = (P, w_c, b_c), which goes k steps down the
 * cross-entropy of the support set from where offline training has put it.
 *
 * MAML learns a row of the last layer for each of N classes, and deals the classes to them at random. Here all rows start
 * alike (Ye & Chao 2022, "How to train your MAML to excel in few-shot classification", section 5), so that scores do not depend
 * on the order of the classes and one set of parameters serves any number of them. A row that all share cancels in the softmax
 * and in every gradient, so it may as well be zero (Kao et al. 2022, "MAML is a noisy contrastive learner in classification",
 * section 3.4): what is learned is P, and the rates.
 */
export function maml(name: MamlName, given: HeadOptions = {}): TrainedHead {
  const method: MamlMethod = MAML_METHODS[name];
  const options = resolveOptions<MamlOptions>(name, DEFAULTS, given);
  const head = mamlHead(name, method, options);
  if (head.adapt === undefined) return head;
  // The body takes W x D numbers through every step; the last layer alone a few milliseconds.
  return { ...head, local: mamlHead(name, { ...method, adaptsBody: false }, options) };
}

function mamlHead(name: string, method: MamlMethod, options: MamlOptions): TrainedHead {
  const byPrototypes = method.lastLayer === 'prototypes';

  /** theta_k of a support set. Arguments are consumed. */
  const learn = (params: MamlParams, support: Support, { order = 0, visit }: Sight = {}): Learner => {
    const { body } = params;
    const { rows, bias } = lastLayer(params, method, tree.ref(support));
    const { rows: x, ...examples } = supportExamples(support);
    const still = method.adaptsBody ? undefined : body;
    const seenRows = still === undefined ? x : project(still.ref, x);
    const sharpness = sharpnessOf(params, options);
    const slope = linearSlope({ ...examples, rows: seenRows }, sharpness);
    const whole = (at: LinearLearner): Learner => ({ ...at, body: at.body ?? still!.ref });
    const rates = ratesBySteps(method, options, params.rates);
    const end = innerLoop<LinearLearner, Params>(
      { ...(still === undefined && { body: body.ref }), rows, bias },
      (at) => seenThrough(slope(at), order),
      gradientDescent((t) => tree.ref(rates[t - 1]!)),
      options.steps,
      visit && ((at, t) => visit(whole(at), t)),
    );
    const learned = whole(end);
    tree.dispose([params, examples, seenRows, sharpness, rates]);
    if (typeof order !== 'number') order.dispose();
    return learned;
  };

  const start = (params: MamlParams, support: Support): Learner => {
    const { rows, bias } = lastLayer(params, method, support);
    const { body, ...rest } = params;
    tree.dispose(rest);
    return { body, rows, bias };
  };

  const head: Head = {
    name,
    // What zero says of a class before it has adapted is nothing: state and adaptation are one.
    ...(!byPrototypes && { contextual: true }),

    init: (key, D): MamlParams => {
      const W = options.width || D;
      // Where the prototypes of `prototypical-euclidean` stand: |P x|^2 = s / 2.
      const body = scaledIdentity(key, W, D, Math.sqrt(COSINE_SCALE / 2));
      return {
        body,
        ...initialRates(method, options, [W, D]),
        ...(byPrototypes && options.cosine && { fewRows: np.full([1], START_FEW_ROWS) }),
      };
    },

    induce: (params: MamlParams, support) =>
      folded(byPrototypes ? start(params, support) : learn(params, support)),

    ...(byPrototypes && {
      adapt: (params, support, state) => {
        tree.dispose(state);
        return folded(learn(params as MamlParams, support));
      },
      align: alignClassifiers,
    }),

    score: (params: MamlParams, state: LinearClassifier, queries) => {
      tree.dispose(params);
      return classifierLogits(state, queries);
    },
  };

  const queryLoss = ({ support, queries, targets, weights }: Episode) => {
    const classes = occupied(support.mask.ref);
    return {
      at: (learner: Learner) =>
        crossEntropy(linearLogits(learner, queries.ref), targets.ref, weights.ref, classes.ref),
      dispose: () => tree.dispose([queries, targets, weights, classes]),
    };
  };

  /** Arguments are consumed. @param progress `[1]`. */
  const outer: Record<MamlMethod['outer'], (p: MamlParams, e: Episode, progress: np.Array) => np.Array> = {
    'last step': (params, episode, progress) => {
      const query = queryLoss(episode);
      const loss = query.at(learn(params, episode.support, { order: orderAt(method, progress) }));
      query.dispose();
      return loss;
    },
    'every step': (params, episode, progress) => {
      const query = queryLoss(episode);
      const shares = np.split(stepShares(options.steps, progress.ref), options.steps); // [1] each
      let total = np.zeros([1]);
      const visit = (at: Learner, t: number) => {
        total = total.add(query.at(at).mul(shares[t - 1]!));
      };
      tree.dispose(learn(params, episode.support, { order: orderAt(method, progress), visit }));
      query.dispose();
      return total.sum();
    },
    reptile: (params, { support, ...unused }, progress) => {
      const classes = occupied(support.mask.ref).sum();
      const from = start(tree.ref(params), tree.ref(support));
      tree.dispose([unused, progress] as Params);
      return distance(from, learn(params, support), classes);
    },
  };

  const loss: TrainedHead['loss'] = (params, { progress = np.ones([1]), ...episode }) =>
    outer[method.outer](
      options.learnsBody ? (params as MamlParams) : bodyStill(params as MamlParams),
      episode,
      progress,
    );
  return { ...head, options, loss };
}

function bodyStill({ body, ...rest }: MamlParams): MamlParams {
  return { body: lax.stopGradient(body), ...rest };
}

type Learner = Required<LinearLearner>;

/** How an outer gradient looks at the inner loop. */
type Sight = {
  readonly order?: 0 | 1 | np.Array;
  readonly visit?: (at: Learner, t: number) => void;
};

/** w_c and b_c at the start. @param params not consumed. */
function lastLayer({ body, fewRows }: MamlParams, { lastLayer: at }: MamlMethod, support: Support) {
  const { rows, mask, names } = support;
  names.dispose();
  if (at === 'zero') {
    tree.dispose([rows, mask]);
    return { rows: np.zeros([mask.shape[0]!, body.shape[0]!]), bias: np.zeros([mask.shape[0]!]) };
  }
  const prototypes = project(body.ref, maskedMean(rows.ref, mask.ref)); // [C, W]: the mean of P x is P of the mean
  if (fewRows !== undefined) {
    const squares = np.square(project(body.ref, rows)).sum(-1).mul(mask.ref); // [C, K]
    const length = np.sqrt(squares.sum().div(mask.ref.sum())); // of P x, the root of the mean square
    return {
      rows: unit(prototypes).mul(length.mul(2)),
      bias: fewRowsBonus(mask, fewRows.ref),
    };
  }
  tree.dispose([rows, mask]);
  return { rows: prototypes.ref.mul(2), bias: np.square(prototypes).sum(1).neg() };
}

function initialRates(
  { rates, adaptsBody, lastLayer: at }: MamlMethod,
  { steps }: MamlOptions,
  [W, D]: [number, number],
): Pick<MamlParams, 'rates' | 'sharpness'> {
  if (rates === 'constant') return {};
  const zeros = (shape: number[]) => np.zeros(rates === 'of each parameter' ? shape : [steps]);
  return {
    rates: { ...(adaptsBody && { body: zeros([W, D]) }), rows: zeros([1, W]), bias: zeros([1]) },
    ...(at === 'prototypes' && { sharpness: np.zeros([1]) }),
  };
}

/** s: `[1]`. @param params not consumed. */
function sharpnessOf({ sharpness }: MamlParams, options: MamlOptions): np.Array {
  const start = np.full([1], options.sharpness / 100);
  return sharpness === undefined ? start : start.mul(np.exp(sharpness.ref.mul(GAIN)));
}

/** The rates of steps 1 to k. @param learned rho; not consumed. */
function ratesBySteps(
  { adaptsBody, rates }: MamlMethod,
  { steps, rowRate, bodyRate }: MamlOptions,
  learned: Rates | undefined,
): Rates[] {
  const rateOf = (thousandths: number, rho?: np.Array) =>
    rho === undefined
      ? np.full([1], thousandths / 1000)
      : rho
          .mul(GAIN)
          .add(1)
          .mul(thousandths / 1000);
  const layerAt = (layer: keyof Rates, t: number) => {
    const rho = learned?.[layer]?.ref;
    if (rho === undefined || rates === 'of each parameter') return rho;
    return rho.slice([t, t + 1]);
  };
  return Array.from({ length: steps }, (_, t) => ({
    ...(adaptsBody && { body: rateOf(bodyRate, layerAt('body', t)) }),
    rows: rateOf(rowRate, layerAt('rows', t)),
    bias: rateOf(rowRate, layerAt('bias', t)),
  }));
}

/** Parameters for a loop that ends after fewer steps than it was trained for. @param params consumed. */
export function cutShort({ rates, ...rest }: MamlParams, steps: number): MamlParams {
  if (rates === undefined || rates.rows.ndim > 1) return { ...rest, ...(rates && { rates }) };
  const first = (x: np.Array) => x.slice([0, steps]);
  return { ...rest, rates: tree.map<np.Array, np.Array, Rates>(first, rates) };
}

/**
 * 1/2 |theta - theta_k|^2 with theta_k held constant, whose gradient is Reptile's theta - theta_k.
 *
 * @param classes how many are no padding: a scalar.
 */
function distance(from: Learner, to: Learner, classes: np.Array): np.Array {
  const squares = (a: np.Array, b: np.Array) => np.square(a.sub(lax.stopGradient(b))).sum();
  // Every class pulls at the one row that they share: their mean does.
  const last = squares(from.rows, to.rows).add(squares(from.bias, to.bias)).div(classes);
  return squares(from.body, to.body).add(last).mul(0.5);
}

/** How far the outer gradient sees through the inner ones. @param progress consumed. */
function orderAt({ order }: MamlMethod, progress: np.Array): 0 | 1 | np.Array {
  if (order === 'annealed') return progress.greaterEqual(ANNEALED_OVER).astype(np.float32);
  progress.dispose();
  return order === 1 ? 0 : 1;
}

/**
 * v_t, what the query loss after step t weighs: all the same at first, the last alone from ANNEALED_OVER on (Antoniou et al.
 * 2019, eq. 4 and below): `[k]`.
 */
function stepShares(steps: number, progress: np.Array): np.Array {
  const early = np.maximum(progress.div(-ANNEALED_OVER).add(1), 0).div(steps); // [1]
  const isLast = np
    .arange(steps)
    .equal(steps - 1)
    .astype(np.float32); // [k]
  const last = early.ref.mul(1 - steps).add(1); // [1]: what the others leave
  return isLast.ref.mul(last).add(isLast.neg().add(1).mul(early));
}
