import { type numpy as np, tree } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import type { ClassState, Head, Params, Support } from './head.js';
import { occupied } from './ops.js';

/** One task as it is trained on: a support set, and queries whose classes are known. */
export type Episode = {
  support: Support;
  /** `[Q, D]`, unit length. */
  queries: np.Array;
  /** `[Q, C]`, one-hot; a row of zeros for a query that belongs to no class (out of scope) or is padding. */
  targets: np.Array;
  /** `[Q]`: what each query weighs in the loss; 0 for padding. */
  weights: np.Array;
  /** Of a head that adapts: what `adapt` has made of the support set, a constant to the loss's gradient. */
  adapted?: ClassState;
  /** `[1]`: the share of the training that is over, for losses that change on the way; 1 where it is absent. */
  progress?: np.Array;
};

/** What a head is built with besides the embeddings' dimension: sizes, counts and switches, as a checkpoint records them. */
export type HeadOptions = Readonly<Record<string, number | boolean>>;

/** A head that learns offline, over episodes, and is of no use before it has. */
export type TrainedHead = Head & {
  /** All options, the defaults filled in. */
  readonly options: HeadOptions;
  /** Of a head that adapts: what `adapt` gives does not depend on the parameters. An episode's is worked out once (`adapted`). */
  readonly adaptsAlike?: true;
  /** The loss that its paper trains it with, over one episode: a scalar. Every argument is consumed. */
  loss(params: Params, episode: Episode): np.Array;
};

/** A loss of logits `[Q, C]` against targets `[Q, C]`, with weights of queries `[Q]` and of classes `[C]`: a scalar. */
export type ScoreLoss = (
  logits: np.Array,
  targets: np.Array,
  weights: np.Array,
  classes: np.Array,
) => np.Array;

/** The loss over an episode of a head that learns from its scores alone. */
export function scoreLoss(head: Pick<Head, 'induce' | 'score'>, loss: ScoreLoss): TrainedHead['loss'] {
  return (params, { support, queries, targets, weights, adapted, progress }) => {
    progress?.dispose();
    const classes = occupied(support.mask.ref);
    if (adapted !== undefined) tree.dispose(support);
    const state = adapted ?? head.induce(tree.ref(params), support);
    return loss(head.score(params, state, queries), targets, weights, classes);
  };
}

/**
 * A head's options with the defaults filled in.
 *
 * @throws KshotError `invalid_configuration` where the head has no such option or the value is not of its kind: a switch,
 *   or a whole number of at least 0.
 */
export function resolveOptions<Options extends HeadOptions>(
  head: string,
  defaults: Options,
  given: HeadOptions,
): Options {
  for (const [name, value] of Object.entries(given)) {
    const problem = optionProblem(defaults[name], value);
    if (problem === undefined) continue;
    throw new KshotError('invalid_configuration', `The head ${head} ${problem.replace('$', name)}.`);
  }
  return { ...defaults, ...given };
}

function optionProblem(fallback: number | boolean | undefined, value: number | boolean): string | undefined {
  if (fallback === undefined) return 'has no option "$"';
  if (typeof fallback === 'boolean') {
    return typeof value === 'boolean' ? undefined : 'takes true or false for "$"';
  }
  const whole = typeof value === 'number' && Number.isInteger(value) && value >= 0;
  return whole ? undefined : 'takes a whole number for "$"';
}
