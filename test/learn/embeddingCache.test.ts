import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { embedSet } from '../../src/learn/embeddedSet.js';
import { EmbeddingCache } from '../../src/learn/embeddingCache.js';
import { WordEncoder } from '../classify/wordEncoder.js';
import { setOf } from './textSets.js';

const D = 128;
const ENTRY_BYTES = 40;

let directory: string;
let open: EmbeddingCache[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-embeddings-'));
  open = [];
});

afterEach(() => {
  for (const cache of open) cache.close();
  rmSync(directory, { recursive: true });
});

function opened(): EmbeddingCache {
  const cache = new EmbeddingCache(directory);
  open.push(cache);
  return cache;
}

/** Embeds with a cache of its own, as another process would. */
async function embed(encoder: WordEncoder, texts: readonly string[]): Promise<Float32Array> {
  const cache = opened();
  const embeddings = await cache.embedAll(encoder, texts);
  cache.close();
  return embeddings;
}

async function expected(texts: readonly string[], fingerprint = 'words-1'): Promise<Float32Array> {
  return (await new WordEncoder(fingerprint).encode(texts)).embeddings;
}

function fileOf(name: string): string {
  const [folder] = readdirSync(directory);
  return join(directory, folder!, name);
}

const texts = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `text number ${i + from} is here`);

describe('a cache of embeddings', () => {
  test('encodes what it does not have, once, and gives rows in the order of the texts', async () => {
    const encoder = new WordEncoder();
    const cache = opened();
    const wanted = ['b', 'a', 'b', 'ä', ' a', 'a'];
    expect(await cache.embedAll(encoder, wanted)).toEqual(await expected(wanted));
    expect(encoder.seen).toEqual(['b', 'a', 'ä', ' a']); // to the last space: texts are compared exactly
    expect(await cache.embedAll(encoder, ['c', 'a'])).toEqual(await expected(['c', 'a']));
    expect(encoder.seen).toEqual(['b', 'a', 'ä', ' a', 'c']);
    expect(await cache.embedAll(encoder, [])).toEqual(new Float32Array(0));
  });

  test('has them in the next process', async () => {
    const first = texts(700);
    await embed(new WordEncoder(), first);
    const encoder = new WordEncoder();
    const shuffled = [...first.slice(300), 'new', ...first.slice(0, 300).reverse()];
    const [rows, right] = [await embed(encoder, shuffled), await expected(shuffled)];
    expect(Buffer.from(rows.buffer).equals(Buffer.from(right.buffer))).toBe(true); // toEqual takes seconds here
    expect(encoder.seen).toEqual(['new']);
  });

  test('keeps the embeddings of two encoders apart', async () => {
    const [one, two] = [new WordEncoder('words-1'), new WordEncoder('words-2')];
    const cache = opened();
    await cache.embedAll(one, ['a b']);
    expect(await cache.embedAll(two, ['a b'])).toEqual(await expected(['a b'], 'words-2'));
    expect(two.seen).toEqual(['a b']);
    expect(await cache.embedAll(one, ['a b'])).toEqual(await expected(['a b']));
    expect(one.seen).toEqual(['a b']);
  });

  test('tells how far it is, over the different texts', async () => {
    await embed(new WordEncoder(), texts(10));
    const told: number[][] = [];
    await opened().embedAll(new WordEncoder(), [...texts(1100), ...texts(5)], {
      progress: (done, total) => told.push([done, total]),
    });
    expect(told).toEqual([
      [10, 1100],
      [522, 1100],
      [1034, 1100],
      [1100, 1100],
    ]);
  });

  test('keeps what was embedded before the encoder failed', async () => {
    const encoder = new WordEncoder();
    const failing = {
      name: encoder.name,
      fingerprint: encoder.fingerprint,
      dimension: D,
      encode: (batch: readonly string[]) => {
        if (encoder.seen.length > 0) return Promise.reject(new Error('out of memory'));
        return encoder.encode(batch);
      },
    };
    const cache = opened();
    await expect(cache.embedAll(failing, texts(600))).rejects.toThrow('out of memory');
    cache.close();
    const next = new WordEncoder();
    await embed(next, texts(600));
    expect(next.seen).toHaveLength(600 - 512);
  });

  test('is for one process at a time, and for none once it is closed', async () => {
    const cache = opened();
    await cache.embedAll(new WordEncoder(), ['a']);
    await expect(opened().embedAll(new WordEncoder(), ['a'])).rejects.toMatchObject({ code: 'store_in_use' });
    await expect(opened().embedAll(new WordEncoder('words-2'), ['a'])).resolves.toHaveLength(D);
    cache.close();
    cache.close();
    await expect(cache.embedAll(new WordEncoder(), ['a'])).rejects.toMatchObject({ code: 'not_ready' });
    await expect(opened().embedAll(new WordEncoder(), ['a'])).resolves.toHaveLength(D);
  });

  test('says where, if its files cannot be had', async () => {
    const file = join(directory, 'no directory');
    writeFileSync(file, '');
    const cache = new EmbeddingCache(file);
    await expect(cache.embedAll(new WordEncoder(), ['a'])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(file) as unknown,
    });
  });
});

describe('after a crash', () => {
  const before = texts(3);
  const after = texts(2, 100);

  /** Whatever was left, every text is embedded rightly and those written before the crash are not encoded again. */
  async function expectWhole(kept: readonly string[]): Promise<void> {
    const encoder = new WordEncoder();
    const all = [...before, ...after];
    expect(await embed(encoder, all)).toEqual(await expected(all));
    expect(encoder.seen).toEqual(all.filter((text) => !kept.includes(text)));
    const again = new WordEncoder();
    expect(await embed(again, all)).toEqual(await expected(all));
    expect(again.seen).toEqual([]);
  }

  test.each([0, 1, 511, 512, 700, 1023])(
    'a tail of %i bytes of rows without entries is cut',
    async (bytes) => {
      await embed(new WordEncoder(), before);
      appendFileSync(fileOf('rows.f32'), Buffer.alloc(bytes, 7));
      await expectWhole(before);
      expect(statSync(fileOf('rows.f32')).size).toBe(5 * D * 4);
    },
  );

  test.each([1, 17, 39, 40, 41, 79])('a tail of %i bytes of entries cut short is cut', async (bytes) => {
    await embed(new WordEncoder(), [...before, ...after]);
    const index = fileOf('rows.index');
    truncateSync(index, 3 * ENTRY_BYTES + bytes);
    await expectWhole(bytes < ENTRY_BYTES ? before : [...before, after[0]!]);
    expect(statSync(index).size).toBe(5 * ENTRY_BYTES);
  });

  test('entries that came to be zeros, or whose rows did not come to be, are cut', async () => {
    await embed(new WordEncoder(), before);
    appendFileSync(fileOf('rows.f32'), Buffer.alloc(2 * D * 4));
    appendFileSync(fileOf('rows.index'), Buffer.alloc(2 * ENTRY_BYTES));
    await expectWhole(before);
    truncateSync(fileOf('rows.f32'), 3 * D * 4 + 100);
    await expectWhole(before);
  });

  test('a row that changed on disk is encoded anew', async () => {
    await embed(new WordEncoder(), [...before, ...after]);
    const file = fileOf('rows.f32');
    const bytes = readFileSync(file);
    bytes[D * 4 + 5]! ^= 1; // in the second row
    writeFileSync(file, bytes);
    await expectWhole([before[0]!, before[2]!, ...after]);
  });
});

test('a set is embedded with its classes and what is out of scope', async () => {
  const set = { ...setOf([2, 1]), outOfScope: ['outside'] };
  const encoder = new WordEncoder();
  const embedded = await embedSet(
    set,
    D,
    (list) => opened().embedAll(encoder, list),
    ({ name }) => (name === 'c00' ? '' : 'class one'),
  );
  expect(embedded.embeddings).toEqual(await expected(set.texts));
  expect(embedded.outOfScope).toEqual(await expected(['outside']));
  expect(embedded.names.subarray(0, D)).toEqual(new Float32Array(D));
  expect(embedded.names.subarray(D)).toEqual(await expected(['class one']));
});
