import { grad, jit, numpy as np, tree } from '@jax-js/jax';
import { adam, type AdamState, adamStepSize } from './adam.js';
import type { Support } from './head.js';
import { innerLoop, type Slope, type StepRule } from './innerLoop.js';
import { project } from './layers.js';
import { boundedCrossEntropy, innerProducts, inverseLength, unit } from './ops.js';
import { type SupportExamples, supportExamples } from './supportExamples.js';

/** Class rows whose cosine to a query is the class's score: what the server's own heads adapt. */
export type CosineLearner = {
  /** w_c: `[C, D]`, unit length. */
  weights: np.Array;
  /** A of f(x) = (x + A x) / |x + A x|, a linear layer on top of the encoder: `[D, D]`. Without it f(x) = x. */
  map?: np.Array;
};

export type CosineDescent = {
  readonly steps: number;
  /** Learning rate of the class rows. */
  readonly rate: number;
  /** Learning rate of the map. */
  readonly mapRate: number;
  /** s in the loss's softmax. Below the scale of the scores, so that rows that are right already still pull. */
  readonly lossScale: number;
};

/** Chosen on validation, over bots of 2 to 150 intents and 1 to 40 examples each (docs/defaults.md). */
export const COSINE_DESCENT: CosineDescent = { steps: 20, rate: 0.01, mapRate: 0.001, lossScale: 10 };

/**
 * The inner loop (`innerLoop`) of a cosine learner: full-batch steps of Adam down the cross-entropy of
 * softmax_c(s cos(w_c, f(x))) over the support set, every class weighing the same; class rows keep unit length.
 *
 * @returns a function of a support set and of where to start, that gives where the steps lead to; both are consumed.
 */
export function cosineDescent(options: CosineDescent) {
  const learn = cosineDescentOver(options);
  return (support: Support, start: CosineLearner): CosineLearner => learn(supportExamples(support), start);
}

/** The same over examples of any weights, whose targets may be soft: what each says of all classes together sums to 1. */
export function cosineDescentOver({ steps, rate, mapRate, lossScale }: CosineDescent) {
  const ofWeights = jit((weights: np.Array, examples: SupportExamples) =>
    grad((w: np.Array) => supportLoss({ weights: w, embedded: examples.rows }, examples, lossScale))(weights),
  );
  // With a map the gradient is taken in two parts, d loss / d f(x) and then, by the chain rule, d loss / d A: one compiled
  // function of both would work out every f(x) anew for every entry of A, and take seventy times as long.
  const embed = jit(mapped);
  const ofBoth = jit((outer: Outer, examples: SupportExamples) =>
    grad((o: Outer) => supportLoss(o, examples, lossScale))(outer),
  );
  const ofMap = jit((slope: np.Array, rows: np.Array) => np.matmul(np.transpose(slope), rows)); // [D, D]

  const slopeAt = ({ weights, map }: CosineLearner, examples: SupportExamples): CosineLearner => {
    if (map === undefined) return { weights: ofWeights(weights, examples) };
    const embedded = embed(map, examples.rows.ref); // [M, D]
    const slope = ofBoth({ weights, embedded }, tree.ref(examples));
    const { rows, ...rest } = examples;
    tree.dispose(rest);
    return { weights: slope.weights, map: ofMap(slope.embedded, rows) };
  };

  const rule = adamOnUnitRows({ weights: rate, map: mapRate });
  return (examples: SupportExamples, start: CosineLearner): CosineLearner => {
    const slope = (at: CosineLearner): Slope<CosineLearner> => ({
      loss: np.array(0), // Adam does not ask for it
      gradient: slopeAt(at, tree.ref(examples)),
    });
    const end = innerLoop(start, slope, rule, steps);
    tree.dispose(examples);
    return end;
  };
}

type Moments = { weights: AdamState; map?: AdamState };

/** Adam, and class rows back at unit length. */
function adamOnUnitRows(rates: {
  readonly weights: number;
  readonly map: number;
}): StepRule<CosineLearner, Moments> {
  const moveRows = jit((x: np.Array, slope: np.Array, moments: AdamState, size: np.Array) => {
    const [next, state] = adam.update(x, slope, moments, size);
    return [unit(next), state] as [np.Array, AdamState];
  });
  const move = jit(
    (x: np.Array, slope: np.Array, moments: AdamState, size: np.Array): [np.Array, AdamState] =>
      adam.update(x, slope, moments, size),
  );
  return {
    init: ({ weights, map }) => ({
      weights: adam.init(weights),
      ...(map && { map: adam.init(map) }),
    }),
    update: (at, { loss, gradient }, moments, t) => {
      loss.dispose();
      const [weights, ofWeights] = moveRows(
        at.weights,
        gradient.weights,
        moments.weights,
        adamStepSize(rates.weights, t),
      );
      if (at.map === undefined) return [{ weights }, { weights: ofWeights }];
      const [map, ofMap] = move(at.map, gradient.map!, moments.map!, adamStepSize(rates.map, t));
      return [
        { weights, map },
        { weights: ofWeights, map: ofMap },
      ];
    },
  };
}

/** What the loss is a function of, the map apart. */
type Outer = {
  /** `[C, D]` */
  weights: np.Array;
  /** x + A x of the support rows: `[M, D]`, of any length. */
  embedded: np.Array;
};

/** Cross-entropy of softmax_c(s cos(w_c, f(x))) over the support set: a scalar. Arguments are consumed. */
export function supportLoss(
  { weights, embedded }: Outer,
  examples: Omit<SupportExamples, 'rows'>,
  scale: number,
): np.Array {
  const { targets, padding, weights: ofExamples } = examples;
  const shrink = inverseLength(embedded.ref); // [M, 1]
  const cosines = innerProducts(embedded, unit(weights)).mul(shrink); // [M, C]
  return boundedCrossEntropy(cosines.mul(scale).add(padding), targets, ofExamples, scale);
}

/** x + A x: `[..., D]` to `[..., D]`. */
export function mapped(map: np.Array, x: np.Array): np.Array {
  return project(map, x.ref).add(x);
}

/** |x + A x| of the support rows on average: `[C, K, D]` of x + A x and mask `[C, K]` to a scalar. Arguments are not consumed. */
export function meanLength(moved: np.Array, mask: np.Array): np.Array {
  const lengths = np.sqrt(np.square(moved.ref).sum(-1)); // [C, K]
  return lengths.mul(mask.ref).sum().div(mask.ref.sum());
}

/**
 * (z + A^T z) / length: `[..., D]` to `[..., D]`. Its inner product with a query x is that of z with f(x), but for the length that
 * the map gives to a query, the same for all classes, which is taken to be that of a support row (`meanLength`).
 *
 * @param map A, and
 * @param length are not consumed.
 */
export function seenUnmapped(map: np.Array, length: np.Array, z: np.Array): np.Array {
  return mapped(np.transpose(map.ref), z).div(length.ref);
}

/**
 * Class vectors that have not been through the loop, given the mean move of others that have: at unit length, `[C, D]`.
 *
 * @param induced others as they started, and
 * @param adapted as they have ended.
 */
export function withMeanMove(fresh: np.Array, induced: np.Array, adapted: np.Array): np.Array {
  return unit(fresh.add(adapted.sub(induced).mean(0)));
}
