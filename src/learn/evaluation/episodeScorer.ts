import { jit, type numpy as np, tree } from '@jax-js/jax';
import { adaptedState, type Params, type Support } from '../../heads/head.js';
import type { EpisodeArrays } from '../episodeArrays.js';
import { queriesOf, supportOf } from '../headEpisode.js';
import type { EvaluatedHead } from './evaluatedHead.js';

/**
 * Scores whole episodes. The head's functions are those that the server runs; here they are compiled as one, for the exact
 * shape, where the server keeps class states and pads to buckets. It gives the same logits in a fraction of the time (10-way
 * 5-shot: matching-fce 14 times as fast, dmin and the prototypes 4, induction 2).
 */
export class EpisodeScorer {
  readonly #evaluated: EvaluatedHead;
  readonly #logits;

  constructor(evaluated: EvaluatedHead) {
    this.#evaluated = evaluated;
    const { head } = evaluated;
    this.#logits = jit((params: Params, support: Support, queries: np.Array) =>
      head.score(params, adaptedState(head, tree.ref(params), support), queries),
    );
  }

  /** The logits of an episode: `[Q, C]`. */
  score(episode: EpisodeArrays): Float32Array {
    const params = tree.ref(this.#evaluated.params);
    return this.#logits(params, supportOf(episode), queriesOf(episode)).dataSync() as Float32Array;
  }

  dispose(): void {
    this.#logits.dispose();
  }
}
