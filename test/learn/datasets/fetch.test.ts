import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchDataset, type FetchOptions } from '../../../src/learn/datasets/fetch.js';
import { readManifest, type ManifestDataset } from '../../../src/learn/datasets/manifest.js';
import { Folder } from './folder.js';

const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join(''));
const SMALL = Buffer.from('a\tb\n');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: Folder;
let server: Server;
let answer: Answer;
/** `path` or `path bytes=…` of every request. */
let asked: string[];

beforeEach(async () => {
  folder = new Folder();
  asked = [];
  answer = serve;
  server = createServer((request, response) => {
    const { range } = request.headers;
    asked.push(range === undefined ? request.url! : `${request.url!} ${range}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  folder.remove();
});

function bodyOf(request: IncomingMessage): Buffer {
  return request.url!.endsWith('small.tsv') ? SMALL : CONTENT;
}

/** A server that knows ranges. */
const serve: Answer = (request, response) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200);
  response.end(bodyOf(request).subarray(from));
};

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function dataset(change: Partial<ManifestDataset['files'][number]> = {}): ManifestDataset {
  const url = 'https://raw.example.org/owner/repository/0123abc';
  return {
    folder: 'toy',
    what: 'a toy',
    licence: 'none',
    repository: 'https://example.org/owner/repository',
    commit: '0123abc',
    files: [
      {
        path: 'data/large.txt',
        url: `${url}/large.txt`,
        bytes: CONTENT.length,
        sha256: sha256(CONTENT),
        ...change,
      },
      { path: 'small.tsv', url: `${url}/data/small.tsv`, bytes: SMALL.length, sha256: sha256(SMALL) },
    ],
  };
}

function bring(from = dataset(), options: FetchOptions = {}) {
  const { port } = server.address() as AddressInfo;
  return fetchDataset(from, folder.path, { mirror: `http://127.0.0.1:${port}/`, ...options });
}

const large = () => join(folder.path, 'toy/data/large.txt');

describe('fetching a set', () => {
  test('every file from its address, to its place, with progress', async () => {
    const told: number[] = [];
    const report = await bring(dataset(), { progress: (bytes) => told.push(bytes) });
    expect(report).toEqual({ fetched: 2, present: 0 });
    expect(readFileSync(large())).toEqual(CONTENT);
    expect(readFileSync(join(folder.path, 'toy/small.tsv'))).toEqual(SMALL);
    expect(asked.sort()).toEqual([
      '/owner/repository/0123abc/data/small.tsv',
      '/owner/repository/0123abc/large.txt',
    ]);
    expect(told.at(-1)).toBe(CONTENT.length + SMALL.length);
    expect(existsSync(`${large()}.partial`)).toBe(false);
  });

  test('what is there and right is left alone, what is there and wrong is fetched', async () => {
    await bring();
    asked = [];
    let bytes = 0;
    expect(await bring(dataset(), { progress: (done) => (bytes = done) })).toEqual({
      fetched: 0,
      present: 2,
    });
    expect(asked).toEqual([]);
    expect(bytes).toBe(CONTENT.length + SMALL.length);

    folder.write('toy/small.tsv', 'a\tc\n');
    expect(await bring()).toEqual({ fetched: 1, present: 1 });
    expect(readFileSync(join(folder.path, 'toy/small.tsv'))).toEqual(SMALL);
  });

  test('a download that was broken off goes on where it stopped', async () => {
    folder.write('toy/data/large.txt.partial', CONTENT.subarray(0, 1234));
    let bytes = 0;
    await bring(dataset(), { progress: (done) => (bytes = done) });
    expect(asked).toContain('/owner/repository/0123abc/large.txt bytes=1234-');
    expect(readFileSync(large())).toEqual(CONTENT);
    expect(bytes).toBe(CONTENT.length + SMALL.length);
  });

  test('or is begun anew, by a server that knows no ranges', async () => {
    folder.write('toy/data/large.txt.partial', CONTENT.subarray(0, 1234));
    answer = (request, response) => response.end(bodyOf(request));
    let bytes = 0;
    await bring(dataset(), { progress: (done) => (bytes = done) });
    expect(readFileSync(large())).toEqual(CONTENT);
    expect(bytes).toBe(CONTENT.length + SMALL.length);
  });

  test('or needs only to be named, if all of it was there', async () => {
    folder.write('toy/data/large.txt.partial', CONTENT);
    await bring();
    expect(asked).toEqual(['/owner/repository/0123abc/data/small.tsv']);
    expect(readFileSync(large())).toEqual(CONTENT);
  });
});

describe('what cannot be had is said, and nothing wrong is kept', () => {
  test('another content than the manifest says', async () => {
    await expect(bring(dataset({ sha256: '0'.repeat(64) }))).rejects.toMatchObject({
      code: 'invalid_file',
      message: expect.stringMatching(/large\.txt: its SHA-256 is [0-9a-f]{64}, not 0{64}/) as unknown,
    });
    expect(existsSync(large())).toBe(false);
    expect(existsSync(`${large()}.partial`)).toBe(false);
  });

  test('a file that is not there', async () => {
    answer = (_request, response) => response.writeHead(404).end('404: Not Found');
    await expect(bring()).rejects.toMatchObject({
      code: 'invalid_file',
      message: expect.stringContaining('HTTP 404') as unknown,
    });
  });

  test('a file that is too long, or too short', async () => {
    await expect(bring(dataset({ bytes: 100 }))).rejects.toThrow(/longer than the 100 bytes/);
    await expect(bring(dataset({ bytes: CONTENT.length + 1 }))).rejects.toThrow(
      /ended after \d+ of \d+ bytes/,
    );
    expect(existsSync(large())).toBe(false);
  });

  test('a connection that breaks; what came is kept for the next run', async () => {
    const toy = { ...dataset(), files: dataset().files.slice(0, 1) };
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 2000), () => response.destroy());
    };
    await expect(bring(toy)).rejects.toThrow(/cannot be downloaded: .*Run it again/);
    expect(existsSync(large())).toBe(false);
    answer = serve;
    expect(await bring(toy)).toEqual({ fetched: 1, present: 0 });
    expect(readFileSync(large())).toEqual(CONTENT);
  });

  test('a server that falls silent', async () => {
    answer = () => undefined;
    await expect(bring(dataset(), { stallMs: 50 })).rejects.toThrow(/nothing came for 50 ms/);
  });

  test('no network', async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve)); // nobody listens there now
    await expect(
      fetchDataset(dataset(), folder.path, { mirror: `http://127.0.0.1:${port}` }),
    ).rejects.toThrow(
      /owner\/repository.* cannot be downloaded: fetch failed .*ECONNREFUSED.*without a network, copy the file/,
    );
  });

  test('a stop on demand', async () => {
    const stop = new AbortController();
    answer = () => stop.abort();
    await expect(bring(dataset(), { signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('a manifest that leads out of the folder', async () => {
    const wrong = dataset({ path: '../../outside.txt' });
    const file = folder.write('manifest.json', JSON.stringify({ datasets: [wrong] }));
    await expect(readManifest(file)).rejects.toThrow(/datasets\.0\.files\.0\.path/);
    const right = folder.write('right.json', JSON.stringify({ datasets: [dataset()] }));
    expect(await readManifest(right)).toEqual({ datasets: [dataset()] });
  });
});
