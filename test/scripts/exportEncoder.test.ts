import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readBotFile } from '../../src/cli/importExport.js';
import { loadEncoder } from '../../src/encoder/load.js';
import { agreementOf } from '../../src/learn/transformer/onnx/checkEmbeddings.js';
import { tinyTexts, writeTinyBert } from '../learn/transformer/tinyBert.js';
import { temporaryDirectories } from '../store/temporary.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/exportEncoder.js', import.meta.url));

function call(...args: string[]): Promise<{ out: string; error: string; code: unknown }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], (failure, out, error) =>
      resolve({ out, error, code: failure === null ? 0 : failure.code }),
    );
  });
}

describe('npm run export-encoder', () => {
  const temporary = temporaryDirectories();
  let folder: string;
  let flags: string[];
  beforeEach(async () => {
    folder = temporary();
    await writeTinyBert(join(folder, 'bert'), 1);
    flags = ['--from', join(folder, 'bert'), '--name', 'mine', '--out', join(folder, 'out')];
  });

  test('exports with the texts of a file', async () => {
    const file = join(folder, 'texts.txt');
    writeFileSync(file, tinyTexts(1, 30).join('\n'));
    const { out, error, code } = await call(...flags, '--texts-file', file, '--number', '20');
    expect([error, code]).toEqual(['', 0]);
    expect(out).toMatch(/onnx\/model_quantized\.onnx +\d\.\d MB +0\.99/);
    expect(out).not.toContain('onnx/model.onnx');
    expect(out).toContain(`mine is in ${join(folder, 'out')}`);
    expect(readFileSync(join(folder, 'out', 'README.md'), 'utf8')).toContain(
      `20 texts of ${file}, drawn with seed 1`,
    );
  });

  test('exports with what is in the repository', async () => {
    const { out, code } = await call(...flags, '--fp32');
    expect(out).toMatch(/onnx\/model\.onnx .* 1\.00000/);
    expect(code).toBe(0);
  });

  test('says in a line what is wrong', async () => {
    const unknown = await call(...flags, '--texts', 'mnist');
    expect(unknown.error).toMatch(/^export-encoder: there is no set "mnist"; there are [^\n]*\n$/);
    const absent = await call('--from', folder, '--name', 'mine', '--out', join(folder, 'out'));
    expect(absent.error).toMatch(/^export-encoder: [^\n]*config\.json cannot be read\n$/);
    expect([unknown.code, absent.code]).toEqual([1, 1]);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});

/* KSHOT_ENCODERS names the folder of the encoders' parameters, which the repository does not hold. */
const encoders = process.env['KSHOT_ENCODERS'];
const withEncoders = encoders === undefined ? describe.skip : describe;

withEncoders(
  'the shipped encoder (skipped unless KSHOT_ENCODERS names the folder of kshot-minilm-v1)',
  () => {
    const temporary = temporaryDirectories();
    const shipped = fileURLToPath(new URL('../../../models/encoder', import.meta.url));

    async function embed(model: string, weights: string, texts: readonly string[]): Promise<Float32Array> {
      const encoder = await loadEncoder({ model, weights, device: 'cpu' });
      try {
        return (await encoder.encode(texts)).embeddings;
      } finally {
        await encoder.close();
      }
    }

    test('comes out as it ships', async () => {
      const from = join(encoders!, 'kshot-minilm-v1');
      const folder = join(temporary(), 'out');
      const { error, code } = await call('--from', from, '--name', 'again', '--out', folder);
      expect([error, code]).toEqual(['', 0]);
      const demo = fileURLToPath(new URL('../../../data/demo.yml', import.meta.url));
      const { document } = await readBotFile(demo);
      const texts = document.intents.flatMap(({ examples }) => examples);
      for (const [weights, least] of [
        ['model_quantized', 0.99],
        ['model_q8f16', 0.9995],
      ] as const) {
        const [ours, theirs] = [await embed(folder, weights, texts), await embed(shipped, weights, texts)];
        expect(agreementOf(ours, theirs, 384).meanCosine).toBeGreaterThan(least);
      }
    }, 120_000);
  },
);
