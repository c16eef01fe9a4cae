import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Encoder } from '../../src/encoder/encoder.js';
import { EmbeddingCache } from '../../src/learn/embeddingCache.js';
import { nameOf, SetLoader } from '../../src/learn/setLoader.js';
import { WordEncoder } from '../classify/wordEncoder.js';

const D = 128;

let directory: string;
let cache: EmbeddingCache;
let opened: string[];
let closed: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-set-loader-'));
  cache = new EmbeddingCache(join(directory, 'cache'));
  opened = [];
  closed = [];
});

afterEach(() => {
  cache.close();
  rmSync(directory, { recursive: true });
});

/** Encoders by their names; `small` has another dimension. */
function encoderNamed(model: string): Encoder {
  const words = new WordEncoder(`fingerprint of ${model}`);
  return {
    name: words.name,
    fingerprint: words.fingerprint,
    dimension: model === 'small' ? 64 : D,
    maxTokens: words.maxTokens,
    device: words.device,
    encode: (texts) => words.encode(texts),
    readsWhole: (text) => words.readsWhole(text),
    refusal: () => words.refusal(),
    stats: () => words.stats(),
    close: () => {
      closed.push(model);
      return words.close();
    },
  };
}

function loader(): SetLoader {
  return new SetLoader({
    root: directory,
    cache,
    encoder: 'main',
    openEncoder: (model) => {
      opened.push(model);
      return Promise.resolve(encoderNamed(model));
    },
    describe: ({ name }) => (name === 'x1' ? '' : name),
  });
}

function file(name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, ['text,label', ...lines, ''].join('\n'));
  return path;
}

async function encoded(model: string, text: string): Promise<Float32Array> {
  return (await encoderNamed(model).encode([text])).embeddings;
}

test("a table is embedded by the run's encoder, or by one of its own", async () => {
  const set = file('mine.csv', ['lost my card,lost', 'hello,x1']);
  const sets = loader();
  const [plain] = await sets.load({ set });
  const [other] = await sets.load({ set, encoder: 'other' });
  expect(plain!.set.classes.map(({ name }) => name)).toEqual(['lost', 'x1']);
  expect(plain!.embeddings.subarray(0, D)).toEqual(await encoded('main', 'lost my card'));
  expect(other!.embeddings.subarray(0, D)).toEqual(await encoded('other', 'lost my card'));
  // A name that says nothing has no embedding.
  expect(plain!.names.subarray(0, D)).toEqual(await encoded('main', 'lost'));
  expect(plain!.names.subarray(D).every((value) => value === 0)).toBe(true);

  expect(await sets.encoderOf()).toEqual({ name: 'words', fingerprint: 'fingerprint of main' });
  expect((await sets.encoderOf({ set, encoder: 'other' })).fingerprint).toBe('fingerprint of other');
  await sets.close();
  expect(opened.sort()).toEqual(['main', 'other']); // once each
  expect(closed.sort()).toEqual(['main', 'other']);
});

test('texts of other sets are taken out', async () => {
  const sets = loader();
  const test = await sets.read({ set: file('test.csv', ['LOST  my card,a', 'good day,b']) });
  const [kept] = await sets.load({ set: file('train.csv', ['lost my card,a', 'it is gone,a']) }, test);
  expect(kept!.set.texts).toEqual(['it is gone']);
  expect(kept!.embeddings).toEqual(await encoded('main', 'it is gone'));
});

test.each([
  ['a set that there is not', { set: 'nonsense' }, 'there is no set "nonsense"'],
  ['a split that the set does not have', { set: 'clinc150', split: 'dev' }, 'has no split "dev"'],
  ['a split of a table', { set: 'mine.csv', split: 'train' }, 'is a table and has no split'],
])('%s is refused', async (_, spec, message) => {
  await expect(loader().load(spec)).rejects.toThrow(message);
});

test('an encoder of another dimension is refused before anything is embedded', async () => {
  const set = file('mine.csv', ['hello,a']);
  await expect(loader().load({ set, encoder: 'small' })).rejects.toThrow(
    'makes embeddings of 64 numbers, words of 128',
  );
});

test('pooled entities need an encoder that gives token states', async () => {
  const set = file('mine.csv', ['hello,a']);
  await expect(loader().load({ set, entities: true })).rejects.toThrow('gives no token states');
});

test('a spec is named as the command line has it', () => {
  expect(nameOf({ set: 'clinc150', encoder: 'e/without' })).toBe('clinc150:train@e/without');
  expect(nameOf({ set: 'fewrel', split: 'val_wiki', entities: true })).toBe('fewrel:val_wiki+entities');
  expect(nameOf({ set: 'a/mine.csv' })).toBe('a/mine.csv');
});
