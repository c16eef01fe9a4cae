import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { numpy as np, random, tree } from '@jax-js/jax';
import { z } from 'zod';
import { KshotError } from '../errors.js';
import type { Params } from './head.js';
import { decodeSafetensors, type Dtype, encodeSafetensors, type Tensor } from './safetensors.js';
import { createTrainedHead } from './trained.js';
import type { TrainedHead } from './trainedHead.js';

// A checkpoint is a directory: `metadata.json`, and the parameters as safetensors in the file that it names.

const METADATA_FILE = 'metadata.json';
const WEIGHTS_FILE = /^weights-[0-9a-f]{12}\.safetensors$/;

/** Weights of former checkpoints, and what a killed process left unfinished. */
const FORMER_FILE = /^weights-[0-9a-f]{12}\.safetensors(\.unfinished)?$/;

const metadataSchema = z.strictObject({
  format: z.literal(1),
  /** Name among the trained heads, and the options that it was built with. */
  head: z.string(),
  options: z.record(z.string(), z.union([z.number(), z.boolean()])),
  /** D of the embeddings. */
  dimension: z.int().positive(),
  /** Fingerprint of the encoder that made the embeddings. */
  encoder: z.string(),
  /** What it was trained on: data sets and splits. */
  data: z.array(z.string()),
  seed: z.int(),
  /** Episodes trained on. */
  episodes: z.int().nonnegative(),
  /** What was measured of it. */
  results: z.record(z.string(), z.json()),
  weights: z.strictObject({ file: z.string().regex(WEIGHTS_FILE), sha256: z.string() }),
});

type StoredMetadata = z.infer<typeof metadataSchema>;

/** What there is to know about a checkpoint besides its parameters. */
export type CheckpointMetadata = Omit<StoredMetadata, 'format' | 'weights'>;

export interface Checkpoint {
  readonly head: TrainedHead;
  readonly params: Params;
  readonly metadata: CheckpointMetadata;
}

/** A checkpoint whose parameters are outside of jax-js: they cost nothing there, and go from thread to thread as they are. */
export interface StoredCheckpoint {
  readonly head: TrainedHead;
  /** The parameters by their paths, `relation.weight`; just the head's. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: CheckpointMetadata;
  /** Of the weights: tells one training from another. */
  readonly sha256: string;
}

/**
 * Writes a checkpoint, over a former one if there is one. Killed at any moment, it leaves the former or the new one whole:
 * the new metadata, which names the weights, comes last.
 *
 * @param params consumed.
 * @param dtype BF16 takes half the room of F32, and keeps three digits of the parameters.
 * @throws the file system's error where the directory cannot be written.
 */
export async function saveCheckpoint(
  directory: string,
  params: Params,
  metadata: CheckpointMetadata,
  dtype?: Dtype,
): Promise<void> {
  const tensors = new Map<string, Tensor>();
  for (const [name, array] of namedLeaves(params)) {
    const shape = array.shape;
    tensors.set(name, { shape, data: array.dataSync() as Float32Array });
  }
  const weights = encodeSafetensors(tensors, dtype);
  const sha256 = digest(weights);
  const file = `weights-${sha256.slice(0, 12)}.safetensors`;
  const stored: StoredMetadata = { format: 1, ...metadata, weights: { file, sha256 } };

  await mkdir(directory, { recursive: true });
  await writeWhole(join(directory, file), weights);
  await writeWhole(join(directory, METADATA_FILE), `${JSON.stringify(stored, null, 2)}\n`);
  const former = (await readdir(directory)).filter((name) => FORMER_FILE.test(name) && name !== file);
  await Promise.all(former.map((name) => rm(join(directory, name))));
}

/**
 * A checkpoint's metadata alone.
 *
 * @throws KshotError `invalid_file` where there is none or it is not as it should be.
 */
export async function readCheckpointMetadata(directory: string): Promise<CheckpointMetadata> {
  const { format: _format, weights: _weights, ...metadata } = await readStored(directory);
  return metadata;
}

/**
 * Reads a checkpoint: the head that it was made for, and its parameters.
 *
 * @param expected what it must have been made for: the encoder, and a head unless any will do.
 * @throws KshotError as `readCheckpoint`.
 */
export async function loadCheckpoint(
  directory: string,
  expected: { readonly encoder: string; readonly head?: string },
): Promise<Checkpoint> {
  const { head, tensors, metadata } = await readCheckpoint(directory, expected);
  return { head, params: toParams(head, metadata.dimension, tensors), metadata };
}

/**
 * Reads a checkpoint and checks that it holds just the parameters of the head that it was made for.
 *
 * @param expected what it must have been made for: the encoder, and a head unless any will do.
 * @throws KshotError `invalid_configuration` where it was made for another head or encoder, or for a head that is not
 *   known; `invalid_file` where files are missing or damaged, or do not hold just the head's parameters.
 */
export async function readCheckpoint(
  directory: string,
  expected: { readonly encoder: string; readonly head?: string },
): Promise<StoredCheckpoint> {
  const { format: _format, weights, ...metadata } = await readStored(directory);
  if (expected.head !== undefined && metadata.head !== expected.head) {
    throw new KshotError(
      'invalid_configuration',
      `The checkpoint ${directory} is of the head ${metadata.head}, not ${expected.head}.`,
    );
  }
  if (metadata.encoder !== expected.encoder) {
    throw new KshotError(
      'invalid_configuration',
      `The checkpoint ${directory} was trained on embeddings of the encoder ${metadata.encoder} and is of no use with ` +
        `${expected.encoder}: train the head again, or serve it with its encoder.`,
    );
  }
  const head = createTrainedHead(metadata.head, metadata.options);
  const bytes = await readFileOf(directory, weights.file);
  if (digest(bytes) !== weights.sha256) {
    throw new KshotError(
      'invalid_file',
      `${join(directory, weights.file)} is damaged: its SHA-256 is another.`,
    );
  }
  const tensors = decodeSafetensors(bytes);
  const template = head.init(random.key(0), metadata.dimension);
  try {
    check(template, tensors, directory);
  } finally {
    tree.dispose(template);
  }
  return { head, tensors, metadata, sha256: weights.sha256 };
}

/** A head's parameters inside of jax-js; the tensors are those of a `StoredCheckpoint` of that head. */
export function toParams(head: TrainedHead, dimension: number, tensors: ReadonlyMap<string, Tensor>): Params {
  const template = head.init(random.key(0), dimension);
  try {
    return toTree(template, tensors);
  } finally {
    tree.dispose(template);
  }
}

/** Tensors inside of jax-js, as a tree like the template, which has a tensor for each of its paths; not consumed. */
export function toTree(template: Params, tensors: ReadonlyMap<string, Tensor>): Params {
  return mapNamed(template, (name) => {
    const { shape, data } = tensors.get(name)!;
    return np.array(data.slice(), { shape: [...shape] });
  });
}

/** @throws KshotError `invalid_file` where the tensors are not just those of the template, by name and shape, or not finite. */
function check(template: Params, tensors: ReadonlyMap<string, Tensor>, directory: string): void {
  const expected = new Map(namedLeaves(template));
  const problems = [
    ...[...expected].flatMap(([name, { shape }]) => {
      const tensor = tensors.get(name);
      if (tensor === undefined) return [`"${name}" is missing`];
      if (tensor.shape.join() !== shape.join()) {
        return [`"${name}" has the shape [${tensor.shape.join()}] where [${shape.join()}] is expected`];
      }
      return allFinite(tensor.data) ? [] : [`"${name}" holds what is no finite number`];
    }),
    ...[...tensors.keys()]
      .filter((name) => !expected.has(name))
      .map((name) => `"${name}" is none of the head's`),
  ];
  if (problems.length > 0) {
    throw new KshotError(
      'invalid_file',
      `The weights in ${directory} are not the head's parameters: ${problems.join('; ')}.`,
    );
  }
}

/** By index: `data.every(Number.isFinite)` takes nine times as long, and a server reads millions of numbers as it starts. */
function allFinite(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** The arrays of a tree, each by its path: `relation.weight`. */
export function namedLeaves(params: Params): [string, np.Array][] {
  const leaves: [string, np.Array][] = [];
  mapNamed(params, (name, array) => {
    leaves.push([name, array]);
    return array;
  });
  return leaves;
}

function mapNamed(params: Params, f: (name: string, array: np.Array) => np.Array, path = ''): Params {
  if (params instanceof np.Array) return f(path, params);
  const join = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (Array.isArray(params)) return params.map((child, i) => mapNamed(child, f, join(String(i))));
  return Object.fromEntries(
    Object.entries(params).map(([key, child]) => [key, mapNamed(child, f, join(key))]),
  );
}

async function readStored(directory: string): Promise<StoredMetadata> {
  const text = Buffer.from(await readFileOf(directory, METADATA_FILE)).toString('utf8');
  try {
    return metadataSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is no JSON';
    const path = join(directory, METADATA_FILE);
    throw new KshotError('invalid_file', `${path} does not describe a checkpoint: ${reason}`, { cause });
  }
}

async function readFileOf(directory: string, file: string): Promise<Uint8Array> {
  const path = join(directory, file);
  try {
    return await readFile(path);
  } catch (cause) {
    throw new KshotError('invalid_file', `The checkpoint's file ${path} cannot be read.`, { cause });
  }
}

/** A file that is there whole or not at all, whatever happens meanwhile. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  const handle = await open(unfinished, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, path);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
