import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../../src/statistics/random.js';
import {
  type Bert,
  type BertShape,
  parameterShapes,
  writeBertWeights,
} from '../../../src/learn/transformer/bert.js';
import { tinyTokenizer } from '../../encoder/tinyModel.js';

/** The words of a tiny BERT's tokenizer: special tokens, then `w4`, `w5` and so on. Texts are cut at blanks. */
export function tinyVocabulary(size: number): string[] {
  return Array.from({ length: size }, (_, id) => ['[PAD]', '[CLS]', '[SEP]', '[UNK]'][id] ?? `w${id}`);
}

const SHAPE: BertShape = {
  layers: 3,
  width: 32,
  heads: 4,
  inner: 64,
  vocabulary: 40,
  positions: 24,
  tokenTypes: 2,
  epsilon: 1e-12,
};

/** A BERT of random parameters, of sizes like those of a trained one: states differ, attention prefers. */
export function tinyBert(seed: number, changes: Partial<BertShape> = {}): Bert {
  const shape = { ...SHAPE, ...changes };
  const random = new Random(seed);
  const tensors = [...parameterShapes(shape)].map(([name, dims]) => {
    const draws = random.split(name);
    const { centre, spread } = distributionOf(name, dims);
    const size = dims.reduce((product, n) => product * n, 1);
    const data = Float32Array.from({ length: size }, () => centre + spread * (2 * draws.next() - 1));
    return [name, { shape: dims, data }] as const;
  });
  return { shape, tensors: new Map(tensors) };
}

function distributionOf(name: string, dims: readonly number[]): { centre: number; spread: number } {
  if (name.endsWith('LayerNorm.weight')) return { centre: 1, spread: 0.3 };
  if (dims.length === 1) return { centre: 0, spread: 0.2 };
  if (name.startsWith('embeddings.')) return { centre: 0, spread: 0.5 };
  const attends = /self\.(query|key)/.test(name);
  return { centre: 0, spread: (attends ? 4 : 2) / Math.sqrt(dims[1]!) };
}

/**
 * Writes a tiny BERT as it would be published: config.json, tokenizer.json, tokenizer_config.json, model.safetensors (F32).
 *
 * @param folder is made if need be.
 * @returns the BERT.
 */
export async function writeTinyBert(
  folder: string,
  seed: number,
  changes: Partial<BertShape> = {},
): Promise<Bert> {
  const bert = tinyBert(seed, changes);
  const { shape } = bert;
  mkdirSync(folder, { recursive: true });
  const write = (file: string, content: object) => writeFileSync(join(folder, file), JSON.stringify(content));
  write('config.json', {
    _name_or_path: 'tiny-bert',
    model_type: 'bert',
    hidden_act: 'gelu',
    num_hidden_layers: shape.layers,
    hidden_size: shape.width,
    num_attention_heads: shape.heads,
    intermediate_size: shape.inner,
    vocab_size: shape.vocabulary,
    max_position_embeddings: shape.positions,
    type_vocab_size: shape.tokenTypes,
    layer_norm_eps: shape.epsilon,
    pad_token_id: 0,
  });
  write('tokenizer.json', tinyTokenizer(tinyVocabulary(shape.vocabulary)));
  write('tokenizer_config.json', { pad_token: '[PAD]', model_max_length: shape.positions });
  await writeBertWeights(folder, bert, 'F32');
  return bert;
}

/** Texts of the tokenizer's words: 1 to `longest` of them. */
export function tinyTexts(
  seed: number,
  n: number,
  { vocabulary = SHAPE.vocabulary, longest = 12 } = {},
): string[] {
  const random = new Random(seed);
  const word = () => `w${random.between(4, vocabulary - 1)}`;
  return Array.from({ length: n }, () => Array.from({ length: random.between(1, longest) }, word).join(' '));
}
