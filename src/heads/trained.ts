import { KshotError } from '../errors.js';
import { dmin } from './dmin.js';
import { induction } from './induction.js';
import { learnedOptimiser } from './learnedOptimiser.js';
import { lstmMetaLearner } from './lstmMetaLearner.js';
import { MAML_METHODS, maml, type MamlName } from './maml.js';
import { mann } from './mann.js';
import { matchingFce } from './matchingFce.js';
import { metaNetworks } from './metaNetworks.js';
import { projected } from './projected.js';
import { relation } from './relation.js';
import { siamese } from './siamese.js';
import type { HeadOptions, TrainedHead } from './trainedHead.js';
import { weighing } from './weighing.js';

/** Every head that learns offline, by its name; served only with parameters from a checkpoint. */
export const TRAINED_HEADS = {
  siamese,
  'matching-fce': matchingFce,
  projected,
  relation,
  induction,
  dmin,
  weighing,
  mann,
  'meta-networks': metaNetworks,
  'lstm-meta-learner': lstmMetaLearner,
  'learned-optimiser': learnedOptimiser,
  ...mamlFamily(),
} satisfies Record<string, (options?: HeadOptions) => TrainedHead>;

/** The family's heads by name. */
function mamlFamily() {
  const entries = Object.keys(MAML_METHODS).map((name) => [
    name,
    (options?: HeadOptions) => maml(name as MamlName, options),
  ]);
  return Object.fromEntries(entries) as Record<MamlName, (options?: HeadOptions) => TrainedHead>;
}

export type TrainedHeadName = keyof typeof TRAINED_HEADS;

export const TRAINED_HEAD_NAMES = Object.keys(TRAINED_HEADS) as [TrainedHeadName, ...TrainedHeadName[]];

/**
 * @param options where left out, a head's defaults.
 * @throws KshotError `invalid_configuration` for an unknown name or option.
 */
export function createTrainedHead(name: string, options: HeadOptions = {}): TrainedHead {
  if (!Object.hasOwn(TRAINED_HEADS, name)) {
    const known = TRAINED_HEAD_NAMES.join(', ');
    throw new KshotError('invalid_configuration', `There is no trained head "${name}", only ${known}.`);
  }
  return TRAINED_HEADS[name as TrainedHeadName](options);
}
