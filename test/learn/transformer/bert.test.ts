import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fromFloat16, toFloat16 } from '../../../src/heads/float16.js';
import { encodeSafetensors, type Tensor } from '../../../src/heads/safetensors.js';
import { type Bert, readBert, writeBertWeights } from '../../../src/learn/transformer/bert.js';
import { writeTinyBert } from './tinyBert.js';

let folder: string;
let bert: Bert;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kshot-bert-'));
  bert = await writeTinyBert(folder, 1, { width: 8, heads: 2, inner: 12, layers: 2 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const weights = (tensors: ReadonlyMap<string, Tensor>) =>
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
function config(change: Record<string, unknown>): void {
  const path = join(folder, 'config.json');
  const old = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...old, ...change }));
}

describe('a BERT', () => {
  test('is read as it was written', async () => {
    const { shape, tensors } = await readBert(folder);
    expect(shape).toEqual(bert.shape);
    expect([...tensors]).toEqual([...bert.tensors]);
  });

  test('in half precision is rounded, and takes less room', async () => {
    const numbers = [...bert.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    const before = readFileSync(join(folder, 'model.safetensors')).length;
    await writeBertWeights(folder, bert, 'F16');
    // The headers differ by digits.
    const saved = before - readFileSync(join(folder, 'model.safetensors')).length;
    expect(Math.abs(saved - 2 * numbers)).toBeLessThan(100);
    for (const [name, { data }] of (await readBert(folder)).tensors) {
      expect([name, data]).toEqual([name, fromFloat16(toFloat16(bert.tensors.get(name)!.data))]);
    }
  });

  test('under another model: names begin with "bert.", and there is a head beside', async () => {
    const pooler: [string, Tensor] = ['bert.pooler.dense.bias', { shape: [1], data: Float32Array.of(1) }];
    weights(
      new Map([pooler, ...[...bert.tensors].map(([name, tensor]) => [`bert.${name}`, tensor] as const)]),
    );
    const { tensors } = await readBert(folder);
    expect(new Map(tensors)).toEqual(bert.tensors);
  });
});

describe('is refused', () => {
  const refused = (message: string) =>
    expect(readBert(folder)).rejects.toMatchObject({
      code: 'invalid_file',
      message: expect.stringContaining(message),
    });

  test('what is no BERT, or one with another arithmetic', async () => {
    config({ hidden_act: 'relu' });
    await refused('of no BERT that can be trained');
    config({ hidden_act: 'gelu', model_type: 'distilbert' });
    await refused('model_type');
    config({ model_type: 'bert', position_embedding_type: 'relative_key' });
    await refused('position_embedding_type');
  });

  test('a parameter that is missing, or of another shape', async () => {
    const name = 'encoder.layer.1.output.dense.bias';
    weights(new Map([...bert.tensors].filter(([other]) => other !== name)));
    await refused(`the parameter ${name} is missing, where config.json wants [8]`);
    config({ intermediate_size: 16 });
    await refused('has the shape [12, 8], where config.json wants [16, 8]');
  });

  test('a folder without weights, without a configuration, or with one that is no JSON', async () => {
    rmSync(join(folder, 'model.safetensors'));
    await refused('no model.safetensors or model_fp16.safetensors in it; ONNX files alone cannot be trained');
    writeFileSync(join(folder, 'config.json'), '{');
    await refused('config.json is no JSON');
    rmSync(join(folder, 'config.json'));
    await refused('config.json cannot be read');
  });
});
