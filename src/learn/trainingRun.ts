import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { random as jaxRandom } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import { type CheckpointMetadata, saveCheckpoint, writeWhole } from '../heads/checkpoint.js';
import { type DminParams, withMemory } from '../heads/dmin.js';
import type { Params } from '../heads/head.js';
import { createTrainedHead } from '../heads/trained.js';
import type { TrainedHead } from '../heads/trainedHead.js';
import { baseMemory } from './baseMemory.js';
import type { EpisodeShape } from './episodes.js';
import { EpisodeStream, type TaskSource } from './episodeStream.js';
import { HeadLearner } from './headLearner.js';
import type { LearnedParams, Learner } from './learner.js';
import type { Proportion } from '../statistics/measures.js';
import { Random } from '../statistics/random.js';
import { readRunState, removeRunState, writeRunState } from './runState.js';
import { Trainer, type TrainingPlan, type ValidationPoint } from './trainer.js';
import { type TrainingConfig, trainingShape, validationShape } from './trainingConfig.js';
import type { TrainingData } from './trainingData.js';
import { Validator } from './validator.js';

/** What is told while a run goes on. */
export interface TrainingObserver {
  /** @param episodes that earlier runs of it have learned from already. */
  begun?(run: {
    readonly episodes: number;
    readonly of: number;
    readonly data: readonly string[];
    readonly start: ValidationPoint;
    readonly baseline: Proportion;
  }): void;
  /** After every step. @param loss the mean since the last validation. */
  learned?(progress: { readonly episodes: number; readonly loss: number }): void;
  validated?(
    point: ValidationPoint,
    progress: { readonly episodes: number; readonly best: ValidationPoint },
  ): void;
  /** However it ended. */
  ended?(): void;
}

export interface TrainingRunOptions {
  /** Where the checkpoint goes, and the configuration that reproduces it. */
  readonly out: string;
  /** Where the state is kept, so that the run can go on after whatever ended it. */
  readonly folder: string;
  /** Begins anew, whatever the folder holds. */
  readonly restart?: boolean;
  /** Ends the run after the current step, its state saved. */
  readonly signal?: AbortSignal;
  readonly observer?: TrainingObserver;
}

export interface TrainingResult {
  readonly start: ValidationPoint;
  readonly best: ValidationPoint;
  readonly baseline: Proportion;
  readonly episodes: number;
  readonly seconds: number;
}

/** The event loop gets a turn after so many milliseconds of steps, to hear a signal and draw the progress. */
const TURN_MS = 50;

/** What a run trains, from its start to what is written of it. */
export interface Trainee {
  readonly learner: Learner;
  /** What it starts with; the caller's own. */
  start(): LearnedParams;
  /** What of the run depends on it, besides configuration and data. */
  readonly identity?: string;
  /**
   * Writes what was learned.
   *
   * @param best the best parameters by validation; consumed.
   * @param metadata of the head's checkpoint.
   */
  write(best: LearnedParams, metadata: CheckpointMetadata): Promise<void>;
}

/**
 * Trains a head and writes its checkpoint, or goes on with a run that was ended before. The same configuration gives the
 * same weights, bit for bit, however often the run was interrupted.
 *
 * @param trainee what is trained; by default a head over embeddings that stay as they are.
 * @throws KshotError `cancelled` if the signal ended it, its state saved; `invalid_configuration` for a configuration that
 *   cannot be fulfilled, a folder that holds another run, or a training that diverges; `invalid_file` for a damaged state.
 */
export async function runTraining(
  config: TrainingConfig,
  data: TrainingData,
  { out, folder, restart = false, signal, observer }: TrainingRunOptions,
  trainee: Trainee = headTrainee(config, data, out),
): Promise<TrainingResult> {
  const began = performance.now();
  const identity = identityOf(config, data, trainee);
  if (restart) await removeRunState(folder);
  const saved = await readRunState(folder, identity);

  const { learner } = trainee;
  const plan = planOf(config);
  const trainer =
    saved === undefined
      ? await Trainer.start(learner, plan, trainee.start())
      : Trainer.resume(learner, plan, saved.trainer);
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - began) / 1000;
  const save = () => writeRunState(folder, { identity, seconds: seconds(), trainer: trainer.state() });
  try {
    const { baseline, episodes } = trainer;
    const start = trainer.history[0]!;
    observer?.begun?.({
      episodes,
      of: trainer.steps * config.batch,
      data: data.description,
      start,
      baseline,
    });
    await learn(trainer, save, signal, observer);
    const result = { start, best: trainer.best, baseline, episodes: trainer.episodes, seconds: seconds() };
    await trainee.write(trainer.bestParams(), metadataOf(config, data, trainer, result));
    await writeWhole(join(out, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    return result;
  } finally {
    observer?.ended?.();
    trainer.dispose();
    learner.dispose();
  }
}

async function learn(
  trainer: Trainer,
  save: () => Promise<void>,
  signal: AbortSignal | undefined,
  observer: TrainingObserver | undefined,
): Promise<void> {
  let turn = performance.now();
  while (!trainer.finished) {
    if (trainer.validationDue) {
      const point = await trainer.validate();
      await save();
      observer?.validated?.(point, { episodes: trainer.episodes, best: trainer.best });
    } else {
      await trainer.learn();
      observer?.learned?.({ episodes: trainer.episodes, loss: trainer.loss });
    }
    if (performance.now() - turn > TURN_MS) {
      await setImmediate();
      turn = performance.now();
    }
    if (signal?.aborted === true && !trainer.finished) {
      await save();
      throw new KshotError(
        'cancelled',
        `stopped after ${trainer.episodes} episodes, all of it saved; the same command goes on`,
      );
    }
  }
}

/** A head over the embeddings of an encoder that does not learn. */
function headTrainee(config: TrainingConfig, data: TrainingData, out: string): Trainee {
  const head = createTrainedHead(config.head, config.options);
  const { training, validation } = streamsOf(config, data);
  const tasks = {
    training,
    validation: new Validator(validation, config.validationEpisodes),
    pool: config.pool,
  };
  return {
    learner: new HeadLearner(head, tasks),
    start: () => ({ head: startParams(head, config, data) }),
    write: (best, metadata) => saveCheckpoint(out, best.head, metadata, config.half ? 'BF16' : 'F32'),
  };
}

/** The episodes of a run: what is trained on, and what is validated on. */
export function streamsOf(config: TrainingConfig, data: TrainingData) {
  const random = new Random(config.seed);
  const streamOf = (sources: readonly TaskSource[], shape: EpisodeShape, label: string) =>
    new EpisodeStream(sources, shape, { nameRows: config.names, random: random.split(label) });
  return {
    training: streamOf(data.training, trainingShape(config), 'training'),
    validation: streamOf(data.validation, validationShape(config), 'validation'),
  };
}

/** What a head starts with. @returns the caller's own. */
export function startParams(head: TrainedHead, { seed }: TrainingConfig, { training }: TrainingData): Params {
  const params = head.init(jaxRandom.key(seed), training[0]!.embedded.dimension);
  if (head.name !== 'dmin') return params;
  const slots = head.options['memory'] as number;
  return withMemory(params as DminParams, baseMemory(training, slots, new Random(seed).split('memory')));
}

function planOf({ unfreeze, ...config }: TrainingConfig): TrainingPlan {
  return unfreeze === undefined ? config : { ...config, encoderRate: unfreeze.rate };
}

/** Hash of what a run depends on: all but where its checkpoint goes. */
function identityOf(
  { out: _out, ...config }: TrainingConfig,
  data: TrainingData,
  { identity }: Trainee,
): string {
  const sizes = [...data.training, ...data.validation].map(({ embedded: { set }, classes }) => [
    set.name,
    set.texts.length,
    (classes ?? set.classes).length,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([config, data.encoder, sizes, ...(identity === undefined ? [] : [identity])]))
    .digest('hex');
}

function metadataOf(
  config: TrainingConfig,
  data: TrainingData,
  trainer: Trainer,
  { start, best, baseline, episodes, seconds }: TrainingResult,
): CheckpointMetadata {
  return {
    head: config.head,
    options: config.options,
    dimension: data.training[0]!.embedded.dimension,
    encoder: data.encoder,
    data: [...data.description],
    seed: config.seed,
    episodes: best.step * config.batch,
    results: {
      validation: { untrained: { ...start }, best: { ...best }, prototypical: { ...baseline } },
      history: trainer.history.map((point) => ({ ...point })),
      episodes,
      seconds: Math.round(seconds),
    },
  };
}
