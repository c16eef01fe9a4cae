import { jit, type numpy as np, tree } from '@jax-js/jax';
import type { ClassState, Head, Params, Support } from '../heads/head.js';
import type { TrainedHead } from '../heads/trainedHead.js';
import type { EpisodeArrays } from './episodeArrays.js';
import type { EpisodeStream } from './episodeStream.js';
import { adaptedState, queriesOf, supportOf } from './headEpisode.js';
import { meanInterval, type Proportion } from './measures.js';

/** Accuracy on one fixed list of episodes, the same for every head and at every time. */
export class Validator {
  readonly #stream: EpisodeStream;
  readonly #episodes: number;

  /** @param episodes how many of the stream's, from the first. */
  constructor(stream: EpisodeStream, episodes: number) {
    this.#stream = stream;
    this.#episodes = episodes;
  }

  /** What measures a head, compiled once; to be given back by `dispose()`. */
  measure(head: Head & Pick<TrainedHead, 'adaptsAlike'>): HeadMeasure {
    const induce = jit((params: Params, support: Support) => head.induce(params, support));
    const score = jit((params: Params, state: ClassState, queries: np.Array) =>
      head.score(params, state, queries),
    );
    const kept = new Map<number, ClassState>();
    const stateOf = (params: Params, i: number, support: Support): ClassState => {
      if (head.adapt === undefined) return induce(tree.ref(params), support);
      const known = kept.get(i);
      const state = known ?? adaptedState(head, params, support);
      tree.dispose(support);
      if (head.adaptsAlike) kept.set(i, state);
      return head.adaptsAlike ? tree.ref(state) : state;
    };
    const accuracyOf = (params: Params, i: number) => {
      const arrays = this.#stream.at(i);
      const state = stateOf(params, i, supportOf(arrays));
      const logits = score(tree.ref(params), state, queriesOf(arrays));
      return accuracy(logits.dataSync() as Float32Array, arrays);
    };
    return {
      accuracy: (params) =>
        meanInterval(Array.from({ length: this.#episodes }, (_, i) => accuracyOf(params, i))),
      dispose: () => {
        tree.dispose([...kept.values()]);
        induce.dispose();
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
    const own = logits.subarray(q * ways, q * ways + classes);
    let best = 0;
    for (let c = 1; c < classes; c++) if (own[c]! > own[best]!) best = c;
    known++;
    if (best === label) right++;
  }
  return right / known;
}
