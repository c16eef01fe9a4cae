import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../src/learn/transformer/onnx/graphBuilder.js';
import { encodeModel } from '../../src/learn/transformer/onnx/schema.js';

/**
 * A model small enough to compute by hand, as a directory in the transformers.js layout: a token's state is its row
 * of `vectors`, whatever stands beside it.
 */
export interface TinyModel {
  /** `[vocabulary, 2]`; the vocabulary is `TINY_VOCABULARY`. */
  readonly vectors: readonly (readonly [number, number])[];
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whether a DynamicQuantizeLinear is in the graph. */
  readonly dynamic: boolean;
  /** Stem of the weights' file. */
  readonly weights: string;
  readonly poolingConfig?: object;
  readonly modules?: object;
  readonly config: object;
  readonly tokenizerConfig?: object;
}

/** Texts are cut at blanks; anything else is [UNK]. */
export const TINY_VOCABULARY = ['[PAD]', '[CLS]', '[SEP]', '[UNK]', 'east', 'north', 'nowhere', 'west'];

const DEFAULTS: TinyModel = {
  // [CLS] and [SEP] cancel each other out of a mean, "nowhere" has no direction.
  vectors: [
    [9, 9],
    [0, -3],
    [0, 3],
    [1, 1],
    [1, 0],
    [0, 1],
    [0, 0],
    [-1, 0],
  ],
  inputs: ['input_ids', 'attention_mask'],
  output: 'last_hidden_state',
  dynamic: false,
  weights: 'model',
  config: { model_type: 'bert', max_position_embeddings: 8 },
};

/** @returns the directory, a new one under the system's for temporary files. */
export function writeTinyModel(changes: Partial<TinyModel> = {}): string {
  const model = { ...DEFAULTS, ...changes };
  const directory = mkdtempSync(join(tmpdir(), 'kshot-tiny-'));
  const write = (file: string, content: string | Uint8Array): void => {
    mkdirSync(join(directory, file, '..'), { recursive: true });
    writeFileSync(join(directory, file), content);
  };
  write(`onnx/${model.weights}.onnx`, tinyGraph(model));
  write('config.json', JSON.stringify(model.config));
  write('tokenizer.json', JSON.stringify(tinyTokenizer(TINY_VOCABULARY)));
  if (model.tokenizerConfig !== undefined)
    write('tokenizer_config.json', JSON.stringify(model.tokenizerConfig));
  if (model.poolingConfig !== undefined) write('1_Pooling/config.json', JSON.stringify(model.poolingConfig));
  if (model.modules !== undefined) write('modules.json', JSON.stringify(model.modules));
  return directory;
}

/**
 * The contents of a `tokenizer.json` that cuts texts at blanks.
 *
 * @param vocabulary begins with [PAD], [CLS], [SEP], [UNK].
 */
export function tinyTokenizer(vocabulary: readonly string[]): object {
  const special = (id: number): object => ({
    id,
    content: vocabulary[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  return {
    version: '1.0',
    truncation: null,
    padding: { strategy: { Fixed: 128 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
    added_tokens: [0, 1, 2, 3].map(special),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] },
      },
    },
    decoder: null,
    model: {
      type: 'WordPiece', // the library's WordLevel gives unknown words no id
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  };
}

/** The ONNX file: `output = Gather(vectors, input_ids)`. */
function tinyGraph(model: TinyModel): Uint8Array {
  const graph = new GraphBuilder();
  const values = Float32Array.from(model.vectors.flat());
  const vectors = graph.constant('vectors', 'float32', [model.vectors.length, 2], values);
  for (const name of model.inputs) graph.input(name, 'int64', ['rows', 'length']);
  graph.node('Gather', [vectors, model.inputs[0] ?? ''], model.output);
  if (model.dynamic) graph.node('DynamicQuantizeLinear', [vectors], ['q', 'scale', 'zero']);
  graph.output(model.output, 'float32', ['rows', 'length', 'width']);
  return encodeModel(graph.model('tiny'));
}
