import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KshotError } from '../errors.js';
import { writeWhole } from '../heads/checkpoint.js';
import { decodeSafetensors, encodeSafetensors } from '../heads/safetensors.js';
import type { TrainerState } from './trainer.js';

// A run's folder: `state.json`, and the tensors as safetensors in the file that it names. The JSON is written last, so that
// whoever is killed meanwhile leaves the former state or the new one, whole.

const STATE_FILE = 'state.json';
const TENSORS_FILE = /^state-[0-9a-f]{12}\.safetensors(\.unfinished)?$/;

const proportionSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** What the run is of: another configuration, or another encoder, is another run. */
  identity: z.string(),
  /** Time that was spent on it, in seconds. */
  seconds: z.number().nonnegative(),
  step: z.int().nonnegative(),
  baseline: proportionSchema,
  history: z.array(proportionSchema.extend({ step: z.int(), loss: z.number().nullable() })).min(1),
  recent: z.strictObject({ sum: z.number(), episodes: z.int() }),
  tensors: z.string().regex(TENSORS_FILE),
});

export interface RunState {
  readonly identity: string;
  readonly seconds: number;
  readonly trainer: TrainerState;
}

/**
 * The state of a run that was begun; undefined where none was.
 *
 * @throws KshotError `invalid_file` for files that are damaged, and `invalid_configuration` for a run of something else.
 */
export async function readRunState(folder: string, identity: string): Promise<RunState | undefined> {
  const text = await readFile(join(folder, STATE_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { format: _format, tensors: file, seconds, ...stored } = parseState(text, folder);
  if (stored.identity !== identity) {
    throw new KshotError(
      'invalid_configuration',
      `${folder} holds a training with another configuration, data or encoder: give --restart to begin anew, or another ` +
        'folder with --run',
    );
  }
  const { identity: _identity, ...trainer } = stored;
  const tensors = decodeSafetensors(await readFile(join(folder, file)));
  return { identity, seconds, trainer: { ...trainer, tensors } };
}

/** Writes a state, over a former one. @throws the file system's error where the folder cannot be written. */
export async function writeRunState(folder: string, { identity, seconds, trainer }: RunState): Promise<void> {
  const { tensors, ...rest } = trainer;
  const bytes = encodeSafetensors(tensors);
  const file = `state-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.safetensors`;
  const stored: z.infer<typeof stateSchema> = {
    format: 1,
    identity,
    seconds,
    ...rest,
    history: [...rest.history],
    tensors: file,
  };
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, file), bytes);
  await writeWhole(join(folder, STATE_FILE), `${JSON.stringify(stored, null, 2)}\n`);
  const former = (await readdir(folder)).filter((name) => TENSORS_FILE.test(name) && name !== file);
  await Promise.all(former.map((name) => rm(join(folder, name))));
}

/** Forgets a run; nothing else of the folder is touched. */
export async function removeRunState(folder: string): Promise<void> {
  await rm(join(folder, STATE_FILE), { force: true });
}

function parseState(text: string, folder: string): z.infer<typeof stateSchema> {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KshotError(
      'invalid_file',
      `${join(folder, STATE_FILE)} is no state of a training; give --restart to begin anew`,
      { cause },
    );
  }
}
