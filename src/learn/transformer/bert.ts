import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KshotError } from '../../errors.js';
import { writeWhole } from '../../heads/checkpoint.js';
import { decodeSafetensors, type Dtype, encodeSafetensors, type Tensor } from '../../heads/safetensors.js';
import { invalid } from '../datasets/files.js';

/*
 * A BERT encoder (Devlin et al. 2019) as its parameters, in the layout that it is published in: `config.json`, and the tensors
 * by the names of Hugging Face's `BertModel` in `model.safetensors`.
 */

/** Sizes of the transformer. */
export interface BertShape {
  readonly layers: number;
  /** D. */
  readonly width: number;
  readonly heads: number;
  /** F, width of the feed-forward network. */
  readonly inner: number;
  readonly vocabulary: number;
  /** Longest input in tokens. */
  readonly positions: number;
  readonly tokenTypes: number;
  /** Of layer normalisation. */
  readonly epsilon: number;
}

export interface Bert {
  readonly shape: BertShape;
  /** By name, just those of `parameterShapes`. Weights lie [outputs, inputs]. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

const configSchema = z.looseObject({
  model_type: z.literal('bert'),
  hidden_act: z.literal('gelu'),
  position_embedding_type: z.literal('absolute').default('absolute'),
  num_hidden_layers: z.int().positive(),
  hidden_size: z.int().positive(),
  num_attention_heads: z.int().positive(),
  intermediate_size: z.int().positive(),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  type_vocab_size: z.int().positive(),
  layer_norm_eps: z.number().positive(),
});

/** The weights' files, the first that is there. */
const WEIGHTS = ['model.safetensors', 'model_fp16.safetensors'] as const;

/** The names of layer i's parameters begin so. */
export function layerPrefix(layer: number): string {
  return `encoder.layer.${layer}.`;
}

/**
 * The parts of a layer, by the names that a checkpoint has behind the layer's prefix, with the axes of their weights: D is the
 * width, F that of the feed-forward network. A bias has the first of them; a normalisation has one axis.
 */
export const LAYER_PARTS = {
  query: { name: 'attention.self.query', axes: 'DD' },
  key: { name: 'attention.self.key', axes: 'DD' },
  value: { name: 'attention.self.value', axes: 'DD' },
  context: { name: 'attention.output.dense', axes: 'DD' },
  contextNorm: { name: 'attention.output.LayerNorm', axes: 'D' },
  inner: { name: 'intermediate.dense', axes: 'FD' },
  outer: { name: 'output.dense', axes: 'DF' },
  outerNorm: { name: 'output.LayerNorm', axes: 'D' },
} as const;

export type LayerPart = keyof typeof LAYER_PARTS;

/** The shape of a part's weight. */
export function partShape({ width, inner }: BertShape, part: LayerPart): number[] {
  return [...LAYER_PARTS[part].axes].map((axis) => (axis === 'D' ? width : inner));
}

/** Names and shapes of a BERT's parameters: embeddings, then layer by layer. */
export function parameterShapes(shape: BertShape): ReadonlyMap<string, readonly number[]> {
  const { layers, width, vocabulary, positions, tokenTypes } = shape;
  const ofLayer = (Object.keys(LAYER_PARTS) as LayerPart[]).flatMap((part) => {
    const dims = partShape(shape, part);
    const { name } = LAYER_PARTS[part];
    return [
      [`${name}.weight`, dims],
      [`${name}.bias`, dims.slice(0, 1)],
    ] as const;
  });
  return new Map([
    ['embeddings.word_embeddings.weight', [vocabulary, width]],
    ['embeddings.position_embeddings.weight', [positions, width]],
    ['embeddings.token_type_embeddings.weight', [tokenTypes, width]],
    ['embeddings.LayerNorm.weight', [width]],
    ['embeddings.LayerNorm.bias', [width]],
    ...Array.from({ length: layers }, (_, layer) =>
      ofLayer.map(([name, dims]) => [layerPrefix(layer) + name, dims] as const),
    ).flat(),
  ]);
}

/**
 * Reads a BERT.
 *
 * @param folder with `config.json`, and `model.safetensors` or `model_fp16.safetensors` in F32, F16 or BF16.
 * @throws KshotError `invalid_file` for files that are missing or damaged, and for a model that is no BERT as here.
 */
export async function readBert(folder: string): Promise<Bert> {
  const shape = await readShape(folder);
  const { path, bytes } = await readWeights(folder);
  const expected = parameterShapes(shape);
  const stored = decodeSafetensors(bytes, (name) => expected.has(withoutModel(name)));
  const tensors = new Map([...stored].map(([name, tensor]) => [withoutModel(name), tensor]));
  for (const [name, dims] of expected) {
    const tensor = tensors.get(name);
    if (tensor?.shape.join() === dims.join()) continue;
    const found = tensor === undefined ? 'is missing' : `has the shape [${tensor.shape.join(', ')}]`;
    throw invalid(path, `the parameter ${name} ${found}, where config.json wants [${dims.join(', ')}]`);
  }
  return { shape, tensors };
}

/** Writes the weights alone, as `model.safetensors`, whole or not at all. */
export async function writeBertWeights(folder: string, { tensors }: Bert, dtype: Dtype): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, WEIGHTS[0]), encodeSafetensors(tensors, dtype));
}

async function readShape(folder: string): Promise<BertShape> {
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KshotError('invalid_file', `${path} cannot be read`, { cause });
  });
  const outcome = configSchema.safeParse(parseJson(text, path));
  if (!outcome.success) {
    throw invalid(path, `it is of no BERT that can be trained: ${z.prettifyError(outcome.error)}`);
  }
  const config = outcome.data;
  return {
    layers: config.num_hidden_layers,
    width: config.hidden_size,
    heads: config.num_attention_heads,
    inner: config.intermediate_size,
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: config.type_vocab_size,
    epsilon: config.layer_norm_eps,
  };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KshotError('invalid_file', `${path} is no JSON`, { cause });
  }
}

async function readWeights(folder: string): Promise<{ path: string; bytes: Uint8Array }> {
  for (const file of WEIGHTS) {
    const path = join(folder, file);
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes !== undefined) return { path, bytes };
  }
  throw invalid(folder, `there is no ${WEIGHTS.join(' or ')} in it; ONNX files alone cannot be trained`);
}

/** Checkpoints of models with a head over the BERT have its name before the parameters'. */
function withoutModel(name: string): string {
  return name.startsWith('bert.') ? name.slice('bert.'.length) : name;
}
