import type { numpy as np } from '@jax-js/jax';
import { tree } from '@jax-js/jax';
import { beforeAll, expect, test } from '@jest/globals';
import { initHeads } from '../../../src/heads/runtime.js';
import { layerPrefix } from '../../../src/learn/transformer/bert.js';
import { type LayerParams, upperLayers, withUpperLayers } from '../../../src/learn/transformer/layers.js';
import { values } from '../../heads/arrays.js';
import { tinyBert } from './tinyBert.js';

beforeAll(initHeads);

const BERT = tinyBert(1);
const { layers: LAYERS, width: D } = BERT.shape;

test.each([1, 2, 3])('%i layers come out of a BERT, and go back into it', (count) => {
  const params = upperLayers(BERT, count);
  const back = withUpperLayers(BERT, tree.ref(params));
  expect(back.shape).toEqual(BERT.shape);
  expect([...back.tensors]).toEqual([...BERT.tensors]);
  expect(tree.leaves<np.Array>(params).map(({ refCount }) => refCount)).toEqual(Array(16 * count).fill(1));
  tree.dispose(params);
});

test('the lowest comes first, and each goes where it came from', () => {
  const [lower, upper] = upperLayers(BERT, 2) as [LayerParams, LayerParams];
  expect(values(lower.inner.weight.ref)).toEqual([
    ...BERT.tensors.get('encoder.layer.1.intermediate.dense.weight')!.data,
  ]);
  const key = tree.map<np.Array, np.Array, LayerParams['key']>((x) => x.mul(2), upper.key);
  const changed = withUpperLayers(BERT, [lower, { ...upper, key }]);
  const different = [...BERT.tensors.keys()].filter((name) =>
    BERT.tensors.get(name)!.data.some((x, i) => x !== changed.tensors.get(name)!.data[i]),
  );
  const prefix = `${layerPrefix(2)}attention.self.key.`;
  expect(different).toEqual([`${prefix}weight`, `${prefix}bias`]);
  const { data } = BERT.tensors.get(`${prefix}weight`)!;
  expect(changed.tensors.get(`${prefix}weight`)).toEqual({ shape: [D, D], data: data.map((x) => 2 * x) });
});

test('there are no more layers than the model has, and one at least', () => {
  expect(() => upperLayers(BERT, LAYERS + 1)).toThrow(RangeError);
  expect(() => upperLayers(BERT, 0)).toThrow('of 3 layers 1 to 3 can be trained');
});
