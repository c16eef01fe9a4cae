import { jit, type numpy as np, tree } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import { namedLeaves, toTree } from '../heads/checkpoint.js';
import type { Params } from '../heads/head.js';
import type { Tensor } from '../heads/safetensors.js';
import type { LearnedParams, Learner } from './learner.js';
import type { Proportion } from '../statistics/measures.js';
import { adamW, type AdamWState, rateAt, type Schedule, stepNumbers } from './optimiser.js';

/** How long and how fast a learner learns. */
export interface TrainingPlan extends Schedule {
  /** Episodes to learn from at the most. */
  readonly episodes: number;
  /** Learning rate of the encoder's layers, where they learn too. */
  readonly encoderRate?: number;
  /** Episodes whose gradients are averaged for a step. */
  readonly batch: number;
  readonly weightDecay: number;
  /** Largest norm of a gradient, of each group of parameters by itself. */
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
  /** By path: `params`, `best` and the moments `mean` and `square`, each a tree as the learner has it. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

type Arrays = { params: LearnedParams; best: LearnedParams; mean: LearnedParams; square: LearnedParams };

const GROUPS = ['head', 'encoder'] as const;

/**
 * Learns parameters episode by episode: the gradient of the loss, AdamW, the best parameters by validation kept. Step t learns
 * from the episodes from (t - 1) batch on, whatever was run before, so that a training that goes on from its saved state
 * equals one that was never interrupted, bit for bit.
 */
export class Trainer {
  readonly #learner: Learner;
  readonly #plan: TrainingPlan;
  readonly #arrays: Arrays;
  readonly #add = jit((a: Params, b: Params): Params =>
    tree.map((x: np.Array, y: np.Array) => x.add(y), a, b),
  );
  readonly #update = jit(adamW.update);
  readonly #baseline: Proportion;
  readonly #history: ValidationPoint[];
  #step: number;
  #recent: { sum: number; episodes: number };

  private constructor(
    learner: Learner,
    plan: TrainingPlan,
    arrays: Arrays,
    known: Omit<TrainerState, 'tensors'>,
  ) {
    this.#learner = learner;
    this.#plan = plan;
    this.#arrays = arrays;
    this.#baseline = known.baseline;
    this.#history = [...known.history];
    this.#step = known.step;
    this.#recent = { ...known.recent };
  }

  /**
   * A training at its start. Validates what is not trained yet, and the untrained prototypes.
   *
   * @param learner stays the caller's.
   * @param params what it starts with; consumed.
   */
  static async start(learner: Learner, plan: TrainingPlan, params: LearnedParams): Promise<Trainer> {
    const baseline = await learner.baseline();
    const history = [{ step: 0, loss: null, ...(await learner.accuracy(params)) }];
    const moments = adamW.init(tree.ref(params));
    const arrays = { ...moments, best: tree.ref(params), params } as Arrays;
    const known = { step: 0, baseline, history, recent: { sum: 0, episodes: 0 } };
    return new Trainer(learner, plan, arrays, known);
  }

  /** A training as it was when `state()` was read, of the same learner. */
  static resume(learner: Learner, plan: TrainingPlan, { tensors, ...known }: TrainerState): Trainer {
    const template = learner.template();
    const treeOf = (part: keyof Arrays) => toTree(template, partOf(tensors, part)) as LearnedParams;
    const arrays: Arrays = {
      mean: treeOf('mean'),
      square: treeOf('square'),
      best: treeOf('best'),
      params: treeOf('params'),
    };
    tree.dispose(template);
    return new Trainer(learner, plan, arrays, known);
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
  async learn(): Promise<void> {
    const { batch } = this.#plan;
    const first = this.#step * batch;
    let gradient = await this.#gradientOf(first);
    for (let i = 1; i < batch; i++) {
      gradient = this.#add(gradient, await this.#gradientOf(first + i)) as LearnedParams;
    }
    this.#step++;
    for (const group of GROUPS) this.#move(group, gradient);
  }

  /** Measures what is learned so far, and keeps the parameters if they are the best. */
  async validate(): Promise<ValidationPoint> {
    const point = {
      step: this.#step,
      loss: this.loss,
      ...(await this.#learner.accuracy(this.#arrays.params)),
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
  bestParams(): LearnedParams {
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
    tree.dispose(this.#arrays);
    for (const compiled of [this.#add, this.#update]) compiled.dispose();
  }

  /** One step of AdamW for a group. @param gradient of all groups; the group's is consumed. */
  #move(group: (typeof GROUPS)[number], { [group]: gradient }: LearnedParams): void {
    const { params, mean, square } = this.#arrays;
    const [tensors, means, squares] = [params[group], mean[group], square[group]];
    if (gradient === undefined || tensors === undefined || tree.leaves(tensors).length === 0) return;
    const { weightDecay, clip, batch, encoderRate, ...schedule } = this.#plan;
    const peak = group === 'encoder' ? encoderRate! : schedule.rate;
    const rate = rateAt({ ...schedule, rate: peak }, this.#step, this.steps);
    const state: AdamWState = { mean: means!, square: squares! };
    const numbers = stepNumbers({ step: this.#step, rate, weightDecay, clip, batch });
    const moved = this.#update(tensors, gradient, state, numbers);
    params[group] = moved.params;
    mean[group] = moved.state.mean;
    square[group] = moved.state.square;
  }

  async #gradientOf(episode: number): Promise<LearnedParams> {
    const progress = this.#step / this.steps;
    const { loss, gradient } = await this.#learner.slope(this.#arrays.params, episode, progress);
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
