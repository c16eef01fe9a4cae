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
import { EpisodeStream } from './episodeStream.js';
import type { Proportion } from './measures.js';
import { Random } from './random.js';
import { readRunState, removeRunState, writeRunState } from './runState.js';
import { Trainer, type ValidationPoint } from './trainer.js';
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

/**
 * Trains a head and writes its checkpoint, or goes on with a run that was ended before. The same configuration gives the
 * same weights, bit for bit, however often the run was interrupted.
 *
 * @throws KshotError `cancelled` if the signal ended it, its state saved; `invalid_configuration` for a configuration that
 *   cannot be fulfilled, a folder that holds another run, or a training that diverges; `invalid_file` for a damaged state.
 */
export async function runTraining(
  config: TrainingConfig,
  data: TrainingData,
  { out, folder, restart = false, signal, observer }: TrainingRunOptions,
): Promise<TrainingResult> {
  const began = performance.now();
  const head = createTrainedHead(config.head, config.options);
  const random = new Random(config.seed);
  const identity = identityOf(config, data);
  if (restart) await removeRunState(folder);
  const saved = await readRunState(folder, identity);

  const tasks = tasksOf(config, data, random);
  const trainer =
    saved === undefined
      ? Trainer.start(head, tasks, config, startParams(head, config, data, random))
      : Trainer.resume(head, tasks, config, saved.trainer);
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
    await writeResult(out, config, data, trainer, head, result);
    return result;
  } finally {
    observer?.ended?.();
    trainer.dispose();
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
      const point = trainer.validate();
      await save();
      observer?.validated?.(point, { episodes: trainer.episodes, best: trainer.best });
    } else {
      trainer.learn();
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

function tasksOf(config: TrainingConfig, data: TrainingData, random: Random) {
  const nameRows = config.names;
  const training = new EpisodeStream(data.training, trainingShape(config), {
    nameRows,
    random: random.split('training'),
  });
  const validation = new EpisodeStream(data.validation, validationShape(config), {
    nameRows,
    random: random.split('validation'),
  });
  return { training, validation: new Validator(validation, config.validationEpisodes) };
}

function startParams(
  head: TrainedHead,
  { seed }: TrainingConfig,
  { training }: TrainingData,
  random: Random,
): Params {
  const params = head.init(jaxRandom.key(seed), training[0]!.embedded.dimension);
  if (head.name !== 'dmin') return params;
  const slots = head.options['memory'] as number;
  return withMemory(params as DminParams, baseMemory(training, slots, random.split('memory')));
}

/** Hash of what a run depends on: all but where its checkpoint goes. */
function identityOf({ out: _out, ...config }: TrainingConfig, data: TrainingData): string {
  const sizes = [...data.training, ...data.validation].map(({ embedded: { set }, classes }) => [
    set.name,
    set.texts.length,
    (classes ?? set.classes).length,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([config, data.encoder, sizes]))
    .digest('hex');
}

async function writeResult(
  out: string,
  config: TrainingConfig,
  data: TrainingData,
  trainer: Trainer,
  head: TrainedHead,
  result: TrainingResult,
): Promise<void> {
  const { start, best, baseline } = result;
  const params = trainer.bestParams();
  const metadata: CheckpointMetadata = {
    head: head.name,
    options: head.options,
    dimension: data.training[0]!.embedded.dimension,
    encoder: data.encoder,
    data: [...data.description],
    seed: config.seed,
    episodes: best.step * config.batch,
    results: {
      validation: { untrained: { ...start }, best: { ...best }, prototypical: { ...baseline } },
      history: trainer.history.map((point) => ({ ...point })),
      episodes: result.episodes,
      seconds: Math.round(result.seconds),
    },
  };
  await saveCheckpoint(out, params, metadata, config.half ? 'BF16' : 'F32');
  await writeWhole(join(out, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
