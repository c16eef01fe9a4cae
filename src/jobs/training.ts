import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { EncoderOptions } from '../encoder/load.js';
import { modelFolder } from '../encoder/load.js';
import { KshotError } from '../errors.js';
import { headNameProblem } from '../heads/library.js';
import { isTable, type SetSpec } from '../learn/setLoader.js';
import { readTrainingConfig, trainingSchema } from '../learn/trainingConfig.js';
import type { TrainingResult } from '../learn/trainingRun.js';
import { backgroundThreads } from './backgroundThreads.js';
import { encoderFolder, folderName, missingSetting } from './folderName.js';
import type { JobRunner } from './jobRun.js';
import { trainInChild } from './trainingChild.js';
import type { TrainingTask } from './trainingProcess.js';

/** What a training is asked for by: the configuration of `npm run train`, and what the head shall be called. */
export const trainingInput = z.strictObject({
  name: z
    .string()
    .superRefine((name, context) => {
      const message = headNameProblem(name);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .describe('Name of the head: that of its folder in --heads. One that is there is replaced'),
  config: trainingSchema
    .superRefine((config, context) => {
      for (const [path, name] of namesIn(config)) {
        const message = folderName.safeParse(name).error?.issues[0]?.message;
        if (message !== undefined) context.addIssue({ code: 'custom', path, message });
      }
      if (config.unfreeze !== undefined) {
        context.addIssue({
          code: 'custom',
          path: ['unfreeze'],
          message: 'must be absent: an encoder learns by "npm run train", not as a job of a server',
        });
      }
    })
    .describe(
      'As npm run train takes it, and writes it beside a checkpoint (config.json). Tables are files in --datasets, encoders ' +
        "folders in --encoders; without one it is the server's. out is passed over",
    ),
});

export type TrainingInput = z.infer<typeof trainingInput>;

export interface TrainingRunnerOptions {
  /** The data sets' folder, as `npm run fetch-data` fills it; undefined: trainings are refused. */
  readonly datasets: string | undefined;
  /** A folder of encoders, which a configuration names them in; undefined: it cannot name any. */
  readonly encoders: string | undefined;
  /** The folder of trained heads, in which the head appears. */
  readonly heads: string;
  /** Where the states of trainings are kept. */
  readonly work: string;
  /** The server's own encoder, which embeds where the configuration names none; all others run on the same device. */
  readonly encoder: Omit<EncoderOptions, 'observer' | 'warn' | 'inform' | 'progress'>;
  readonly warn: (message: string) => void;
}

/**
 * Trains heads, each in a process of its own at a lower priority. The same configuration gives the same weights as `npm run
 * train`, bit for bit, interrupted or not. One that is given back, or whose process is killed, goes on from the state that was
 * last saved; the state of one that has ended is removed.
 *
 * The runner throws KshotError `invalid_configuration` for a setting that is missing, and what the configuration cannot be
 * fulfilled for; `encoder_unavailable`; `invalid_file` for data that cannot be read; `process_killed` where the process was
 * killed more than once without headway.
 */
export function trainingRunner(options: TrainingRunnerOptions): JobRunner<TrainingInput> {
  return async ({ name, config: given }, run) => {
    const { out: _out, ...config } = readTrainingConfig(given, 'the training');
    const { datasets, heads, work } = options;
    if (datasets === undefined) throw missingSetting('data sets are to be trained on', 'datasets');
    for (const encoder of encodersIn(config)) await encoderFolder(options.encoders, encoder);
    await requireWritable(heads);

    const folder = join(work, stateName(run.id, config));
    const task: TrainingTask = {
      config,
      out: join(heads, name),
      folder,
      datasets,
      encoders: options.encoders,
      encoder: {
        ...options.encoder,
        model: resolve(await modelFolder(options.encoder)),
        threads: backgroundThreads(options.encoder.threads),
      },
    };
    try {
      const result = await untilTrained(() => trainInChild(task, run, options.warn));
      const files = (await readdir(task.out)).sort();
      await rm(folder, { recursive: true, force: true });
      return resultOf(name, files, result);
    } catch (error) {
      // One that is given back is run again.
      const isOver = !run.signal.aborted || isCancelled(run.signal.reason);
      if (isOver) await rm(folder, { recursive: true, force: true });
      throw error;
    }
  };
}

/** Goes on with a training whose process is killed, as long as each gets further than the one before. */
async function untilTrained(train: () => ReturnType<typeof trainInChild>): Promise<TrainingResult> {
  for (let before = -2; ;) {
    const { result, begunAt, killedBy } = await train();
    if (result !== undefined) return result;
    if (begunAt <= before) {
      throw new KshotError(
        'process_killed',
        `the training's process was ended by ${killedBy}, twice at the same place: is there memory enough?`,
      );
    }
    before = begunAt;
  }
}

function resultOf(
  name: string,
  files: readonly string[],
  { start, best, baseline, episodes, seconds }: TrainingResult,
) {
  const validation = { untrained: start, best, prototypical: baseline };
  return { head: name, files, validation, episodes, seconds: Math.round(seconds) };
}

/** All names of files and folders in a configuration, with where they stand. */
function namesIn(config: TrainingInput['config']): [(string | number)[], string][] {
  const { encoder, data, exclude, validation } = config;
  const lists = { data, exclude, ...(Array.isArray(validation) ? { validation } : {}) };
  const inSets = Object.entries(lists).flatMap(([field, sets]) =>
    sets.flatMap((spec: SetSpec, i) => [
      ...(isTable(spec.set) ? [named([field, i, 'set'], spec.set)] : []),
      ...(spec.encoder === undefined ? [] : [named([field, i, 'encoder'], spec.encoder)]),
    ]),
  );
  return encoder === undefined ? inSets : [named(['encoder'], encoder), ...inSets];
}

function named(path: (string | number)[], name: string): [(string | number)[], string] {
  return [path, name];
}

function encodersIn(config: TrainingInput['config']): string[] {
  return namesIn(config).flatMap(([path, name]) => (path.at(-1) === 'encoder' ? [name] : []));
}

/** By the job, and by what is trained: another store may have a job of that id. */
function stateName(id: string, config: TrainingInput['config']): string {
  return `${id}-${createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 12)}`;
}

function isCancelled(reason: unknown): boolean {
  return reason instanceof KshotError && reason.code === 'cancelled';
}

/** Before the training, which may take hours. */
async function requireWritable(heads: string): Promise<void> {
  try {
    await mkdir(heads, { recursive: true });
    await access(heads, constants.W_OK);
  } catch (cause) {
    throw new KshotError(
      'invalid_configuration',
      `the folder of heads, ${heads}, cannot be written: name another by --heads (KSHOT_HEADS)`,
      { cause },
    );
  }
}
