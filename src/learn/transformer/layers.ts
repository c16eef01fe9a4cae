import { numpy as np } from '@jax-js/jax';
import type { Linear } from '../../heads/layers.js';
import type { Tensor } from '../../heads/safetensors.js';
import { type Bert, LAYER_PARTS, type LayerPart, layerPrefix } from './bert.js';

/** What of one layer of a BERT learns: weights `[outputs, inputs]`; of a normalisation scale and shift, `[D]` both. */
export type LayerParams = Record<LayerPart, Linear>;

/** The last so many layers of a BERT, the lowest first. @throws RangeError where it has not so many. */
export function upperLayers(bert: Bert, count: number): LayerParams[] {
  const { layers } = bert.shape;
  if (count < 1 || count > layers) throw new RangeError(`of ${layers} layers 1 to ${layers} can be trained`);
  return Array.from({ length: count }, (_, i) => {
    const parts = Object.entries(LAYER_PARTS).map(([part, { name }]) => {
      const array = (kind: string) => {
        const { shape, data } = bert.tensors.get(`${layerPrefix(layers - count + i)}${name}.${kind}`)!;
        return np.array(data.slice(), { shape: [...shape] });
      };
      return [part, { weight: array('weight'), bias: array('bias') }];
    });
    return Object.fromEntries(parts) as LayerParams;
  });
}

/** The BERT with other upper layers. @param params consumed. */
export function withUpperLayers(bert: Bert, params: readonly LayerParams[]): Bert {
  const tensors = new Map<string, Tensor>(bert.tensors);
  for (const [i, layer] of params.entries()) {
    const prefix = layerPrefix(bert.shape.layers - params.length + i);
    for (const [part, { name }] of Object.entries(LAYER_PARTS)) {
      for (const [kind, array] of Object.entries(layer[part as LayerPart])) {
        const shape = array.shape;
        tensors.set(`${prefix}${name}.${kind}`, { shape, data: array.dataSync() as Float32Array });
      }
    }
  }
  return { shape: bert.shape, tensors };
}
