import { numpy as np, tree } from '@jax-js/jax';
import { adaptedHead } from './adapted.js';
import {
  COSINE_DESCENT,
  type CosineLearner,
  cosineDescentOver,
  mapped,
  meanLength,
  seenUnmapped,
} from './cosineLearner.js';
import type { Head } from './head.js';
import { innerProducts, maskedSoftmax, occupied, unit } from './ops.js';
import { present, softAssignments } from './softKMeans.js';
import { type SupportExamples, supportExamples } from './supportExamples.js';

export type SemiSupervisedOptions = {
  /** The cosine to the nearest prototype below which a text is taken to be of no class; without it all are of some class. */
  readonly threshold?: number | undefined;
  /** What the cosines are multiplied by where the adapted rows label a text. */
  readonly sharpness?: number;
};

/** Chosen on validation (docs/defaults.md). */
const DEFAULTS = { threshold: 0.7, sharpness: 40 };

/**
 * Learns from a bot's unlabelled texts too. Semi-supervised prototypes (Ren et al. 2018) give every such text to the classes in
 * parts, z_jc, and the rest to a distractor cluster. Their refined means are worse here than the means of the examples alone, where
 * intents lie so close together that each pulls in its neighbours' texts (docs/results/semi-supervised.md). So the
 * means are left alone, and the assignments go into the loss that `adapted` and `weighing` go down:
 *
 * 1. m_j = sum_c z_jc: how much of text j is of any class (`softAssignments`).
 * 2. An inner loop over the examples moves the class rows w_c and a map A of the embeddings, x -> f(x).
 * 3. y_jc = softmax_c(sharpness (cos(w_c, f(x_j)) + b_c)): what these say of the texts.
 * 4. The inner loop again, from the same start, over examples and texts, text j with the soft label y_j and the weight
 *    m_j / max(M, U): M rows are labelled, U are not, so that no text weighs more than an example does, nor
 *    all texts together more than all examples.
 *
 * Without unlabelled texts it ends with 2: the adapted rows and the map of `weighing`, scored like `adapted`.
 */
export function semiSupervisedHead(given: SemiSupervisedOptions = {}): Head {
  const { threshold, sharpness } = { ...DEFAULTS, ...given };
  const learn = cosineDescentOver(COSINE_DESCENT);
  const adapted = adaptedHead();

  return {
    ...adapted,
    name: 'semi-supervised',
    readsUnlabelled: true,
    // The map takes D x D numbers through every step; class rows alone take a few milliseconds.
    local: adapted,

    induce: (params, { unlabelled, ...labelled }) => {
      unlabelled?.dispose();
      return adapted.induce(params, labelled);
    },

    adapt: (_params, { unlabelled, ...labelled }, state) => {
      const [prototypes, bonus] = [state.prototypes!, state.bonus!];
      const D = prototypes.shape[1]!;
      const start = (): CosineLearner => ({ weights: prototypes.ref, map: np.zeros([D, D]) });
      const examples = supportExamples(tree.ref(labelled));
      let learner = learn(tree.ref(examples), start());
      if (unlabelled !== undefined) {
        const classes = occupied(labelled.mask.ref); // [C]
        const z = softAssignments(prototypes.ref, unlabelled.ref, classes.ref, { threshold }); // [U, C]
        const labels = softLabels(learner, unlabelled.ref, bonus.ref, classes, sharpness);
        const M = labelled.mask.ref.sum();
        const U = present(unlabelled.ref).sum();
        const weights = z.sum(1).div(np.maximum(M, U)); // [U]
        learner = learn(joined(tree.ref(examples), unlabelled, labels, weights), start());
      }
      tree.dispose([examples, prototypes]);
      return { prototypes: behindMap(learner, labelled), bonus };
    },
  };
}

/** y_jc of a learner, consumed: `[U, D]` texts to `[U, C]`, each row's sum 1. */
function softLabels(
  { weights, map }: CosineLearner,
  texts: np.Array,
  bonus: np.Array,
  classes: np.Array,
  sharpness: number,
): np.Array {
  const scores = innerProducts(unit(mapped(map!, texts)), weights).add(np.expandDims(bonus, 0)); // [U, C]
  return maskedSoftmax(scores.mul(sharpness), np.expandDims(classes, 0), 1);
}

/** More examples, softly labelled, of the same classes. */
function joined(
  { rows, targets, weights, padding }: SupportExamples,
  texts: np.Array,
  labels: np.Array,
  ofTexts: np.Array,
): SupportExamples {
  return {
    rows: np.concatenate([rows, texts], 0),
    targets: np.concatenate([targets, labels], 0),
    weights: np.concatenate([weights, ofTexts], 0),
    padding,
  };
}

/** Class rows to score queries against that are not mapped (`seenUnmapped`): `[C, D]`. */
function behindMap(
  { weights, map }: CosineLearner,
  { rows, mask, names }: { rows: np.Array; mask: np.Array; names: np.Array },
): np.Array {
  const moved = mapped(map!.ref, rows); // [C, K, D]
  const length = meanLength(moved, mask);
  const seen = seenUnmapped(map!, length, weights);
  tree.dispose([names, moved, mask, length, map!]);
  return seen;
}
