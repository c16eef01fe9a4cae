import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Encoder } from '../../src/encoder/encoder.js';
import { loadEncoder, type EncoderOptions } from '../../src/encoder/load.js';
import { writeTinyModel, type TinyModel } from './tinyModel.js';

const directories: string[] = [];
const encoders: Encoder[] = [];

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function tinyModel(changes: Partial<TinyModel> = {}): string {
  const directory = writeTinyModel(changes);
  directories.push(directory);
  return directory;
}

async function load(model: string, options: Partial<EncoderOptions> = {}): Promise<Encoder> {
  const encoder = await loadEncoder({ model, device: 'cpu', threads: 1, ...options });
  encoders.push(encoder);
  return encoder;
}

async function rows(encoder: Encoder, texts: readonly string[]): Promise<number[][]> {
  const { embeddings } = await encoder.encode(texts);
  return texts.map((_, i) =>
    [...embeddings.subarray(2 * i, 2 * i + 2)].map((x) => Math.round(x * 1e4) / 1e4),
  );
}

describe('a graph that gives token states', () => {
  test('is pooled by mean where nothing is said; padding does not count', async () => {
    const encoder = await load(tinyModel());
    expect(encoder.dimension).toBe(2);
    // east + north = (1, 1), [CLS] and [SEP] cancel out; unit length.
    expect(await rows(encoder, ['east', 'east north', 'north north east east west'])).toEqual([
      [1, 0],
      [0.7071, 0.7071],
      [0.4472, 0.8944],
    ]);
  });

  test.each([{ pooling_mode_cls_token: true, pooling_mode_mean_tokens: false }, { pooling_mode: 'cls' }])(
    'is pooled by CLS where the configuration says so: %j',
    async (poolingConfig) => {
      const encoder = await load(tinyModel({ poolingConfig }));
      expect(await rows(encoder, ['east', 'east north'])).toEqual([
        [0, -1],
        [0, -1],
      ]);
    },
  );

  test('takes the inputs that the graph has, and other exporters’ names', async () => {
    const encoder = await load(
      tinyModel({ inputs: ['input_ids', 'attention_mask', 'token_type_ids'], output: 'token_embeddings' }),
    );
    expect(await rows(encoder, ['west'])).toEqual([[-1, 0]]);
  });

  test('a pass that gives no direction fails its own calls only', async () => {
    const encoder = await load(tinyModel());
    const failing = encoder.encode(['nowhere nowhere']);
    await expect(failing).rejects.toMatchObject({
      code: 'encoder_unavailable',
      message: expect.stringContaining('direction'),
    });
    expect(await rows(encoder, ['east'])).toEqual([[1, 0]]);
  });
});

describe('what a model directory says', () => {
  test('the token limit is the smaller of positions and tokenizer; an absurd one does not count', async () => {
    expect((await load(tinyModel())).maxTokens).toBe(8);
    expect((await load(tinyModel({ tokenizerConfig: { model_max_length: 5 } }))).maxTokens).toBe(5);
    expect((await load(tinyModel({ tokenizerConfig: { model_max_length: 1e30 } }))).maxTokens).toBe(8);
    expect((await load(tinyModel({ config: {} }))).maxTokens).toBe(512);
    const roberta = { model_type: 'xlm-roberta', max_position_embeddings: 514, pad_token_id: 1 };
    expect((await load(tinyModel({ config: roberta }))).maxTokens).toBe(512);
  });

  test('over-long text is cut at the limit and flagged', async () => {
    const encoder = await load(tinyModel({ config: { max_position_embeddings: 4 } }));
    const { truncated } = await encoder.encode(['east east', 'east east north']);
    expect(truncated).toEqual([false, true]);
    expect(await rows(encoder, ['east east north north'])).toEqual([[1, 0]]);
  });

  test('the name is the configuration’s, else the directory’s', async () => {
    const named = await load(tinyModel({ config: { _name_or_path: 'somebody/a-model' } }));
    expect(named.name).toBe('a-model');
    expect((await load(tinyModel())).name).toMatch(/^kshot-tiny-/);
  });

  test('the fingerprint tells embedding spaces apart, and nothing else', async () => {
    const fingerprint = async (changes: Partial<TinyModel>): Promise<string> =>
      (await load(tinyModel(changes))).fingerprint;
    const base = await fingerprint({});
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(await fingerprint({ weights: 'model_quantized' })).toBe(base);
    const others = await Promise.all([
      fingerprint({ vectors: [[1, 2], ...Array.from({ length: 7 }, () => [1, 1] as const)] }),
      fingerprint({ poolingConfig: { pooling_mode: 'cls' } }),
      fingerprint({ tokenizerConfig: { model_max_length: 5 } }),
    ]);
    expect(new Set([base, ...others]).size).toBe(4);
  });

  test('weights in the directory itself, and weights by name', async () => {
    const encoder = await load(tinyModel({ weights: '../model' }));
    expect(encoder.device).toBe('cpu');
    await load(tinyModel({ weights: 'mine' }), { weights: 'mine' });
  });

  test('a graph that quantises dynamically gets a warning', async () => {
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    await load(tinyModel(), { warn });
    expect(warnings).toEqual([]);
    await load(tinyModel({ dynamic: true }), { warn });
    expect(warnings).toEqual([expect.stringContaining('quantises dynamically')]);
  });
});

describe('what cannot be loaded is an error that names the file', () => {
  const refused = async (
    model: string,
    options: Partial<EncoderOptions>,
    ...parts: string[]
  ): Promise<void> => {
    const error: unknown = await load(model, options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'encoder_unavailable' });
    for (const part of parts) expect(String(error)).toContain(part);
  };

  test('no such directory', () => refused('./no/such/place', {}, './no/such/place'));

  test('an empty directory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kshot-empty-'));
    directories.push(directory);
    await refused(directory, {}, 'config.json');
  });

  test('no tokenizer', async () => {
    const directory = tinyModel();
    rmSync(join(directory, 'tokenizer.json'));
    await refused(directory, {}, 'tokenizer.json');
  });

  test('a damaged configuration', async () => {
    const directory = tinyModel();
    writeFileSync(join(directory, 'config.json'), '{"max_position_embeddings": "many"}');
    await refused(directory, {}, 'config.json', 'max_position_embeddings');
    writeFileSync(join(directory, 'config.json'), '{');
    await refused(directory, {}, 'config.json', 'damaged');
  });

  test('no weights that suit the device, or none of the name', async () => {
    const directory = tinyModel({ weights: 'model_q4' });
    await refused(directory, {}, 'model_quantized.onnx', 'model_q4.onnx');
    await refused(directory, { weights: 'model_fp16' }, 'model_fp16.onnx');
  });

  test('damaged weights', async () => {
    const directory = tinyModel();
    truncateSync(join(directory, 'onnx/model.onnx'), 100);
    await refused(directory, {}, 'onnx/model.onnx', 'Restore the file');
    writeFileSync(join(directory, 'onnx/model.onnx'), '');
    await refused(directory, {}, 'onnx/model.onnx');
  });

  test('a graph that is no text encoder’s', async () => {
    await refused(tinyModel({ inputs: ['pixel_values'] }), {}, 'pixel_values');
    await refused(tinyModel({ output: 'logits' }), {}, 'logits');
  });

  test('a pooling or a layer that is not supported', async () => {
    await refused(tinyModel({ poolingConfig: { pooling_mode_lasttoken: true } }), {}, 'lasttoken');
    const modules = [{ idx: 2, type: 'sentence_transformers.models.Dense' }];
    await refused(tinyModel({ modules }), {}, 'dense layer');
  });
});
