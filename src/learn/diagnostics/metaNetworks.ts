import { numpy as np, tree } from '@jax-js/jax';
import type { Generator, MetaNetworksParams } from '../../heads/metaNetworks.js';
import type { TrainedHead } from '../../heads/trainedHead.js';
import type { Proportion } from '../../statistics/measures.js';
import type { Validator } from '../validator.js';

/** Accuracy with the fast weights of a level taken away. */
export interface FastWeightAblation {
  readonly both: Proportion;
  /** Without those of the representation: the paper's MetaNet-. */
  readonly exampleLevel: Proportion;
  /** Without those of the base learner, whose class rows are then alike: chance, as all classes score the same. */
  readonly taskLevel: Proportion;
}

/**
 * What each level of fast weights is worth (as Munkhdalai & Yu 2017, section 4.1, compare MetaNet with MetaNet-), without
 * training anew.
 *
 * @param head `meta-networks`, with task-level weights.
 * @param params not consumed.
 */
export function ablateFastWeights(
  head: TrainedHead,
  params: MetaNetworksParams,
  validator: Validator,
): FastWeightAblation {
  const accuracy = (variant: MetaNetworksParams): Proportion => {
    const measure = validator.measure(head);
    const result = measure.accuracy(variant);
    measure.dispose();
    return result;
  };
  const { task: _task, ...withoutTask } = params;
  const still = tree.map<np.Array, np.Array, Generator>((x) => np.zerosLike(x.ref), params.ofExample);
  const result = {
    both: accuracy(params),
    exampleLevel: accuracy(withoutTask),
    taskLevel: accuracy({ ...params, ofExample: still }),
  };
  tree.dispose(still);
  return result;
}
