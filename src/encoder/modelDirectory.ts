import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { KshotError } from '../errors.js';
import type { Device } from './device.js';
import type { Pooling } from './pooling.js';

/** What a directory in the transformers.js layout says about its model, the weights apart. */
export interface ModelDirectory {
  readonly directory: string;
  readonly name: string;
  /** The contents of tokenizer.json: as text for the fingerprint, and parsed. */
  readonly tokenizerText: string;
  readonly tokenizer: object;
  readonly tokenizerConfig: { readonly pad_token?: unknown };
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  readonly pooling: Pooling;
}

/** Stems of weights' files by what suits the device, best first. */
export const WEIGHTS_BY_DEVICE: Readonly<Record<Device, readonly string[]>> = {
  cpu: ['model_quantized', 'model_int8', 'model', 'model_fp16'],
  cuda: ['model_q8f16', 'model_fp16', 'model'],
  webgpu: ['model_q8f16', 'model_fp16', 'model'],
};

/** Files besides the weights. Of the optional ones the encoder can do without. */
export const REQUIRED_FILES = ['config.json', 'tokenizer.json'] as const;
export const OPTIONAL_FILES = ['tokenizer_config.json', 'modules.json', '1_Pooling/config.json'] as const;

/** Token limit of models that declare none. */
const DEFAULT_MAX_TOKENS = 512;
/** Tokenizers without a limit declare 1e30. */
const LARGEST_SANE_LIMIT = 1_000_000;
/** Families whose positions start behind the padding id, so that fewer of them are left for tokens. */
const OFFSET_POSITIONS = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet']);

const modelConfig = z.looseObject({
  _name_or_path: z.string().optional(),
  model_type: z.string().optional(),
  max_position_embeddings: z.number().int().positive().optional(),
  pad_token_id: z.number().int().nullish(),
});
const tokenizerConfig = z.looseObject({
  model_max_length: z.number().positive().nullish(),
  pad_token: z.unknown().optional(),
});
const poolingConfig = z.record(z.string(), z.unknown());
const modules = z.array(z.looseObject({ type: z.string() }));

/**
 * Reads the configuration and the tokenizer of a model.
 *
 * @param name what the model goes by; absent, its configuration's name, else the directory's.
 * @throws KshotError `encoder_unavailable`, naming the file that is missing or wrong.
 */
export async function readModelDirectory(directory: string, name?: string): Promise<ModelDirectory> {
  const config = await readJson(join(directory, 'config.json'), modelConfig, 'required');
  const tokenizerFile = await readRequired(join(directory, 'tokenizer.json'));
  const tokenizer = parseJson(tokenizerFile.path, tokenizerFile.text, z.looseObject({}));
  const forTokenizer = await readJson(join(directory, 'tokenizer_config.json'), tokenizerConfig, 'optional');
  return {
    directory,
    name: name ?? (basename(config._name_or_path ?? '') || basename(resolve(directory))),
    tokenizerText: tokenizerFile.text,
    tokenizer,
    tokenizerConfig: forTokenizer ?? {},
    maxTokens: maxTokens(config, forTokenizer?.model_max_length ?? undefined),
    pooling: await readPooling(directory),
  };
}

/**
 * The weights' file for a device, in `onnx/` or in the directory itself.
 *
 * @param stem the file's name without `.onnx`; absent, it is chosen by device.
 * @throws KshotError `encoder_unavailable`, saying what is there.
 */
export async function findWeights(directory: string, device: Device, stem?: string): Promise<string> {
  const stems = stem === undefined ? WEIGHTS_BY_DEVICE[device] : [stem];
  for (const candidate of stems) {
    for (const folder of ['onnx', '.']) {
      const path = join(directory, folder, `${candidate}.onnx`);
      if (await isFile(path)) return path;
    }
  }
  const present = [...(await onnxFiles(join(directory, 'onnx'))), ...(await onnxFiles(directory))];
  const found = present.length === 0 ? 'there is no .onnx file' : `there is only ${present.join(', ')}`;
  throw new KshotError(
    'encoder_unavailable',
    `${directory} has no weights for device "${device}": looked for ${stems.join('.onnx, ')}.onnx in onnx/, ${found}. ` +
      'Add one, or name one with "weights"',
  );
}

export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

function maxTokens(config: z.infer<typeof modelConfig>, declared: number | undefined): number {
  const offset = OFFSET_POSITIONS.has(config.model_type ?? '') ? (config.pad_token_id ?? 0) + 1 : 0;
  const positions = config.max_position_embeddings;
  const limits = [
    positions === undefined ? Infinity : positions - offset,
    declared === undefined || declared > LARGEST_SANE_LIMIT ? Infinity : Math.floor(declared),
  ];
  const limit = Math.min(...limits);
  return Number.isFinite(limit) ? limit : DEFAULT_MAX_TOKENS;
}

/** As sentence-transformers writes it; mean where nothing is said. */
async function readPooling(directory: string): Promise<Pooling> {
  const chain = await readJson(join(directory, 'modules.json'), modules, 'optional');
  const path = join(directory, '1_Pooling', 'config.json');
  const config = (await readJson(path, poolingConfig, 'optional')) ?? { pooling_mode_mean_tokens: true };
  const modes = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true);
  // Newer releases write one name instead of a flag a mode.
  const mode = typeof config['pooling_mode'] === 'string' ? config['pooling_mode'] : modes.join(' + ');
  const dense = chain?.some(({ type }) => type.endsWith('.Dense')) === true;
  if (!dense && (mode === 'pooling_mode_mean_tokens' || mode === 'mean')) return 'mean';
  if (!dense && (mode === 'pooling_mode_cls_token' || mode === 'cls')) return 'cls';
  throw new KshotError(
    'encoder_unavailable',
    dense
      ? `${directory}/modules.json has a dense layer after the pooling, which is not supported`
      : `${path} asks for the pooling ${mode || '(none)'}; supported are mean and cls`,
  );
}

async function onnxFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch(() => []);
  return entries.filter((entry) => entry.endsWith('.onnx'));
}

function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  need: 'required',
): Promise<z.infer<Schema>>;
function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  need: 'optional',
): Promise<z.infer<Schema> | undefined>;
async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  need: 'required' | 'optional',
): Promise<z.infer<Schema> | undefined> {
  if (need === 'optional' && !(await isFile(path))) return undefined;
  return parseJson(path, (await readRequired(path)).text, schema);
}

async function readRequired(path: string): Promise<{ path: string; text: string }> {
  try {
    return { path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw new KshotError(
      'encoder_unavailable',
      `${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)}). A model directory has ` +
        'config.json, tokenizer.json and onnx/*.onnx',
      { cause },
    );
  }
}

function parseJson<Schema extends z.ZodType>(path: string, text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new KshotError('encoder_unavailable', `${path} is damaged: ${reason}. Restore it`, { cause });
  }
}
