import { jit, random, tree, valueAndGrad } from '@jax-js/jax';
import { adaptedState, type ClassState, type Params } from '../heads/head.js';
import type { Episode as HeadEpisode, TrainedHead } from '../heads/trainedHead.js';
import type { EpisodeStream } from './episodeStream.js';
import { headEpisode } from './headEpisode.js';
import type { LearnedParams, Learner } from './learner.js';
import type { Proportion } from '../statistics/measures.js';
import type { HeadMeasure, Validator } from './validator.js';

/** What a head is trained on. */
export interface HeadTasks {
  readonly training: EpisodeStream;
  readonly validation: Validator;
  /** Different episodes of the training, met over and over; as many as are asked for by default. */
  readonly pool?: number | undefined;
}

/** A head over the embeddings of an encoder that does not learn: the gradient of the head's own loss. */
export class HeadLearner implements Learner {
  readonly #head: TrainedHead;
  readonly #tasks: HeadTasks;
  readonly #measure: HeadMeasure;
  readonly #slope;
  /** Of a pool's episodes, where the head adapts alike whatever its parameters. */
  readonly #adapted = new Map<number, ClassState>();

  constructor(head: TrainedHead, tasks: HeadTasks) {
    this.#head = head;
    this.#tasks = tasks;
    this.#measure = tasks.validation.measure(head);
    this.#slope = jit((params: Params, episode: HeadEpisode) =>
      valueAndGrad((p: Params, e: HeadEpisode) => head.loss(p, e))(params, episode),
    );
  }

  template(): LearnedParams {
    return { head: this.#head.init(random.key(0), this.#tasks.training.dimension) };
  }

  slope({ head }: LearnedParams, episode: number, progress: number) {
    const [value, gradient] = this.#slope(tree.ref(head), this.#episode(head, episode, progress));
    return Promise.resolve({ loss: value.item(), gradient: { head: gradient } });
  }

  accuracy({ head }: LearnedParams): Promise<Proportion> {
    return Promise.resolve(this.#measure.accuracy(head));
  }

  baseline(): Promise<Proportion> {
    return Promise.resolve(this.#tasks.validation.baseline());
  }

  dispose(): void {
    tree.dispose([...this.#adapted.values()]);
    this.#measure.dispose();
    this.#slope.dispose();
  }

  /** Episode i as the head's loss takes it: with what its support set adapts to, where that is a constant to the loss. */
  #episode(head: Params, i: number, progress: number): HeadEpisode {
    const { training, pool = Infinity } = this.#tasks;
    const episode = headEpisode(training.at(i % pool), progress);
    if (!this.#head.adaptsAlike) return episode;
    const known = this.#adapted.get(i % pool);
    if (known !== undefined) return { ...episode, adapted: tree.ref(known) };
    const adapted = adaptedState(this.#head, tree.ref(head), tree.ref(episode.support));
    if (Number.isFinite(pool)) this.#adapted.set(i, tree.ref(adapted));
    return { ...episode, adapted };
  }
}
