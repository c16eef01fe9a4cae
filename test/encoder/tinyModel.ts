import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  write('tokenizer.json', JSON.stringify(tinyTokenizer()));
  if (model.tokenizerConfig !== undefined)
    write('tokenizer_config.json', JSON.stringify(model.tokenizerConfig));
  if (model.poolingConfig !== undefined) write('1_Pooling/config.json', JSON.stringify(model.poolingConfig));
  if (model.modules !== undefined) write('modules.json', JSON.stringify(model.modules));
  return directory;
}

function tinyTokenizer(): object {
  const special = (id: number): object => ({
    id,
    content: TINY_VOCABULARY[id],
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
      type: 'WordLevel',
      unk_token: '[UNK]',
      vocab: Object.fromEntries(TINY_VOCABULARY.map((token, id) => [token, id])),
    },
  };
}

/** The ONNX file, by the field numbers of onnx.proto3: `output = Gather(vectors, input_ids)`. */
function tinyGraph(model: TinyModel): Uint8Array {
  const FLOAT = 1;
  const INT64 = 7;
  const node = (op: string, inputs: readonly string[], outputs: readonly string[]): Uint8Array =>
    message([...inputs.map((i) => text(1, i)), ...outputs.map((o) => text(2, o)), text(4, op)]);
  const tensorType = (name: string, type: number, dims: readonly string[]): Uint8Array => {
    const shape = message(dims.map((dim) => bytes(1, message([text(2, dim)]))));
    return message([
      text(1, name),
      bytes(2, message([bytes(1, message([integer(1, type), bytes(2, shape)]))])),
    ]);
  };
  const table = message([
    integer(1, model.vectors.length),
    integer(1, 2),
    integer(2, FLOAT),
    text(8, 'vectors'),
    bytes(9, new Uint8Array(Float32Array.from(model.vectors.flat()).buffer)),
  ]);
  const quantiser = bytes(1, node('DynamicQuantizeLinear', ['vectors'], ['q', 'scale', 'zero']));
  const graph = message([
    bytes(1, node('Gather', ['vectors', model.inputs[0] ?? ''], [model.output])),
    ...(model.dynamic ? [quantiser] : []),
    text(2, 'tiny'),
    bytes(5, table),
    ...model.inputs.map((name) => bytes(11, tensorType(name, INT64, ['rows', 'length']))),
    bytes(12, tensorType(model.output, FLOAT, ['rows', 'length', 'width'])),
  ]);
  return message([integer(1, 8), bytes(7, graph), bytes(8, message([integer(2, 17)]))]);
}

// Protocol buffers, as far as needed: a field is its number and wire type, then a varint or a length and bytes.
function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}
function integer(field: number, value: number): Uint8Array {
  return Buffer.concat([varint(field << 3), varint(value)]);
}
function bytes(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}
function text(field: number, content: string): Uint8Array {
  return bytes(field, Buffer.from(content));
}
function varint(value: number): Uint8Array {
  const digits: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...digits, rest]);
    digits.push((rest & 0x7f) | 0x80);
  }
}
