import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type numpy as np, tree } from '@jax-js/jax';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { loadEncoder } from '../../../src/encoder/load.js';
import { fromFloat16 } from '../../../src/heads/float16.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { EmbeddingCache } from '../../../src/learn/embeddingCache.js';
import type { Bert } from '../../../src/learn/transformer/bert.js';
import { type LayerParams, upperLayers } from '../../../src/learn/transformer/layers.js';
import { startingEncoder } from '../../../src/learn/transformer/startingEncoder.js';
import type { TokenInput } from '../../../src/learn/transformer/tokenInput.js';
import { TokenStates } from '../../../src/learn/transformer/tokenStates.js';
import { UpperEncoder } from '../../../src/learn/transformer/upperEncoder.js';
import { expectClose, values } from '../../heads/arrays.js';
import { seeded } from '../../heads/random.js';
import { forwardPass } from './forwardPass.js';
import { tinyTexts, writeTinyBert } from './tinyBert.js';
import { CountingLayers, sentence, withEntities } from './tinyLayers.js';

/** 1 to 20 words, in chunks of several lengths. */
const TEXTS = tinyTexts(3, 70, { longest: 20 });
const LAYERS = 2;
/** What embeddings of 32 numbers are off by, about 0.2 each, for states kept in half precision. */
const ROUNDED = 5e-4;

let directory: string;
let bert: Bert;
let cache: EmbeddingCache;
let encoder: UpperEncoder;
/** Of texts that have three parts. */
let ofRelations: UpperEncoder;
let params: LayerParams[];
const open: EmbeddingCache[] = [];

beforeAll(async () => {
  await initHeads();
  directory = mkdtempSync(join(tmpdir(), 'kshot-upper-'));
  bert = await writeTinyBert(join(directory, 'bert'), 2);
  cache = new EmbeddingCache(join(directory, 'cache'));
  encoder = await openOver(cache);
  ofRelations = await openOver(cache, 3);
  params = upperLayers(bert, LAYERS);
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(async () => {
  tree.dispose(params);
  await encoder.close();
  await ofRelations.close();
  cache.close();
  rmSync(directory, { recursive: true });
});

const lowerLayers = () => new CountingLayers(bert, bert.shape.layers - LAYERS);
const openOver = (kept: EmbeddingCache, parts = 1, lower = lowerLayers()) =>
  UpperEncoder.open(bert.shape, LAYERS, parts, new TokenStates(lower, kept));
const refCounts = (given: LayerParams[]) => tree.leaves<np.Array>(given).map(({ refCount }) => refCount);

describe('embeddings', () => {
  test('are those of onnxruntime, of the encoder that the training starts with', async () => {
    const start = await startingEncoder(join(directory, 'bert'), join(directory, 'start'), 24);
    const graph = await loadEncoder({ model: start.folder, device: 'cpu' });
    const { embeddings } = await graph.encode(TEXTS);
    await graph.close();
    const inputs = TEXTS.map((text) => {
      const { ids } = start.tokenizer.tokenize(text);
      return { ids, parts: [[0, ids.length] as const] };
    });
    expect(inputs).toEqual(TEXTS.map(sentence));
    expectClose(await encoder.embed(params, inputs), embeddings, ROUNDED);
  });

  test('do not depend on the texts beside: alone, in another order, twice', async () => {
    const inputs = TEXTS.map(sentence);
    const D = bert.shape.width;
    const together = await encoder.embed(params, inputs);
    const rowsOf = (order: readonly number[]) =>
      order.flatMap((i) => [...together.subarray(i * D, (i + 1) * D)]);
    const among = async (order: number[]) =>
      expectClose(
        await encoder.embed(
          params,
          order.map((i) => inputs[i]!),
        ),
        rowsOf(order),
        2e-6,
      );
    for (const i of [0, 1, 2]) await among([i]);
    await among([...TEXTS.keys()].reverse());
    await among([5, 5, 60, 5]);
  });

  test('of relations: text and entities side by side, each of the length 1 / √3', async () => {
    const inputs = TEXTS.slice(0, 12).map(withEntities);
    const D = bert.shape.width;
    const found = await ofRelations.embed(params, inputs);
    expect(found.length).toBe(inputs.length * 3 * D);
    for (const [i, { ids, parts }] of inputs.entries()) {
      const states = forwardPass(bert, ids);
      const expected = parts.flatMap(([from, to]) => {
        const sum = states[0]!.map((_, d) =>
          states.slice(from, to).reduce((total, row) => total + row[d]!, 0),
        );
        return sum.map((x) => x / Math.hypot(...sum) / Math.sqrt(3));
      });
      expectClose(found.subarray(i * 3 * D, (i + 1) * 3 * D), expected, 2 * ROUNDED); // less is evened out of one token than of a mean
    }
  });

  test('traced, they are the same, and the parameters stay the caller’s', async () => {
    const inputs = TEXTS.slice(0, 9).map(sentence);
    const before = refCounts(params);
    const { embeddings, chunks } = await encoder.trace(params, inputs);
    expect(embeddings).toEqual(await encoder.embed(params, inputs));
    expect(chunks.flatMap(({ members }) => members).length).toBe(9);
    tree.dispose(await encoder.gradient(params, { embeddings, chunks }, embeddings));
    expect(refCounts(params)).toEqual(before);
  });

  test('no text has none', async () => {
    expect(await encoder.embed(params, [])).toEqual(new Float32Array(0));
  });
});

describe('the gradient', () => {
  // test/learn/transformer/upperGradient.test.ts has it for each parameter; here it is the sum over texts, in whatever chunks.
  test.each<[string, () => UpperEncoder, (text: string) => TokenInput]>([
    ['texts', () => encoder, sentence],
    ['relations', () => ofRelations, withEntities],
  ])('of %s over several chunks is the sum of those of each text alone', async (_, of, inputOf) => {
    const inputs = TEXTS.map(inputOf);
    const draw = seeded(11);
    const traced = await of().trace(params, inputs);
    expect(traced.chunks.length).toBeGreaterThan(1);
    const slope = Float32Array.from(traced.embeddings, () => draw() - 0.5);
    const together = tree.leaves<np.Array>(await of().gradient(params, traced, slope)).map(values);

    const width = slope.length / inputs.length;
    const sums = together.map((values_) => new Float64Array(values_.length));
    for (const [i, input] of inputs.entries()) {
      const alone = await of().trace(params, [input]);
      const own = await of().gradient(params, alone, slope.slice(i * width, (i + 1) * width));
      for (const [l, leaf] of tree.leaves<np.Array>(own).map(values).entries()) {
        for (const [at, x] of leaf.entries()) sums[l]![at]! += x;
      }
    }
    for (const [l, sum] of sums.entries()) {
      expectClose(together[l]!, sum, 1e-5 * Math.max(1, ...sum.map(Math.abs)));
    }
  });
});

describe('token states', () => {
  const inputs = TEXTS.slice(0, 20).map(sentence);
  const embedOver = async (states: TokenStates) => {
    const over = await UpperEncoder.open(bert.shape, LAYERS, 1, states);
    return over.embed(params, inputs).finally(() => over.close());
  };
  const opened = (folder: string) => {
    const one = new EmbeddingCache(join(directory, folder));
    open.push(one);
    return one;
  };

  test('are made once for each text, and outlive the process', async () => {
    const lower = lowerLayers();
    const first = opened('kept');
    const told: [number, number][] = [];
    const states = new TokenStates(lower, first);
    await states.prepare([...inputs, ...inputs], { progress: (done, total) => told.push([done, total]) });
    expect(told.at(0)).toEqual([0, 40]);
    expect(told.at(-1)).toEqual([40, 40]);
    const distinct = new Set(inputs.map(({ ids }) => ids.join(' ')));
    expect(lower.seen.flat().toSorted()).toEqual([...distinct].sort());
    const before = await embedOver(states);
    expect(lower.seen.flat().length).toBe(distinct.size);
    first.close();

    const later = lowerLayers();
    const again = new TokenStates(later, opened('kept'));
    await again.prepare(inputs);
    expect(await embedOver(again)).toEqual(before);
    expect(later.seen).toEqual([]);
  });

  test('are those of the lower layers in half precision, whatever length they are read at', async () => {
    const states = new TokenStates(lowerLayers(), opened('read'));
    const D = bert.shape.width;
    const given = ['w4 w5', 'w6 w7 w8 w9 w10 w11 w12 w13 w14'].map(sentence);
    for (const length of [12, 24]) {
      const read = fromFloat16(await states.read(given, length));
      expect(read.length).toBe(2 * length * D);
      for (const [row, { ids }] of given.entries()) {
        const found = read.subarray(row * length * D, (row * length + ids.length) * D);
        expectClose(found, forwardPass(bert, ids, 1).flat(), 2e-3); // half of the last place of numbers up to 4
      }
    }
  });

  test('other lower layers have others', async () => {
    const shared = opened('shared');
    const [one, other] = [new CountingLayers(bert, 1, 'one'), new CountingLayers(bert, 2, 'other')];
    const given = [sentence('w4 w9 w5')];
    const first = await new TokenStates(one, shared).read(given, 8);
    const second = await new TokenStates(other, shared).read(given, 8);
    expect(second).not.toEqual(first);
    expect([one.seen.length, other.seen.length]).toEqual([1, 1]);
  });

  test('interrupted, what was made is kept', async () => {
    const lower = lowerLayers();
    const failing = {
      fingerprint: lower.fingerprint,
      width: lower.width,
      longest: lower.longest,
      run: (...given: Parameters<CountingLayers['run']>) => {
        if (lower.seen.length === 1) return Promise.reject(new Error('the second bucket'));
        return lower.run(...given);
      },
    };
    const kept = opened('stopped');
    await expect(new TokenStates(failing, kept).prepare(inputs)).rejects.toThrow('second');
    const rest = lowerLayers();
    await new TokenStates(rest, kept).prepare(inputs);
    const made = lower.seen.flat();
    expect(made.length).toBeGreaterThan(0);
    expect(rest.seen.flat().filter((text) => made.includes(text))).toEqual([]);
  });
});
