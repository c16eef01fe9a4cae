import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tree } from '@jax-js/jax';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { initHeads } from '../../../src/heads/runtime.js';
import { EmbeddingCache } from '../../../src/learn/embeddingCache.js';
import { Random } from '../../../src/statistics/random.js';
import type { Bert } from '../../../src/learn/transformer/bert.js';
import { upperLayers, withUpperLayers } from '../../../src/learn/transformer/layers.js';
import type { TokenInput } from '../../../src/learn/transformer/tokenInput.js';
import { TokenStates } from '../../../src/learn/transformer/tokenStates.js';
import { UpperEncoder } from '../../../src/learn/transformer/upperEncoder.js';
import { expectClose } from '../../heads/arrays.js';
import { forwardPass } from './forwardPass.js';
import { tinyBert } from './tinyBert.js';
import { CountingLayers, withExactStates } from './tinyLayers.js';

// The way back through the layers, held to finite differences of the equations in float64.

const BERT = withExactStates(
  tinyBert(6, { layers: 2, width: 8, heads: 2, inner: 12, vocabulary: 12, positions: 4 }),
);
const { width: D } = BERT.shape;

/** Of several lengths, so that rows are padded; with two parts: all of a text, and one of its tokens. */
const INPUTS: readonly TokenInput[] = [
  [1, 6, 9, 2],
  [1, 4],
  [7, 7, 2],
].map((ids, i) => ({
  ids,
  parts: [
    [0, ids.length],
    [i % 2, (i % 2) + 1],
  ],
}));
const S = 2;

/** The embeddings `[n, S D]` in float64. */
function equations(bert: Bert): number[] {
  return INPUTS.flatMap(({ ids, parts }) => {
    const states = forwardPass(bert, ids);
    return parts.flatMap(([from, to]) => {
      const sum = states[0]!.map((_, d) => states.slice(from, to).reduce((all, row) => all + row[d]!, 0));
      const length = Math.hypot(...sum) * Math.sqrt(S);
      return sum.map((x) => x / length);
    });
  });
}

let directory: string;
let cache: EmbeddingCache;
beforeAll(async () => {
  await initHeads();
  directory = mkdtempSync(join(tmpdir(), 'kshot-gradient-'));
  cache = new EmbeddingCache(directory);
});
afterAll(() => {
  cache.close();
  rmSync(directory, { recursive: true });
});

/** The last layers of a BERT that has no others: what they begin with is exact, so that the equations begin where they do. */
function open(bert: Bert): Promise<UpperEncoder> {
  return UpperEncoder.open(
    bert.shape,
    bert.shape.layers,
    S,
    new TokenStates(new CountingLayers(bert, 0), cache),
  );
}

test.each([1, 2])('the embeddings that %i layers give are those of the equations', async (layers) => {
  const bert = { ...BERT, shape: { ...BERT.shape, layers } };
  const encoder = await open(bert);
  const params = upperLayers(bert, layers);
  expectClose(await encoder.embed(params, INPUTS), equations(bert), 2e-6);
  tree.dispose(params);
  await encoder.close();
});

test('the gradient through two layers equals finite differences, for every parameter', async () => {
  const encoder = await open(BERT);
  const params = upperLayers(BERT, 2);
  const traced = await encoder.trace(params, INPUTS);
  const random = new Random(7);
  const slope = Float32Array.from(traced.embeddings, () => random.next() - 0.5);
  // The slopes, by the names that a checkpoint has for what they are slopes of.
  const gradient = withUpperLayers(BERT, await encoder.gradient(params, traced, slope)).tensors;
  let compared = 0;
  for (const [name, { shape, data }] of BERT.tensors) {
    if (!name.startsWith('encoder.layer.')) continue;
    const exact = Float64Array.from(data);
    // forwardPass reads numbers of whatever precision.
    const tensors = new Map([...BERT.tensors, [name, { shape, data: exact as unknown as Float32Array }]]);
    const lossAt = (i: number, value: number) => {
      const before = exact[i]!;
      exact[i] = value;
      const embeddings = equations({ ...BERT, tensors });
      exact[i] = before;
      return embeddings.reduce((sum, x, at) => sum + x * slope[at]!, 0);
    };
    const step = 1e-4;
    const differences = Array.from(
      data,
      (value, i) => (lossAt(i, value + step) - lossAt(i, value - step)) / (2 * step),
    );
    const largest = Math.max(...differences.map(Math.abs));
    expectClose(gradient.get(name)!.data, differences, 2e-5 * Math.max(1, largest));
    // All scores of a query are moved alike by the key's bias.
    if (name.endsWith('key.bias')) expect(largest).toBeLessThan(1e-4);
    else expect(largest).toBeGreaterThan(1e-3);
    compared += data.length;
  }
  const F = BERT.shape.inner;
  expect(compared).toBe(2 * (4 * (D * D + D) + 4 * D + (F * D + F) + (D * F + D)));
  tree.dispose(params);
  await encoder.close();
});
