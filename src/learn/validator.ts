import { jit, type numpy as np, tree } from '@jax-js/jax';
import { adaptedState, type ClassState, type Head, type Params, type Support } from '../heads/head.js';
import { prototypical } from '../heads/prototypical.js';
import type { TrainedHead } from '../heads/trainedHead.js';
import type { EpisodeArrays } from './episodeArrays.js';
import type { EpisodeStream } from './episodeStream.js';
import { queriesOf, supportOf } from './headEpisode.js';
import { argmax, meanInterval, type Proportion } from '../statistics/measures.js';

/** Accuracy on one fixed list of episodes, the same for every head and at every time. */
export class Validator {
  readonly #stream: Pick<EpisodeStream, 'at'>;
  readonly #episodes: number;

  /** @param episodes how many of the stream's, from the first. */
  constructor(stream: Pick<EpisodeStream, 'at'>, episodes: number) {
    this.#stream = stream;
    this.#episodes = episodes;
  }

  /** Accuracy of the untrained prototypes. */
  baseline(): Proportion {
    const prototypes = this.measure(prototypical);
    try {
      return prototypes.accuracy({});
    } finally {
      prototypes.dispose();
    }
  }

  /** What measures a head, compiled once; to be given back by `dispose()`. */
  measure(head: Head & Pick<TrainedHead, 'adaptsAlike'>): HeadMeasure {
    // What adapts alike is worked out once an episode, and its inner loop compiles its own steps.
    const stateFor = head.adaptsAlike
      ? undefined
      : jit((params: Params, support: Support) => adaptedState(head, params, support));
    const score = jit((params: Params, state: ClassState, queries: np.Array) =>
      head.score(params, state, queries),
    );
    const kept = new Map<number, ClassState>();
    const stateOf = (params: Params, i: number, arrays: EpisodeArrays): ClassState => {
      if (stateFor !== undefined) return stateFor(tree.ref(params), supportOf(arrays));
      const state = kept.get(i) ?? adaptedState(head, tree.ref(params), supportOf(arrays));
      kept.set(i, state);
      return tree.ref(state);
    };
    const accuracyOf = (params: Params, i: number) => {
      const arrays = this.#stream.at(i);
      const state = stateOf(params, i, arrays);
      const logits = score(tree.ref(params), state, queriesOf(arrays));
      return accuracy(logits.dataSync() as Float32Array, arrays);
    };
    return {
      accuracy: (params) =>
        meanInterval(Array.from({ length: this.#episodes }, (_, i) => accuracyOf(params, i))),
      dispose: () => {
        tree.dispose([...kept.values()]);
        stateFor?.dispose();
        score.dispose();
      },
    };
  }
}

export interface HeadMeasure {
  /** The mean over the episodes of the share of queries whose class scores best. @param params not consumed. */
  accuracy(params: Params): Proportion;
  dispose(): void;
}

/** Of the queries that belong to a class. @param logits `[Q, C]`, padding included. */
function accuracy(logits: Float32Array, { ways, classMask, labels }: EpisodeArrays): number {
  const classes = classMask.reduce((sum, one) => sum + one, 0);
  let known = 0;
  let right = 0;
  for (const [q, label] of labels.entries()) {
    if (label < 0) continue;
    const [winner] = argmax(logits.subarray(q * ways, q * ways + classes), classes);
    known++;
    if (winner === label) right++;
  }
  return right / known;
}
