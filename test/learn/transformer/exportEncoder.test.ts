import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadEncoder } from '../../../src/encoder/load.js';
import type { KshotError } from '../../../src/errors.js';
import { agreementOf } from '../../../src/learn/transformer/onnx/checkEmbeddings.js';
import { exportEncoder, type ExportOptions } from '../../../src/learn/transformer/onnx/exportEncoder.js';
import { temporaryDirectories } from '../../store/temporary.js';
import { forwardPass, unitMean } from './forwardPass.js';
import { tinyBert, tinyTexts, writeTinyBert } from './tinyBert.js';

const temporary = temporaryDirectories();
const TEXTS = tinyTexts(1, 60);

/** A tiny BERT in a folder, and options to export it beside that. */
async function tinyExport(changes: Partial<ExportOptions> = {}) {
  const directory = temporary();
  const from = join(directory, 'bert');
  const bert = await writeTinyBert(from, 1);
  const folder = join(directory, 'out');
  return {
    directory,
    bert,
    options: { from, name: 'exported', folder, texts: TEXTS, calibratedOn: '60 texts', ...changes },
  };
}

async function embed(
  model: string,
  weights: string | undefined,
  texts: readonly string[],
): Promise<Float32Array> {
  const encoder = await loadEncoder({ model, weights, device: 'cpu' });
  try {
    return (await encoder.encode(texts)).embeddings;
  } finally {
    await encoder.close();
  }
}

/** By the equations, `[n, D]`. */
function reference(bert: ReturnType<typeof tinyBert>): Float32Array {
  const ids = TEXTS.map((text) => [1, ...text.split(' ').map((word) => Number(word.slice(1))), 2]);
  return Float32Array.from(ids.flatMap((row) => unitMean(forwardPass(bert, row))));
}

describe('an exported encoder', () => {
  test('is a directory that loadEncoder opens', async () => {
    const { bert, options } = await tinyExport({ fp32: true, trainedOn: 'nothing real' });
    const labels: string[] = [];
    const { files } = await exportEncoder(bert, {
      ...options,
      reference: reference(bert),
      progress: (label) => {
        labels.push(label);
        return () => undefined;
      },
    });
    const { folder } = options;
    expect(files.map(({ path }) => path)).toEqual([
      'onnx/model_quantized.onnx',
      'onnx/model_q8f16.onnx',
      'onnx/model.onnx',
    ]);
    expect(labels).toEqual(['calibrating', ...files.map(({ path }) => `checking ${path}`)]);
    expect(readdirSync(folder).sort()).toEqual([
      'README.md',
      'config.json',
      'onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(existsSync(`${folder}.unfinished`)).toBe(false);

    const encoder = await loadEncoder({
      model: folder,
      device: 'cpu',
      warn: (message) => expect(message).toBe(''),
    });
    expect(encoder).toMatchObject({ name: 'exported', dimension: 32, maxTokens: 24, device: 'cpu' });
    await encoder.close();
    const exact = reference(bert);
    for (const { path, bytes, meanCosine, smallestCosine } of files) {
      const found = await embed(folder, path.slice('onnx/'.length, -'.onnx'.length), TEXTS);
      const agreement = agreementOf(found, exact, 32);
      expect(agreement.meanCosine).toBeCloseTo(meanCosine, 5);
      expect(agreement.smallestCosine).toBeCloseTo(smallestCosine, 5);
      expect(bytes).toBe(readFileSync(join(folder, path)).length);
    }
    expect(files[2]!.deviation).toBeLessThan(1e-5);
  });

  test('has a card that says what it is', async () => {
    const { bert, options } = await tinyExport({ trainedOn: 'nothing real' });
    const { files } = await exportEncoder(bert, options);
    const card = readFileSync(join(options.folder, 'README.md'), 'utf8');
    expect(card).toContain('# exported\n');
    expect(card).toContain('a BERT of 3 layers, 32 wide, 4 heads');
    expect(card).toContain('**Base:** tiny-bert\n');
    expect(card).toContain('## Training\n\nnothing real\n');
    expect(card).toContain('**Calibrated on:** 60 texts\n');
    for (const { path, meanCosine, smallestCosine } of files) {
      const row = card.split('\n').find((line) => line.includes(path))!;
      expect(row).toContain(`${meanCosine.toFixed(5)} `);
      expect(row).toContain(`${smallestCosine.toFixed(5)} `);
    }
  });

  test('replaces a former one, whose other weights go', async () => {
    const { bert, options } = await tinyExport({ fp32: true });
    await exportEncoder(bert, options);
    writeFileSync(join(options.folder, 'notes.txt'), 'mine');
    await exportEncoder(tinyBert(2), { ...options, name: 'second', fp32: false });
    expect(readdirSync(join(options.folder, 'onnx')).sort()).toEqual([
      'model_q8f16.onnx',
      'model_quantized.onnx',
    ]);
    expect(readFileSync(join(options.folder, 'notes.txt'), 'utf8')).toBe('mine');
    const config = JSON.parse(readFileSync(join(options.folder, 'config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ _name_or_path: 'second', num_hidden_layers: 3, model_type: 'bert' });
  });
});

describe('nothing is exported', () => {
  async function refused(changes: Partial<ExportOptions>, bertChanges = {}): Promise<string> {
    const { directory, options } = await tinyExport(changes);
    const failure = await exportEncoder(tinyBert(1, bertChanges), options).then(
      () => undefined,
      (error: KshotError) => error,
    );
    expect(readdirSync(directory)).toEqual(['bert']);
    expect(failure?.code).toMatch(/^(invalid_configuration|encoder_unavailable)$/);
    return failure!.message;
  }

  test('of a model that is not the folder’s', async () => {
    expect(await refused({}, { layers: 2 })).toContain('num_hidden_layers 3, the model has 2');
    expect(await refused({}, { vocabulary: 30 })).toContain('vocab_size 40, the model has 30');
  });

  test('under a name that is a path', async () => {
    expect(await refused({ name: 'a/b' })).toContain('"a/b" is no name');
    expect(await refused({ name: '' })).toContain('is no name');
  });

  test('without texts', async () => {
    expect(await refused({ texts: [] })).toContain('no text to calibrate');
  });

  test('that differs from the reference', async () => {
    const other = reference(tinyBert(1));
    other[5]! += 2e-4;
    expect(await refused({ reference: other })).toContain('the reference is too far');
    expect(await refused({ reference: other.subarray(32) })).toContain(
      '1888 numbers, those of the texts are 1920',
    );
  });

  test('from a folder without a tokenizer', async () => {
    expect(await refused({ from: temporary() })).toContain('config.json cannot be read');
  });

  test('that int8 is too coarse for', async () => {
    const { directory, options } = await tinyExport();
    // A unit that nothing depends on is far beyond the others: all of these share a few of the 256 steps.
    const { tensors, shape } = tinyBert(1);
    for (let i = 0; i < shape.layers; i++) {
      tensors.get(`encoder.layer.${i}.intermediate.dense.bias`)!.data[0] = 3000;
      const outgoing = tensors.get(`encoder.layer.${i}.output.dense.weight`)!.data;
      for (let row = 0; row < shape.width; row++) outgoing[row * shape.inner] = 0;
    }
    const exporting = exportEncoder({ tensors, shape }, options);
    await expect(exporting).rejects.toThrow('onnx/model_quantized.onnx is too far');
    await expect(exporting).rejects.toHaveProperty('code', 'encoder_unavailable');
    expect(readdirSync(directory)).toEqual(['bert']);
  });
});
