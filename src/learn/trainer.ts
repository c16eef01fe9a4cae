import { jit, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import { namedLeaves, toParams } from '../heads/checkpoint.js';
import { adaptedState, type ClassState, type Params } from '../heads/head.js';
import { prototypical } from '../heads/prototypical.js';
import type { Tensor } from '../heads/safetensors.js';
import type { Episode as HeadEpisode, TrainedHead } from '../heads/trainedHead.js';
import type { EpisodeStream } from './episodeStream.js';
import { headEpisode } from './headEpisode.js';
import type { Proportion } from './measures.js';
import { adamW, type AdamWState, rateAt, type Schedule, stepNumbers } from './optimiser.js';
import type { HeadMeasure, Validator } from './validator.js';

/** How long and how fast a head learns. */
export interface TrainingPlan extends Schedule {
  /** Episodes to learn from at the most. */
  readonly episodes: number;
  /** Different episodes, met over and over; as many as there are steps for by default. */
  readonly pool?: number | undefined;
  /** Episodes whose gradients are averaged for a step. */
  readonly batch: number;
  readonly weightDecay: number;
  /** Largest norm of a gradient. */
  readonly clip: number;
  /** Steps between validations. */
  readonly validateEvery: number;
  /** Validations in a row without a new best after which the training ends. */
  readonly patience: number;
}

/** One validation. */
export interface ValidationPoint extends Proportion {
  /** Steps that were made before. */
  readonly step: number;
  /** Mean loss of the episodes since the validation before; none at the start. */
  readonly loss: number | null;
}

/** All that a training knows, besides its episodes: what is saved and gone on from. */
export interface TrainerState {
  readonly step: number;
  /** Of the untrained prototypes (`prototypical`), on the validation's episodes. */
  readonly baseline: Proportion;
  /** First the untrained head. */
  readonly history: readonly ValidationPoint[];
  /** The losses since the last validation. */
  readonly recent: { readonly sum: number; readonly episodes: number };
  /** By path: `params`, `best` and the moments `mean` and `square`, each a tree like the head's. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** What a head is trained on. */
export interface TrainerTasks {
  readonly training: EpisodeStream;
  readonly validation: Validator;
}

type Arrays = { params: Params; best: Params; mean: Params; square: Params };

/**
 * Learns a head's parameters episode by episode: the gradient of the head's own loss, AdamW, the best parameters by
 * validation kept. Step t learns from the episodes from (t - 1) batch on, whatever was run before, so that a training that
 * goes on from its saved state equals one that was never interrupted, bit for bit.
 */
export class Trainer {
  readonly #head: TrainedHead;
  readonly #tasks: TrainerTasks;
  readonly #plan: TrainingPlan;
  readonly #arrays: Arrays;
  readonly #measure: HeadMeasure;
  readonly #slope = jit((params: Params, episode: HeadEpisode) =>
    valueAndGrad((p: Params, e: HeadEpisode) => this.#head.loss(p, e))(params, episode),
  );
  readonly #add = jit((a: Params, b: Params): Params =>
    tree.map((x: np.Array, y: np.Array) => x.add(y), a, b),
  );
  readonly #update = jit(adamW.update);
  readonly #baseline: Proportion;
  readonly #history: ValidationPoint[];
  /** Of a pool's episodes, where the head adapts alike whatever its parameters. */
  readonly #adapted = new Map<number, ClassState>();
  #step: number;
  #recent: { sum: number; episodes: number };

  private constructor(
    head: TrainedHead,
    tasks: TrainerTasks,
    plan: TrainingPlan,
    arrays: Arrays,
    measure: HeadMeasure,
    known: Omit<TrainerState, 'tensors'>,
  ) {
    this.#head = head;
    this.#tasks = tasks;
    this.#plan = plan;
    this.#arrays = arrays;
    this.#measure = measure;
    this.#baseline = known.baseline;
    this.#history = [...known.history];
    this.#step = known.step;
    this.#recent = { ...known.recent };
  }

  /**
   * A training at its start. Validates the untrained head and the untrained prototypes.
   *
   * @param params what the head starts with; consumed.
   */
  static start(head: TrainedHead, tasks: TrainerTasks, plan: TrainingPlan, params: Params): Trainer {
    const prototypes = tasks.validation.measure(prototypical);
    const baseline = prototypes.accuracy({});
    prototypes.dispose();
    const measure = tasks.validation.measure(head);
    const history = [{ step: 0, loss: null, ...measure.accuracy(params) }];
    const arrays: Arrays = {
      ...adamW.init(tree.ref(params)),
      best: tree.ref(params),
      params,
    };
    const known = { step: 0, baseline, history, recent: { sum: 0, episodes: 0 } };
    return new Trainer(head, tasks, plan, arrays, measure, known);
  }

  /** A training as it was when `state()` was read, of the same head. */
  static resume(
    head: TrainedHead,
    tasks: TrainerTasks,
    plan: TrainingPlan,
    { tensors, ...known }: TrainerState,
  ): Trainer {
    const { dimension } = tasks.training;
    const treeOf = (part: keyof Arrays) => toParams(head, dimension, partOf(tensors, part));
    const arrays: Arrays = {
      mean: treeOf('mean'),
      square: treeOf('square'),
      best: treeOf('best'),
      params: treeOf('params'),
    };
    return new Trainer(head, tasks, plan, arrays, tasks.validation.measure(head), known);
  }

  /** Steps that were made. */
  get step(): number {
    return this.#step;
  }

  /** Steps that the plan has at the most. */
  get steps(): number {
    return Math.ceil(this.#plan.episodes / this.#plan.batch);
  }

  /** Episodes that were learned from. */
  get episodes(): number {
    return this.#step * this.#plan.batch;
  }

  /** Mean loss since the last validation; NaN before the first step after it. */
  get loss(): number {
    return this.#recent.sum / this.#recent.episodes;
  }

  get history(): readonly ValidationPoint[] {
    return this.#history;
  }

  get baseline(): Proportion {
    return this.#baseline;
  }

  /** The best validation so far, the first of equals. */
  get best(): ValidationPoint {
    return this.#history.reduce((best, point) => (point.value > best.value ? point : best));
  }

  /** Whether the next thing to do is to validate. */
  get validationDue(): boolean {
    const due = this.#step % this.#plan.validateEvery === 0 || this.#step === this.steps;
    return due && this.#history.at(-1)!.step < this.#step;
  }

  /** Whether the plan is fulfilled, or nothing has come of it for long enough. */
  get finished(): boolean {
    if (this.validationDue) return false;
    const sinceBest = this.#history.length - 1 - this.#history.indexOf(this.best);
    return this.#step >= this.steps || sinceBest >= this.#plan.patience;
  }

  /**
   * Learns from the next episodes.
   *
   * @throws KshotError `invalid_configuration` where the loss is no number any more: the training has diverged.
   */
  learn(): void {
    const { batch, weightDecay, clip } = this.#plan;
    const first = this.#step * batch;
    let gradient = this.#gradientOf(first);
    for (let i = 1; i < batch; i++) gradient = this.#add(gradient, this.#gradientOf(first + i));

    const step = this.#step + 1;
    const rate = rateAt(this.#plan, step, this.steps);
    const { params, mean, square } = this.#arrays;
    const state: AdamWState = { mean, square };
    const moved = this.#update(
      params,
      gradient,
      state,
      stepNumbers({ step, rate, weightDecay, clip, batch }),
    );
    Object.assign(this.#arrays, { params: moved.params, ...moved.state });
    this.#step = step;
  }

  /** Measures the head as it is now, and keeps its parameters if they are the best so far. */
  validate(): ValidationPoint {
    const point = {
      step: this.#step,
      loss: this.loss,
      ...this.#measure.accuracy(this.#arrays.params),
    };
    this.#history.push(point);
    this.#recent = { sum: 0, episodes: 0 };
    if (this.best === point) {
      tree.dispose(this.#arrays.best);
      this.#arrays.best = tree.ref(this.#arrays.params);
    }
    return point;
  }

  /** The best parameters; the caller's own. */
  bestParams(): Params {
    return tree.ref(this.#arrays.best);
  }

  /** A copy of all that it knows. */
  state(): TrainerState {
    const tensors = namedLeaves(this.#arrays).map(([name, array]): [string, Tensor] => [
      name,
      { shape: array.shape, data: array.ref.dataSync() as Float32Array },
    ]);
    return {
      step: this.#step,
      baseline: this.#baseline,
      history: [...this.#history],
      recent: { ...this.#recent },
      tensors: new Map(tensors),
    };
  }

  dispose(): void {
    tree.dispose([this.#arrays, ...this.#adapted.values()]);
    this.#measure.dispose();
    for (const compiled of [this.#slope, this.#add, this.#update]) compiled.dispose();
  }

  /** Episode i as the head's loss takes it: with what its support set adapts to, where that is a constant to the loss. */
  #episode(i: number): HeadEpisode {
    const { pool = Infinity } = this.#plan;
    const progress = np.array(new Float32Array([this.#step / this.steps]), { shape: [1] });
    const episode = { ...headEpisode(this.#tasks.training.at(i % pool)), progress };
    if (!this.#head.adaptsAlike) return episode;
    const known = this.#adapted.get(i % pool);
    if (known !== undefined) return { ...episode, adapted: tree.ref(known) };
    const params = tree.ref(this.#arrays.params);
    const adapted = adaptedState(this.#head, params, tree.ref(episode.support));
    if (Number.isFinite(pool)) this.#adapted.set(i, tree.ref(adapted));
    return { ...episode, adapted };
  }

  #gradientOf(episode: number): Params {
    const [value, gradient] = this.#slope(tree.ref(this.#arrays.params), this.#episode(episode));
    const loss = value.item();
    if (!Number.isFinite(loss)) {
      tree.dispose(gradient);
      throw new KshotError(
        'invalid_configuration',
        `the loss is ${loss} at episode ${episode + 1}: the training has diverged. Try a lower --rate (it is ` +
          `${this.#plan.rate}), a longer --warmup, or a smaller --clip`,
      );
    }
    this.#recent.sum += loss;
    this.#recent.episodes++;
    return gradient;
  }
}

/** The tensors whose path begins with the part, by the rest of it. */
function partOf(tensors: ReadonlyMap<string, Tensor>, part: keyof Arrays): Map<string, Tensor> {
  const prefix = `${part}.`;
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}
