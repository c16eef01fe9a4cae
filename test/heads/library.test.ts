import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HeadLibrary } from '../../src/heads/library.js';
import { HEAD_NAMES } from '../../src/heads/registry.js';
import { initHeads } from '../../src/heads/runtime.js';
import { type CheckpointOptions, writeCheckpoint } from './checkpoints.js';
import { seeded, unitRows } from './random.js';

const D = 6;
const ENCODER = { fingerprint: '0123456789abcdef', dimension: D };
const PLAIN: CheckpointOptions = {
  head: 'projected',
  dimension: D,
  encoder: ENCODER.fingerprint,
  options: { width: 3 },
};

let folder: string;
let library: HeadLibrary;

beforeAll(initHeads);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-heads-'));
  library = new HeadLibrary({ directory: folder, encoder: ENCODER });
});
afterEach(async () => {
  library.dispose();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, options: Partial<CheckpointOptions> = {}) =>
  writeCheckpoint(folder, name, { ...PLAIN, ...options });

async function damage(name: string): Promise<void> {
  const [weights] = (await readdir(join(folder, name))).filter((file) => file.startsWith('weights-'));
  await writeFile(join(folder, name, weights!), 'cut short');
}

/** The scores of two fixed queries against two fixed classes. */
function scores(name: string): number[] {
  const { runtime } = library.find(name)!.version!;
  const rows = unitRows(4, D, seeded(5));
  const state = runtime.load(runtime.induce({ counts: [2, 2], rows, names: new Float32Array(2 * D) }));
  const logits = runtime.score(state, unitRows(2, D, seeded(6)));
  state.dispose();
  return [...logits];
}

const changes = async () => (await library.reload()).map(({ name, change }) => `${name}: ${change}`);

describe('a library', () => {
  test('holds the built-in heads, and the checkpoints of its folder by the names of theirs', async () => {
    await write('zeta', { head: 'relation', options: {} });
    await write('mine');
    await mkdir(join(folder, 'notes'));
    await writeFile(join(folder, 'README.md'), 'not a head');
    await write('.hidden');
    expect(await changes()).toEqual(['mine: added', 'zeta: added']);
    expect(library.entries.map(({ name, kind }) => [name, kind])).toEqual([
      ...HEAD_NAMES.map((name) => [name, 'built-in']),
      ['mine', 'trained'],
      ['zeta', 'trained'],
    ]);
    expect(library.find('mine')).toMatchObject({ metadata: { head: 'projected', data: ['toy/train'] } });
    expect(library.find('mine')!.version!.runtime.head.name).toBe('projected');
    expect(library.find('other')).toBeUndefined();
  });

  test('without a folder has the built-in heads alone', async () => {
    const plain = new HeadLibrary({ directory: undefined, encoder: ENCODER });
    expect(await plain.reload()).toEqual([]);
    expect(plain.entries.map(({ name }) => name)).toEqual(HEAD_NAMES);
  });

  test('refuses a folder that is not there', async () => {
    const lost = new HeadLibrary({ directory: join(folder, 'none'), encoder: ENCODER });
    await expect(lost.reload()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('none'),
    });
  });

  test.each<[string, Partial<CheckpointOptions>, string, RegExp]>([
    [
      'another encoder',
      { encoder: 'fedcba' },
      'mine',
      /encoder fedcba and is of no use with 0123456789abcdef/,
    ],
    ['embeddings of another width', { dimension: 5 }, 'mine', /of 5 numbers; the encoder's have 6/],
    ['a built-in head by its name', {}, 'matching', /built-in head's: give the checkpoint's folder another/],
    ['a name that cannot be chosen', {}, 'my head', /cannot be a head's name/],
  ])('does not serve what is made for %s, and says why', async (_, options, name, reason) => {
    await write(name, options);
    await write('fine');
    expect(await changes()).toEqual(expect.arrayContaining([`${name}: refused`, 'fine: added']));
    const entry = library.entries.find((entry) => entry.name === name && entry.kind === 'trained')!;
    expect(entry.version).toBeUndefined();
    expect(entry.problem!.message).toMatch(reason);
    expect(entry.metadata?.data).toEqual(['toy/train']);
    expect(library.find('matching')!.kind).toBe('built-in');
  });

  test('does not serve what is damaged, and says which file', async () => {
    await write('mine');
    await damage('mine');
    await write('endless', { spread: Infinity });
    await write('blank');
    await writeFile(join(folder, 'blank', 'metadata.json'), '{}');
    expect(await changes()).toEqual(['blank: refused', 'endless: refused', 'mine: refused']);
    expect(library.find('mine')!.problem!.message).toMatch(/weights-.*is damaged/);
    expect(library.find('endless')!.problem!.message).toMatch(/no finite number/);
    expect(library.find('blank')!.problem!.message).toMatch(/metadata.json does not describe a checkpoint/);
  });
});

describe('looked at anew', () => {
  test('a library whose folder is as before is as before', async () => {
    await write('mine');
    await library.reload();
    const { version } = library.find('mine')!;
    expect(await changes()).toEqual([]);
    expect(library.find('mine')!.version).toBe(version);
  });

  test('weights that have changed are another version, and the former one goes on until it is released', async () => {
    await write('mine');
    await library.reload();
    const before = scores('mine');
    const former = library.find('mine')!.version!;
    await write('mine', { seed: 2 });
    expect(await changes()).toEqual(['mine: changed']);
    const { version } = library.find('mine')!;
    expect(version!.id).not.toBe(former.id);
    expect(scores('mine')).not.toEqual(before);
    const { runtime } = former;
    library.release(new Set([former]));
    expect(former.runtime).toBe(runtime); // it was in use still
    library.release(new Set());
    expect(former.runtime).not.toBe(runtime);
    former.dispose();
  });

  test('the same weights under another description are the same version', async () => {
    await write('mine');
    await library.reload();
    const { version } = library.find('mine')!;
    await write('mine', { metadata: { results: { test: 1 } } });
    expect(await changes()).toEqual([]);
    expect(library.find('mine')).toMatchObject({ version, metadata: { results: { test: 1 } } });
  });

  test('a checkpoint that cannot be loaded any more keeps its former weights', async () => {
    await write('mine');
    await library.reload();
    const before = scores('mine');
    await damage('mine');
    expect(await changes()).toEqual(['mine: kept']);
    expect(scores('mine')).toEqual(before);
    expect(library.find('mine')!.problem!.message).toMatch(/is damaged/);
    await write('mine', { seed: 2 });
    expect(await changes()).toEqual(['mine: changed']);
    expect(library.find('mine')!.problem).toBeUndefined();
  });

  test('a folder that is gone takes its head with it', async () => {
    await write('mine');
    await library.reload();
    await rm(join(folder, 'mine'), { recursive: true });
    expect(await changes()).toEqual(['mine: removed']);
    expect(library.find('mine')).toBeUndefined();
  });

  test('a library whose folder cannot be read keeps all it has', async () => {
    await write('mine');
    await library.reload();
    await rm(folder, { recursive: true });
    await expect(library.reload()).rejects.toMatchObject({ code: 'invalid_configuration' });
    expect(library.find('mine')!.version).toBeDefined();
  });
});
