import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseHubId } from '../../src/encoder/hub.js';
import { loadEncoder, type DownloadProgress, type EncoderOptions } from '../../src/encoder/load.js';
import { writeTinyModel } from './tinyModel.js';

let model: string;
let cacheDir: string;
let server: Server;
let hubUrl: string;
let requested: string[];
/** Paths whose download breaks off in the middle. */
let broken: Set<string>;

beforeEach(async () => {
  model = writeTinyModel({ config: { _name_or_path: 'x', max_position_embeddings: 8 } });
  cacheDir = mkdtempSync(join(tmpdir(), 'kshot-hub-'));
  requested = [];
  broken = new Set();
  server = createServer((request, response) => {
    const url = request.url ?? '';
    requested.push(url);
    const file = /^\/org\/tiny\/resolve\/(?:main|refs%2Fpr%2F1)\/(.+)$/.exec(url)?.[1];
    try {
      const content = readFileSync(join(model, file ?? '/none'));
      response.writeHead(200, { 'content-length': content.length });
      if (!broken.has(file ?? '')) response.end(content);
      else response.write(content.subarray(0, 10), () => response.destroy());
    } catch {
      response.writeHead(404).end('Entry not found');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(model, { recursive: true });
  rmSync(cacheDir, { recursive: true });
});

async function loadAndClose(
  options: Partial<EncoderOptions> = {},
): Promise<{ name: string; fingerprint: string }> {
  const encoder = await loadEncoder({
    model: 'org/tiny',
    device: 'cpu',
    cacheDir,
    hubUrl,
    threads: 1,
    ...options,
  });
  const { rows } = await encoder.encode(['east']);
  await encoder.close();
  expect(rows).toBe(1);
  return { name: encoder.name, fingerprint: encoder.fingerprint };
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();

describe('a model of the hub', () => {
  test('is downloaded once; afterwards nothing is asked for, not even what is not there', async () => {
    const progress: DownloadProgress[] = [];
    const first = await loadAndClose({ progress: (event) => void progress.push(event) });
    expect(first.name).toBe('org/tiny');
    expect(requested).toContain('/org/tiny/resolve/main/onnx/model_quantized.onnx'); // preferred, absent
    expect(requested).toContain('/org/tiny/resolve/main/onnx/model.onnx');
    const weights = progress.filter((event) => event.file === 'onnx/model.onnx');
    expect(weights.at(-1)?.loaded).toBe(weights.at(-1)?.total);
    expect(filesUnder(cacheDir)).toEqual(['.absent.json', 'config.json', 'model.onnx', 'tokenizer.json']);

    requested.length = 0;
    const second = await loadAndClose();
    expect(requested).toEqual([]);
    expect(second).toEqual(first);
    await loadAndClose({ offline: true });
  });

  test('a revision is asked for, and kept apart', async () => {
    const named = await loadAndClose({ model: 'org/tiny@refs/pr/1' });
    expect(named.name).toBe('org/tiny@refs/pr/1');
    expect(requested).toContain('/org/tiny/resolve/refs%2Fpr%2F1/config.json');
    requested.length = 0;
    await loadAndClose();
    expect(requested).toContain('/org/tiny/resolve/main/config.json');
  });

  test('a download that breaks off leaves nothing behind, and the next start fetches only what is missing', async () => {
    broken.add('onnx/model.onnx');
    await expect(loadAndClose()).rejects.toMatchObject({
      code: 'encoder_unavailable',
      message: expect.stringContaining('onnx/model.onnx cannot be downloaded'),
    });
    expect(filesUnder(cacheDir)).toEqual(['.absent.json', 'config.json', 'tokenizer.json']);
    broken.clear();
    requested.length = 0;
    await loadAndClose();
    expect(requested).toEqual([
      '/org/tiny/resolve/main/onnx/model.onnx',
      '/org/tiny/resolve/main/onnx/model.onnx_data',
    ]);
  });

  test('a model that the hub does not have', async () => {
    const missing = loadAndClose({ model: 'org/absent' });
    await expect(missing).rejects.toMatchObject({ code: 'encoder_unavailable' });
    await expect(missing).rejects.toThrow(/"org\/absent" is no directory here.*Check the name/);
  });

  test('weights that the hub does not have', async () => {
    await expect(loadAndClose({ weights: 'model_fp16' })).rejects.toThrow(/model_fp16\.onnx/);
  });

  test('no network', async () => {
    const unreachable = loadAndClose({ hubUrl: 'http://127.0.0.1:1' });
    await expect(unreachable).rejects.toMatchObject({ code: 'encoder_unavailable' });
    await expect(unreachable).rejects.toThrow(/config\.json cannot be downloaded/);
  });

  test('offline, and nothing in the cache', async () => {
    await expect(loadAndClose({ offline: true })).rejects.toThrow(/downloads are turned off/);
    expect(requested).toEqual([]);
  });

  test('without a cache directory', async () => {
    const encoder = loadEncoder({ model: 'org/tiny', device: 'cpu', hubUrl });
    await expect(encoder).rejects.toMatchObject({ code: 'invalid_configuration' });
  });
});

describe('parseHubId', () => {
  test.each([
    ['org/name', { repository: 'org/name', revision: 'main' }],
    ['org/name@v1.0', { repository: 'org/name', revision: 'v1.0' }],
    ['org/name@refs/pr/1', { repository: 'org/name', revision: 'refs/pr/1' }],
    ['name', undefined],
    ['./org/name', undefined],
    ['/org/name', undefined],
    ['a/b/c', undefined],
    ['org/..', undefined],
    ['org/name@../../x', undefined],
  ])('%s', (text, expected) => {
    expect(parseHubId(text)).toEqual(expected);
  });
});
