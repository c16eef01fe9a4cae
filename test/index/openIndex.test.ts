import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_PARAMETERS } from '../../src/index/hnsw.js';
import { openIndex, type IndexSource, type OpenOptions } from '../../src/index/openIndex.js';
import { loadSnapshot, saveSnapshot } from '../../src/index/snapshot.js';
import { bruteForce, clustered, similarities } from './vectors.js';

const D = 16;
const KEY = 'encoder-1';
const VECTORS = clustered(500, D, 31);

function source(rows: ReadonlyMap<number, Float32Array>): IndexSource {
  const embeddings = new Float32Array(rows.size * D);
  [...rows.values()].forEach((vector, row) => embeddings.set(vector, row * D));
  return { dimension: D, ids: [...rows.keys()], embeddings };
}

const stored = (count: number): Map<number, Float32Array> =>
  new Map(VECTORS.slice(0, count).map((vector, i) => [10 * i, vector]));

describe('openIndex', () => {
  let directory: string;
  let options: OpenOptions;
  beforeEach(async () => {
    directory = path.join(await mkdtemp(path.join(tmpdir(), 'kshot-index-')), 'bot');
    options = { exactLimit: 100, snapshot: { directory, key: KEY } };
  });
  afterEach(() => rm(path.dirname(directory), { recursive: true, force: true }));

  const save = async (rows: ReadonlyMap<number, Float32Array>): Promise<void> => {
    const { index } = await openIndex(source(rows), options);
    expect(await saveSnapshot(index, directory, KEY)).toBe(true);
  };
  /** Opens, and checks that the index holds what the source does, whatever it was made from. */
  const open = async (rows: ReadonlyMap<number, Float32Array>, changed: OpenOptions = {}) => {
    const opened = await openIndex(source(rows), { ...options, ...changed });
    expect(opened.index.size).toBe(rows.size);
    expect(opened.index.settled).toBe(true);
    for (const query of VECTORS.slice(0, 20)) {
      expect(similarities(opened.index.search(query, 10))).toEqual(similarities(bruteForce(rows, query, 10)));
    }
    return opened;
  };
  const graphFile = async (): Promise<string> => {
    const names = (await readdir(directory)).filter((name) => name.endsWith('.hnsw'));
    expect(names).toHaveLength(1);
    return path.join(directory, names[0]!);
  };
  const flipBit = async (file: string, position: number): Promise<void> => {
    const bytes = await readFile(file);
    bytes[Math.floor(position * (bytes.length - 1))]! ^= 4;
    await writeFile(file, bytes);
  };

  test('a small source is exact, with or without a snapshot', async () => {
    expect((await open(stored(100))).origin).toBe('exact');
    expect((await open(new Map())).origin).toBe('exact');
  });

  test('a large one is built, in slices, with progress', async () => {
    const seen: number[] = [];
    const opened = await open(stored(300), { onProgress: (done, total) => seen.push(done / total) });
    expect(opened).toMatchObject({ origin: 'built' });
    expect(opened.refusal).toBeUndefined(); // that there is no snapshot yet is no refusal
    expect(seen.length).toBeGreaterThan(30);
    expect(seen.at(-1)).toBe(1);
  });

  test('building can be aborted', async () => {
    const stop = new AbortController();
    const opening = openIndex(source(stored(300)), {
      ...options,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('refuses arrays whose lengths do not agree', async () => {
    const { ids, embeddings } = source(stored(3));
    await expect(openIndex({ dimension: D, ids: ids.slice(1), embeddings })).rejects.toThrow(
      '2 ids need 32 floats, not 48',
    );
  });

  test('a snapshot gives back what was saved', async () => {
    await save(stored(300));
    const opened = await open(stored(300));
    expect(opened).toMatchObject({ origin: 'snapshot', repaired: { added: 0, removed: 0 } });
    // It is a living index: it takes more, and can be saved again.
    opened.index.add(7, VECTORS[400]!);
    opened.index.remove(0);
    while (!opened.index.settled) await new Promise((resolve) => setImmediate(resolve));
    expect(opened.index.graphSize).toBe(300);
    expect(await saveSnapshot(opened.index, directory, KEY)).toBe(true);
    const rows = stored(300).set(7, VECTORS[400]!);
    rows.delete(0);
    expect((await open(rows)).repaired).toEqual({ added: 0, removed: 0 });
    expect(await readdir(directory)).toHaveLength(2);
  });

  test('a stale snapshot is repaired: what is new, gone or changed', async () => {
    await save(stored(300));
    const rows = stored(303);
    rows.delete(50);
    rows.delete(60);
    rows.set(70, VECTORS[450]!);
    expect(await open(rows)).toMatchObject({ origin: 'snapshot', repaired: { added: 4, removed: 3 } });
  });

  test('ids that share a vector, and dead nodes, survive a snapshot', async () => {
    const rows = stored(300).set(1, VECTORS[5]!).set(2, VECTORS[5]!);
    const { index } = await openIndex(source(rows), options);
    for (const id of [100, 110, 2]) {
      index.remove(id);
      rows.delete(id);
    }
    expect(await saveSnapshot(index, directory, KEY)).toBe(true);
    expect(await open(rows)).toMatchObject({ origin: 'snapshot', repaired: { added: 0, removed: 0 } });
  });

  test('a snapshot of which little is left in the store is not used', async () => {
    await save(stored(300));
    const opened = await open(new Map([...stored(500)].slice(200, 350)));
    expect(opened).toMatchObject({ origin: 'built', refusal: expect.stringContaining('too little') });
  });

  test('writes go on while a snapshot is saved; they are found missing and repaired', async () => {
    const rows = stored(300);
    const { index } = await openIndex(source(rows), options);
    const saving = saveSnapshot(index, directory, KEY);
    await new Promise((resolve) => setImmediate(resolve));
    index.remove(20);
    rows.delete(20);
    index.add(3, VECTORS[460]!);
    rows.set(3, VECTORS[460]!);
    expect(index.search(VECTORS[2]!, 1)[0]!.id).not.toBe(20);
    expect(index.search(VECTORS[460]!, 1)[0]!.id).toBe(3);
    await expect(saveSnapshot(index, directory, KEY)).rejects.toThrow('being written already');
    expect(await saving).toBe(true);
    const opened = await open(rows);
    expect(opened.origin).toBe('snapshot');
    expect(opened.repaired.added).toBe(1);
  });

  test('an index without a graph has no snapshot: a former one is deleted', async () => {
    await save(stored(300));
    const { index } = await openIndex(source(stored(50)), options);
    expect(await saveSnapshot(index, directory, KEY)).toBe(false);
    expect(await readdir(directory)).toEqual([]);
    expect(await saveSnapshot(index, path.join(directory, 'nowhere'), KEY)).toBe(false);
  });

  test('a save that fails leaves the former snapshot', async () => {
    await save(stored(300));
    const { index } = await openIndex(source(stored(310)), options);
    index.withGraph = () => Promise.reject(new Error('disk full'));
    await expect(saveSnapshot(index, directory, KEY)).rejects.toThrow('disk full');
    expect(await open(stored(300))).toMatchObject({ origin: 'snapshot', repaired: { added: 0, removed: 0 } });
  });

  test('a save that fails at its last step leaves nothing of its own', async () => {
    await mkdir(path.join(directory, 'manifest.bin', 'in-the-way'), { recursive: true });
    await expect(save(stored(300))).rejects.toThrow();
    expect(await readdir(directory)).toEqual(['manifest.bin']);
    expect(await open(stored(300))).toMatchObject({ origin: 'built' });
  });

  test('a snapshot of another encoder, dimension or graph is refused', async () => {
    await save(stored(300));
    const expected = { key: KEY, dimension: D, parameters: DEFAULT_PARAMETERS };
    const load = (changed: object) => loadSnapshot(directory, { ...expected, ...changed });
    expect((await load({})).graph?.size).toBe(300);
    expect(await load({ key: 'encoder-2' })).toMatchObject({ problem: 'foreign' });
    expect(await load({ dimension: 17 })).toMatchObject({ problem: 'foreign' });
    expect(await load({ parameters: { links: 8, constructionBreadth: 100 } })).toMatchObject({
      problem: 'foreign',
    });
    const opened = await open(stored(300), { snapshot: { directory, key: 'encoder-2' } });
    expect(opened).toMatchObject({ origin: 'built', refusal: expect.stringContaining('encoder-1') });
  });

  test.each([0, 0.01, 0.3, 0.7, 1])('a bit flipped at %d of the graph is noticed', async (position) => {
    await save(stored(300));
    await flipBit(await graphFile(), position);
    expect(await open(stored(300))).toMatchObject({
      origin: 'built',
      refusal: expect.stringContaining('checksum'),
    });
  });

  test.each([0, 0.01, 0.3, 0.7, 1])('a bit flipped at %d of the manifest is noticed', async (position) => {
    await save(stored(300));
    await flipBit(path.join(directory, 'manifest.bin'), position);
    expect((await open(stored(300))).origin).toBe('built');
  });

  test.each([0, 10, 1000, 20_000])('a graph cut off after %i bytes is noticed', async (length) => {
    await save(stored(300));
    await truncate(await graphFile(), length);
    expect(await open(stored(300))).toMatchObject({
      origin: 'built',
      refusal: expect.stringContaining('length'),
    });
  });

  test.each([0, 3, 40, 1000])('a manifest cut off after %i bytes is noticed', async (length) => {
    await save(stored(300));
    await truncate(path.join(directory, 'manifest.bin'), length);
    expect((await open(stored(300))).origin).toBe('built');
  });

  test('a graph that is not there is noticed', async () => {
    await save(stored(300));
    await rm(await graphFile());
    expect((await open(stored(300))).origin).toBe('built');
  });
});
