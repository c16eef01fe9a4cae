import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { loadEncoder } from '../../../encoder/load.js';
import { isFile, type ModelDirectory, readModelDirectory } from '../../../encoder/modelDirectory.js';
import { createTokenizer } from '../../../encoder/tokenizer.js';
import { KshotError } from '../../../errors.js';
import { writeWhole } from '../../../heads/checkpoint.js';
import { readJson } from '../../datasets/files.js';
import type { Bert, BertShape } from '../bert.js';
import { calibrate } from './calibrate.js';
import { agreementOf, requireAgreement } from './checkEmbeddings.js';
import { WEIGHTS_FILES, type WeightsFileName } from './files.js';
import { type MeasuredFile, modelCard } from './modelCard.js';
import { encodeModel } from './schema.js';

export interface ExportOptions {
  /** The folder that the BERT came from: its `config.json` and tokenizer are copied. */
  readonly from: string;
  /** What the new model goes by. */
  readonly name: string;
  /** What is written: a directory in the transformers.js layout. Files of a former export are replaced. */
  readonly folder: string;
  /** What the ranges of the int8 activations are from, and what the files are checked on: some hundred. */
  readonly texts: readonly string[];
  /**
   * `[n, D]` of unit length: the texts' embeddings by other means, such as the trainer's, that float32 is held to. Long texts
   * are cut as the configuration in `from` has it.
   */
  readonly reference?: Float32Array;
  /** What a number of the reference may be off by; 1e-4 by default. */
  readonly tolerance?: number;
  /** Also writes `model.onnx`. */
  readonly fp32?: boolean;
  /** For the model card: which texts these are, in Markdown. */
  readonly calibratedOn: string;
  /** For the model card: what the model was trained on, paragraphs of Markdown. */
  readonly trainedOn?: string;
  /** For the model card; the name in `from` by default. */
  readonly base?: string;
  /** Told of what is under way, then how much of it is done. */
  readonly progress?: (label: string) => (done: number, total: number) => void;
}

export interface Exported {
  readonly files: readonly MeasuredFile[];
}

const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
const CARD = 'README.md';

/** Texts of one call of the encoder: a step of the progress bar. */
const CHECKED_TOGETHER = 128;

/** Sizes that config.json names, which must be the model's. */
const CONFIG_SIZES: Readonly<Record<string, keyof BertShape>> = {
  num_hidden_layers: 'layers',
  hidden_size: 'width',
  num_attention_heads: 'heads',
  intermediate_size: 'inner',
  vocab_size: 'vocabulary',
  max_position_embeddings: 'positions',
};

/**
 * Writes a BERT as an encoder that `loadEncoder` opens: static int8 for CPUs, 8-bit weights under float16 for GPUs, float32 on
 * request, tokenizer, configuration and model card. What is written is opened and compared with the model in float32 first:
 * the folder gets the files once all have passed, each whole.
 *
 * @throws KshotError `invalid_configuration` for a folder that does not fit the model, a name that is none, and no texts;
 *   `encoder_unavailable` for a folder without a tokenizer, and for embeddings that are off: float32 by more than 1e-4 from
 *   the reference, the others by mean cosines below 0.999 (q8f16) and 0.98 (int8) from float32; `invalid_file` for a model
 *   that gives no finite numbers; the file system's error where the folder cannot be written.
 */
export async function exportEncoder(bert: Bert, options: ExportOptions): Promise<Exported> {
  const { from, name, folder, texts, reference, progress } = options;
  if (name === '' || basename(name) !== name) {
    throw new KshotError('invalid_configuration', `"${name}" is no name of a model: it must not be a path`);
  }
  const model = await readModelDirectory(from);
  const config = await readConfig(from, bert, model);

  const tokenizer = createTokenizer(model.tokenizer, model.tokenizerConfig, model.maxTokens);
  const tokens = texts.map((text) => tokenizer.tokenize(text).ids);
  const { ranges, embeddings } = await calibrate(bert, tokens, progress?.('calibrating'));
  const { width } = bert.shape;
  if (reference !== undefined) {
    requireSize(reference, embeddings);
    const agreement = agreementOf(embeddings, reference, width);
    const { meanCosine, deviation } = WEIGHTS_FILES.fp32;
    requireAgreement('the reference', agreement, { meanCosine, deviation: options.tolerance ?? deviation });
  }

  const staged = `${resolve(folder)}.unfinished`;
  await rm(staged, { recursive: true, force: true });
  try {
    await mkdir(join(staged, 'onnx'), { recursive: true });
    await writeWhole(
      join(staged, 'config.json'),
      `${JSON.stringify({ ...config, _name_or_path: name }, null, 2)}\n`,
    );
    for (const file of TOKENIZER_FILES) {
      const path = join(from, file);
      if (await isFile(path)) await writeWhole(join(staged, file), await readFile(path));
    }
    const files: MeasuredFile[] = [];
    for (const precision of precisionsOf(options)) {
      const { stem, purpose, model: modelOf, ...allowed } = WEIGHTS_FILES[precision];
      const path = pathOf(precision);
      await writeWhole(join(staged, path), encodeModel(modelOf(bert, ranges)));
      const found = await embed(staged, stem, texts, progress?.(`checking ${path}`));
      const agreement = agreementOf(found, embeddings, width);
      requireAgreement(path, agreement, allowed);
      files.push({ path, purpose, bytes: (await stat(join(staged, path))).size, ...agreement });
    }
    const { base = model.name, trainedOn, calibratedOn } = options;
    const { shape } = bert;
    const card = { name, base, trainedOn, calibratedOn, shape, maxTokens: model.maxTokens, files };
    await writeWhole(join(staged, CARD), modelCard(card));
    await moveInto(staged, folder);
    return { files };
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

function precisionsOf({ fp32 = false }: ExportOptions): WeightsFileName[] {
  return (Object.keys(WEIGHTS_FILES) as WeightsFileName[]).filter((name) => name !== 'fp32' || fp32);
}

/** Within a model's folder. */
function pathOf(precision: WeightsFileName): string {
  return `onnx/${WEIGHTS_FILES[precision].stem}.onnx`;
}

async function readConfig(
  from: string,
  { shape }: Bert,
  model: ModelDirectory,
): Promise<Record<string, unknown>> {
  const path = join(from, 'config.json');
  const config = await readJson(path, z.record(z.string(), z.unknown()));
  for (const [key, size] of Object.entries(CONFIG_SIZES)) {
    if (config[key] === shape[size]) continue;
    throw new KshotError(
      'invalid_configuration',
      `${path} has ${key} ${String(config[key])}, the model has ${shape[size]}: they are not of one model`,
    );
  }
  if (model.pooling !== 'mean') {
    throw new KshotError(
      'invalid_configuration',
      `${from} asks for the pooling ${model.pooling}; only mean is exported`,
    );
  }
  return config;
}

function requireSize(reference: Float32Array, embeddings: Float32Array): void {
  if (reference.length === embeddings.length) return;
  throw new KshotError(
    'invalid_configuration',
    `the reference embeddings are ${reference.length} numbers, those of the texts are ${embeddings.length}`,
  );
}

/** Embeddings `[n, D]` as whoever opens the folder gets them. */
async function embed(
  folder: string,
  weights: string,
  texts: readonly string[],
  progress?: (done: number, total: number) => void,
): Promise<Float32Array> {
  const encoder = await loadEncoder({ model: folder, weights, device: 'cpu', cacheBytes: 0 });
  try {
    const embeddings = new Float32Array(texts.length * encoder.dimension);
    for (let from = 0; from < texts.length; from += CHECKED_TOGETHER) {
      const encoded = await encoder.encode(texts.slice(from, from + CHECKED_TOGETHER));
      embeddings.set(encoded.embeddings, from * encoder.dimension);
      progress?.(from + encoded.rows, texts.length);
    }
    return embeddings;
  } finally {
    await encoder.close();
  }
}

/** File by file; the card, which says that the rest is there, comes last. Weights of a former export go. */
async function moveInto(staged: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const weights = (Object.keys(WEIGHTS_FILES) as WeightsFileName[]).map(pathOf);
  for (const file of ['config.json', ...TOKENIZER_FILES, ...weights, CARD]) {
    if (await isFile(join(staged, file))) await rename(join(staged, file), join(folder, file));
    else await rm(join(folder, file), { force: true });
  }
}
