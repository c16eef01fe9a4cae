import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numpy as np, random, tree } from '@jax-js/jax';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type CheckpointMetadata,
  loadCheckpoint,
  readCheckpointMetadata,
  saveCheckpoint,
} from '../../src/heads/checkpoint.js';
import type { Params } from '../../src/heads/head.js';
import { initHeads } from '../../src/heads/runtime.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../src/heads/safetensors.js';
import { createTrainedHead } from '../../src/heads/trained.js';
import { a, moved, values } from './arrays.js';

const ENCODER = '0123456789abcdef';
const METADATA: CheckpointMetadata = {
  head: 'induction',
  options: { slices: 3, width: 4 },
  dimension: 6,
  encoder: ENCODER,
  data: ['fewrel/train_wiki'],
  seed: 7,
  episodes: 1200,
  results: { validation: { '5w5s': 0.9, interval: [0.89, 0.91] } },
};

let directory: string;

beforeAll(initHeads);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kshot-checkpoint-'));
});
afterEach(() => rm(directory, { recursive: true }));

function params(seed = 0): Params {
  const { head, options, dimension } = METADATA;
  return moved(createTrainedHead(head, options).init(random.key(seed), dimension), 1, seed + 20);
}

const leaves = (tree_: Params) => tree.leaves<np.Array>(tree_).map((x) => [x.shape, values(x)]);

async function refusal(loading: Promise<unknown>, code: string, message: string | RegExp): Promise<void> {
  await expect(loading).rejects.toMatchObject({
    name: 'KshotError',
    code,
    message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  });
}

describe('a checkpoint', () => {
  test('comes back as it was saved, with the head that it was made for', async () => {
    await saveCheckpoint(directory, params(), METADATA);
    const loaded = await loadCheckpoint(directory, { encoder: ENCODER, head: 'induction' });
    expect(loaded.metadata).toEqual(METADATA);
    expect(loaded.head.name).toBe('induction');
    expect(loaded.head.options).toEqual({ slices: 3, width: 4, iterations: 3 });
    expect(Object.keys(loaded.params)).toEqual(['transform', 'tensor', 'relation']);
    expect(leaves(loaded.params)).toEqual(leaves(params()));
    expect(await readCheckpointMetadata(directory)).toEqual(METADATA);
  });

  test('the parameters are consumed', async () => {
    const given = params();
    await saveCheckpoint(directory, given, METADATA);
    expect(tree.leaves<np.Array>(given).map((x) => x.refCount)).toEqual([0, 0, 0, 0, 0]);
  });

  test('a head with an optional parameter has it where its options say so', async () => {
    const options = { memory: 3, capsules: 2, residual: true };
    const start = createTrainedHead('dmin', options).init(random.key(1), 4);
    await saveCheckpoint(directory, start, { ...METADATA, head: 'dmin', options, dimension: 4 });
    const { params: loaded } = await loadCheckpoint(directory, { encoder: ENCODER });
    expect(loaded).toHaveProperty('gate');
  });

  test('saved again it is replaced, and nothing is left of the former', async () => {
    await saveCheckpoint(directory, params(), METADATA);
    await writeFile(join(directory, 'weights-0123456789ab.safetensors.unfinished'), 'killed here');
    await saveCheckpoint(directory, params(3), { ...METADATA, episodes: 2400 });
    const loaded = await loadCheckpoint(directory, { encoder: ENCODER });
    expect(leaves(loaded.params)).toEqual(leaves(params(3)));
    expect(loaded.metadata.episodes).toBe(2400);
    expect((await readdir(directory)).sort()).toEqual([
      'metadata.json',
      expect.stringMatching(/^weights-[0-9a-f]{12}\.safetensors$/),
    ]);
  });

  test('killed before its metadata is written, the former is whole', async () => {
    await saveCheckpoint(directory, params(), METADATA);
    await writeFile(join(directory, 'weights-0123456789ab.safetensors'), 'the new weights');
    await writeFile(join(directory, 'metadata.json.unfinished'), '{');
    const loaded = await loadCheckpoint(directory, { encoder: ENCODER });
    expect(leaves(loaded.params)).toEqual(leaves(params()));
  });
});

describe('is refused', () => {
  beforeEach(() => saveCheckpoint(directory, params(), METADATA));

  async function editMetadata(change: (metadata: Record<string, unknown>) => void): Promise<void> {
    const path = join(directory, 'metadata.json');
    const metadata = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    change(metadata);
    await writeFile(path, JSON.stringify(metadata));
  }

  /** Saves tensors of other names or shapes as the head's. */
  const saveOther = (other: Params) => saveCheckpoint(directory, other, METADATA);
  const load = (head?: string) => loadCheckpoint(directory, { encoder: ENCODER, ...(head ? { head } : {}) });

  test('with another encoder', () =>
    refusal(
      loadCheckpoint(directory, { encoder: 'fedcba9876543210' }),
      'invalid_configuration',
      /0123456789abcdef .* fedcba9876543210/,
    ));

  test('as another head', () =>
    refusal(load('dmin'), 'invalid_configuration', 'is of the head induction, not dmin'));

  test('of a head that nobody knows, or with options that it does not have', async () => {
    await editMetadata((metadata) => (metadata.options = { capsules: 2 }));
    await refusal(load(), 'invalid_configuration', 'no option "capsules"');
    await editMetadata((metadata) => (metadata.head = 'other'));
    await refusal(load(), 'invalid_configuration', 'no trained head "other"');
  });

  test('with tensors missing, too many or of another shape, and each is named', async () => {
    await saveOther({
      transform: { weight: np.zeros([4, 6]), bias: np.zeros([4]) },
      tensor: np.zeros([3, 4, 6]),
      relation: { weight: np.zeros([1, 3]) },
      surplus: np.zeros([1]),
    });
    await refusal(load(), 'invalid_file', '"tensor" has the shape [3,4,6] where [3,6,4] is expected');
    await refusal(load(), 'invalid_file', '"relation.bias" is missing');
    await refusal(load(), 'invalid_file', '"surplus" is none of the head\'s');
  });

  test('with damaged or missing weights', async () => {
    const file = (await readdir(directory)).find((name) => name.startsWith('weights'))!;
    const bytes = await readFile(join(directory, file));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(join(directory, file), bytes);
    await refusal(load(), 'invalid_file', 'is damaged');
    await rm(join(directory, file));
    await refusal(load(), 'invalid_file', 'cannot be read');
  });

  test('without metadata, or with such as do not describe a checkpoint', async () => {
    await editMetadata((metadata) => (metadata.seed = 'seven'));
    await refusal(load(), 'invalid_file', /metadata\.json does not describe a checkpoint.*seed/s);
    await editMetadata((metadata) => (metadata.weights = { file: '../weights', sha256: '' }));
    await refusal(load(), 'invalid_file', 'weights.file');
    await writeFile(join(directory, 'metadata.json'), '{');
    await refusal(readCheckpointMetadata(directory), 'invalid_file', 'it is no JSON');
    await rm(join(directory, 'metadata.json'));
    await refusal(load(), 'invalid_file', 'cannot be read');
  });
});

describe('safetensors', () => {
  const tensors = new Map<string, Tensor>([
    ['matrix', { shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6.5]) }],
    ['scalar', { shape: [], data: Float32Array.from([-7]) }],
    ['empty', { shape: [0, 4], data: new Float32Array(0) }],
  ]);
  const file = () => encodeSafetensors(tensors);

  /** A file of the given header and values. */
  function fileOf(header: unknown, bytes: number): Uint8Array {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const all = new Uint8Array(8 + text.length + bytes);
    new DataView(all.buffer).setBigUint64(0, BigInt(text.length), true);
    all.set(text, 8);
    return all;
  }

  test('the layout of the format: length, header, values', () => {
    const bytes = Buffer.from(file());
    const length = Number(bytes.readBigUInt64LE(0));
    expect((8 + length) % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      matrix: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      scalar: { dtype: 'F32', shape: [], data_offsets: [24, 28] },
      empty: { dtype: 'F32', shape: [0, 4], data_offsets: [28, 28] },
    });
    expect(bytes.readFloatLE(8 + length + 20)).toBe(6.5);
    expect(bytes.length).toBe(8 + length + 28);
  });

  test('what was written is read, from anywhere in a larger buffer', () => {
    const bytes = file();
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    const read = decodeSafetensors(larger.subarray(3));
    expect(read.get('matrix')).toEqual(tensors.get('matrix'));
    expect(read.get('scalar')).toEqual(tensors.get('scalar'));
    expect(read.get('empty')).toEqual(tensors.get('empty'));
  });

  test('16 bits take half the room, and round to the nearest', () => {
    // 1 + 2^-7 is the first number above 1 that bfloat16 has; halfway between two of them the even one is taken.
    const data = Float32Array.from([1, -6.5, 1 + 2 ** -7, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1.004, 0]);
    const bytes = encodeSafetensors(new Map([['a', { shape: [7], data }]]), 'BF16');
    expect([...decodeSafetensors(bytes).get('a')!.data]).toEqual([
      1,
      -6.5,
      1 + 2 ** -7,
      1,
      1 + 2 ** -6,
      1 + 2 ** -7,
      0,
    ]);
    expect(bytes.length).toBe(8 + Number(Buffer.from(bytes).readBigUInt64LE(0)) + 14);
  });

  test('float16 comes back as the nearest, whatever lies before and behind it', () => {
    // Three halves are no multiple of what float32 begins at.
    const [odd, even] = [
      Float32Array.from([0.1, -65504, 2 ** -24]),
      Float32Array.from([1 / 3, 1 + 2 ** -11]),
    ];
    const bytes = encodeSafetensors(
      new Map([
        ['odd', { shape: [3], data: odd }],
        ['even', { shape: [1, 2], data: even }],
      ]),
      'F16',
    );
    const read = decodeSafetensors(bytes);
    expect(read.get('odd')).toEqual({ shape: [3], data: Float32Array.of(1638 / 16384, -65504, 2 ** -24) });
    expect(read.get('even')).toEqual({ shape: [1, 2], data: Float32Array.of(1365 / 4096, 1) });
    expect(bytes.length).toBe(8 + Number(Buffer.from(bytes).readBigUInt64LE(0)) + 10);
    expect([...decodeSafetensors(encodeSafetensors(read, 'F16'))]).toEqual([...read]);
  });

  test('what is not wanted is passed over, whatever numbers it holds, but must be where the header says', () => {
    const header = (end: number) => ({
      ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
      a: { dtype: 'F32', shape: [1], data_offsets: [8, end] },
    });
    const wanted = (name: string) => name === 'a';
    expect([...decodeSafetensors(fileOf(header(12), 12), wanted)]).toEqual([
      ['a', { shape: [1], data: Float32Array.of(0) }],
    ]);
    expect(() => decodeSafetensors(fileOf(header(12), 12))).toThrow('"ids" is none of F32, BF16, F16');
    expect(() => decodeSafetensors(fileOf(header(12), 8), () => false)).toThrow('not where the header says');
    expect(() => decodeSafetensors(fileOf(header(16), 16), wanted)).toThrow('not where the header says');
  });

  test('metadata of other writers and any order of the header are passed over', () => {
    const bytes = fileOf(
      {
        __metadata__: { format: 'pt' },
        b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
        a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      },
      8,
    );
    expect([...decodeSafetensors(bytes).keys()]).toEqual(['a', 'b']);
  });

  test.each<[string, () => Uint8Array]>([
    ['cut short', () => file().subarray(0, 4)],
    ['header is cut short', () => file().subarray(0, 20)],
    ['not where the header says', () => file().subarray(0, -1)],
    ['more in it', () => Buffer.concat([file(), Buffer.alloc(4)])],
    ['header is no JSON', () => fileOf('{"', 0)],
    ['no JSON object', () => fileOf('null', 0)],
    ['none of F32, BF16, F16', () => fileOf({ a: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8)],
    [
      'wrong about the tensor "a"',
      () => fileOf({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4),
    ],
    ['wrong about the tensor "a"', () => fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [0] } }, 4)],
    ['the header is wrong about', () => fileOf({ a: null }, 0)],
    [
      'not where the header says', // two tensors in one place
      () => {
        const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
        return fileOf({ a: entry, b: entry }, 4);
      },
    ],
  ])('a file that is none is refused: %s', (message, bytes) => {
    expect(() => decodeSafetensors(bytes())).toThrow(
      expect.objectContaining({ code: 'invalid_file', message: expect.stringContaining(message) }),
    );
  });
});

test('a tree with lists is saved and checked by position', async () => {
  await saveCheckpoint(directory, [a([1], 1), { x: a([2], 1) }], METADATA);
  await refusal(loadCheckpoint(directory, { encoder: ENCODER }), 'invalid_file', '"1.x" is none of');
});
