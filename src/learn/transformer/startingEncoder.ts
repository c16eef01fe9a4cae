import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readModelDirectory } from '../../encoder/modelDirectory.js';
import { createTokenizer, type TextTokenizer } from '../../encoder/tokenizer.js';
import { KshotError } from '../../errors.js';
import { writeWhole } from '../../heads/checkpoint.js';
import { type Bert, readBert } from './bert.js';
import { encoderModel } from './onnx/bertGraph.js';
import { WEIGHTS_FILES } from './onnx/files.js';
import { fp32 } from './onnx/floatingPoint.js';
import { encodeModel } from './onnx/schema.js';

/** An encoder whose upper layers are to learn, as it is before. */
export interface StartingEncoder {
  readonly bert: Bert;
  /** The folder that it was read from. */
  readonly from: string;
  readonly name: string;
  /** A folder that `loadEncoder` opens: float32, texts cut where the training cuts them. */
  readonly folder: string;
  /** Cuts texts at the training's limit. */
  readonly tokenizer: TextTokenizer;
}

/**
 * Reads a BERT that is to be trained and writes it as an encoder, which embeds the data before anything is learned.
 *
 * @param from with config.json, tokenizer.json and model.safetensors.
 * @param folder is written.
 * @param maxTokens that texts are cut at; the model's own limit, if that is less.
 * @throws KshotError `invalid_configuration` for one that does not take the mean; what `readBert` and `readModelDirectory` throw,
 *   and the file system's errors.
 */
export async function startingEncoder(
  from: string,
  folder: string,
  maxTokens: number,
): Promise<StartingEncoder> {
  const bert = await readBert(from);
  const model = await readModelDirectory(from);
  if (model.pooling !== 'mean') {
    throw new KshotError(
      'invalid_configuration',
      `${from} asks for the pooling ${model.pooling}; only an encoder that takes the mean can be trained`,
    );
  }
  const limit = Math.min(maxTokens, model.maxTokens);
  const { name, tokenizer, tokenizerText, tokenizerConfig } = model;
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const config = { model_type: 'bert', max_position_embeddings: bert.shape.positions, _name_or_path: name };
  await writeWhole(join(folder, 'config.json'), JSON.stringify(config));
  await writeWhole(join(folder, 'tokenizer.json'), tokenizerText);
  const forTokenizer = { ...tokenizerConfig, model_max_length: limit };
  await writeWhole(join(folder, 'tokenizer_config.json'), JSON.stringify(forTokenizer));
  const weights = join(folder, 'onnx', `${WEIGHTS_FILES.fp32.stem}.onnx`);
  await writeWhole(weights, encodeModel(encoderModel(bert, fp32)));
  return { bert, from, name, folder, tokenizer: createTokenizer(tokenizer, tokenizerConfig, limit) };
}
