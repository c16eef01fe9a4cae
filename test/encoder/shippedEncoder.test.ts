import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Encoder } from '../../src/encoder/encoder.js';
import { loadEncoder } from '../../src/encoder/load.js';

// The compiled test runs from dist/test/encoder.
const MODEL = fileURLToPath(new URL('../../../models/encoder', import.meta.url));
const TEXTS = [
  'i lost my card',
  'my card is gone',
  'what is the weather like in rome',
  'please book a table for two',
];
/**
 * Cosines between TEXTS, computed in float64 with NumPy from the parameters before quantisation (BERT's equations
 * written out; mean over tokens).
 */
const COSINES = [
  [1.0, 0.8651, 0.0794, 0.1141],
  [0.8651, 1.0, 0.1169, 0.0906],
  [0.0794, 0.1169, 1.0, 0.1453],
  [0.1141, 0.0906, 0.1453, 1.0],
];
/** The first eight components of the embedding of TEXTS[0], by the same computation. */
const FIRST = [-0.084, 0.049, 0.0439, 0.0633, 0.0565, 0.0547, -0.0271, 0.0564];

const warnings: string[] = [];
const passes: number[] = [];
let encoder: Encoder;

beforeAll(async () => {
  encoder = await loadEncoder({
    model: MODEL,
    device: 'cpu',
    cacheBytes: 0,
    warn: (message) => void warnings.push(message),
    observer: { batch: (rows) => void passes.push(rows), queued: () => undefined },
  });
});
afterAll(() => encoder.close());

function cosine(a: Float32Array, i: number, b: Float32Array, j: number): number {
  let sum = 0;
  for (let d = 0; d < 384; d++) sum += (a[i * 384 + d] ?? NaN) * (b[j * 384 + d] ?? NaN);
  return sum;
}

/** @returns the greatest difference from COSINES. */
async function distanceToGolden(subject: Encoder): Promise<number> {
  const { embeddings } = await subject.encode(TEXTS);
  const differences = COSINES.flatMap((row, i) =>
    row.map((expected, j) => Math.abs(cosine(embeddings, i, embeddings, j) - expected)),
  );
  return Math.max(...differences);
}

describe('the shipped encoder', () => {
  test('introduces itself, and needs no warning', () => {
    expect(encoder).toMatchObject({ name: 'kshot-minilm-v1', dimension: 384, maxTokens: 512, device: 'cpu' });
    expect(warnings).toEqual([]);
  });

  test('embeds as the model before quantisation does', async () => {
    expect(await distanceToGolden(encoder)).toBeLessThan(0.03);
    const { embeddings } = await encoder.encode(TEXTS.slice(0, 1));
    FIRST.forEach((expected, d) => expect(Math.abs((embeddings[d] ?? NaN) - expected)).toBeLessThan(0.02));
  });

  test('embeddings have unit length, and a text alone is what it is in any batch', async () => {
    const texts = [...TEXTS, '', 'ok', 'a much longer sentence '.repeat(12), '東京 🎉', '\u0000'];
    const together = await encoder.encode(texts);
    for (const [i, text] of texts.entries()) {
      const alone = await encoder.encode([text]);
      expect(cosine(alone.embeddings, 0, alone.embeddings, 0)).toBeCloseTo(1, 5);
      expect(cosine(alone.embeddings, 0, together.embeddings, i)).toBeGreaterThan(0.99999);
    }
  });

  test('over-long text is cut at 512 tokens and flagged', async () => {
    const words = (count: number): string => 'card '.repeat(count);
    const { truncated, embeddings } = await encoder.encode([words(510), words(511), words(600)]);
    expect(truncated).toEqual([false, true, true]);
    expect(cosine(embeddings, 0, embeddings, 2)).toBeCloseTo(1, 4);
  });

  test('tells without encoding whether a text is cut', async () => {
    const texts = [1, 127, 128, 509, 510, 511].flatMap((n) => ['card '.repeat(n).trim(), '東'.repeat(n)]);
    const { truncated } = await encoder.encode(texts);
    expect(texts.map((text) => !encoder.readsWhole(text))).toEqual(truncated);
    expect(truncated).toEqual([...new Array<boolean>(10).fill(false), true, true]);
  });

  test('concurrent calls share passes', async () => {
    passes.length = 0;
    await Promise.all(
      Array.from({ length: 32 }, (_, i) => encoder.encode([`where is order number ${i + 10}`])),
    );
    expect(passes.reduce((sum, rows) => sum + rows, 0)).toBe(32);
    expect(passes.length).toBeLessThan(8);
  });

  test('the event loop turns while a pass runs', async () => {
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await encoder.encode(Array.from({ length: 16 }, (_, i) => `${i} `.repeat(60)));
    running = false;
    expect(turns).toBeGreaterThan(20);
  });

  test('the weights for GPUs embed alike', async () => {
    const other = await loadEncoder({ model: MODEL, device: 'cpu', weights: 'model_q8f16' });
    expect(await distanceToGolden(other)).toBeLessThan(0.01);
    expect(other.fingerprint).not.toBe(encoder.fingerprint);
    await other.close();
  });

  test('its token states pooled here are its own embeddings', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kshot-shipped-'));
    try {
      cpSync(MODEL, directory, { recursive: true, filter: (path) => !path.endsWith('.onnx') });
      mkdirSync(join(directory, 'onnx'), { recursive: true });
      // Under another name of the same length the graph's own embedding is not recognised.
      const graph = readFileSync(join(MODEL, 'onnx/model_quantized.onnx'), 'latin1');
      const hidden = graph.replaceAll('sentence_embedding', 'SENTENCE_EMBEDDING');
      writeFileSync(join(directory, 'onnx/model.onnx'), hidden, 'latin1');
      const pooled = await loadEncoder({ model: directory, device: 'cpu' });
      const ours = await pooled.encode(TEXTS);
      const theirs = await encoder.encode(TEXTS);
      await pooled.close();
      TEXTS.forEach((_, i) => expect(cosine(ours.embeddings, i, theirs.embeddings, i)).toBeCloseTo(1, 5));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('the end of the process', () => {
  /** Runs `body` with an encoder `e` in a process of its own. @returns its exit code and what it wrote to stderr. */
  function inProcess(body: string): Promise<[code: unknown, errors: string]> {
    const load = fileURLToPath(new URL('../../src/encoder/load.js', import.meta.url));
    const script = `import { loadEncoder } from ${JSON.stringify(load)};
      const e = await loadEncoder({ model: ${JSON.stringify(MODEL)}, device: 'cpu' });
      ${body}`;
    return new Promise((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], (error, _out, errors) =>
        resolve([error === null ? 0 : (error.code ?? error.signal), errors]),
      );
    });
  }

  test('an encoder that is not closed keeps no process alive', async () => {
    expect(await inProcess(`await e.encode(['hello']);`)).toEqual([0, '']);
  });

  test('process.exit in the middle of a pass ends cleanly', async () => {
    const long = `Array.from({ length: 8 }, (_, i) => i + ' word'.repeat(200))`;
    expect(await inProcess(`void e.encode(${long}); setTimeout(() => process.exit(7), 20);`)).toEqual([
      7,
      '',
    ]);
  });
});

describe('devices', () => {
  // Set where the tests run beside a GPU.
  const gpuHere = process.env['KSHOT_TEST_GPU'] === '1';

  (gpuHere ? test.skip : test)('a GPU that is not here is an error that says what to install', async () => {
    await expect(loadEncoder({ model: MODEL, device: 'cuda' })).rejects.toMatchObject({
      code: 'device_unavailable',
      message: expect.stringMatching(/"cuda" cannot be had.*ONNXRUNTIME_NODE_INSTALL=cuda12.*cuDNN 9/s),
    });
  });

  test('auto runs on what there is, and says why it is no GPU', async () => {
    const said: string[] = [];
    const say = (message: string): void => void said.push(message);
    const auto = await loadEncoder({ model: MODEL, device: 'auto', warn: say, inform: say });
    expect((await auto.encode(['hello'])).rows).toBe(1);
    if (auto.device === 'cpu') expect(said).toEqual([expect.stringContaining('CPU')]);
    await auto.close();
  });
});
