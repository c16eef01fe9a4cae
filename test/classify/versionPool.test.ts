import { beforeEach, expect, test } from '@jest/globals';
import { MAX_SPARE_VERSIONS, VersionPool } from '../../src/classify/versionPool.js';

let opened: string[];
let released: string[];
let pinned: Set<string>;
let failure: Error | undefined;
let pool: VersionPool<string>;

beforeEach(() => {
  opened = [];
  released = [];
  pinned = new Set();
  failure = undefined;
  pool = new VersionPool({
    open: async (bot, version) => {
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      opened.push(`${bot} ${version}`);
      return `${bot} ${version}`;
    },
    release: (live) => void released.push(live),
    isPinned: (bot, version) => pinned.has(`${bot} ${version}`),
  });
});

const ask = (version: string, bot = 'bank') => pool.use(bot, version, (live) => Promise.resolve(live));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Asks for as many other versions as stay in memory. */
async function askForOthers(): Promise<void> {
  for (let i = 0; i < MAX_SPARE_VERSIONS; i++) await ask(`other ${i}`);
  await turn();
}

test('a version is opened once, however many ask for it', async () => {
  const answers = await Promise.all([ask('v1'), ask('v1'), ask('v1', 'shop')]);
  await ask('v1');
  expect(answers).toEqual(['bank v1', 'bank v1', 'shop v1']);
  expect(opened).toEqual(['bank v1', 'shop v1']);
});

test('the one that was used least recently is let go when there are too many', async () => {
  await ask('v1');
  await ask('v2');
  await ask('v1');
  for (let i = 2; i < MAX_SPARE_VERSIONS; i++) await ask(`other ${i}`);
  await turn();
  expect(released).toEqual([]);
  await ask('one more');
  await turn();
  expect(released).toEqual(['bank v2']);
  expect(pool.live).toHaveLength(MAX_SPARE_VERSIONS);
  await ask('v2');
  expect(opened.filter((live) => live === 'bank v2')).toHaveLength(2);
});

test('one that is pinned stays, until it is pinned no longer', async () => {
  pinned.add('bank v1');
  await pool.load('bank', 'v1');
  await askForOthers();
  expect(released).toEqual([]);
  pinned.clear();
  pool.trim();
  await turn();
  expect(released).toEqual(['bank v1']);
});

test('one that is let go is freed when the last request to it is over', async () => {
  let finish = () => {};
  const request = pool.use('bank', 'v1', async (live) => {
    await new Promise<void>((resolve) => (finish = resolve));
    return `${live} has answered, freed: ${released.length}`;
  });
  await askForOthers();
  pool.drop('bank');
  await turn();
  expect(released).not.toContain('bank v1');
  expect(pool.live).toEqual(['bank v1']); // Whatever it stands on is needed still.
  released.length = 0;
  finish();
  expect(await request).toBe('bank v1 has answered, freed: 0');
  await turn();
  expect(released).toEqual(['bank v1']);
  expect(pool.live).toEqual([]);
});

test('one that is in use counts, and others go instead', async () => {
  let finish = () => {};
  const request = pool.use('bank', 'v1', () => new Promise<void>((resolve) => (finish = resolve)));
  await askForOthers();
  expect(released).toEqual(['bank other 0']);
  finish();
  await request;
});

test('one that could not be opened is tried again', async () => {
  failure = new Error('disk');
  await expect(ask('v1')).rejects.toThrow('disk');
  failure = undefined;
  expect(await ask('v1')).toBe('bank v1');
});

test('dropping one lets the others be', async () => {
  await ask('v1');
  await ask('v2');
  await ask('v1', 'shop');
  pool.drop('bank', 'v1');
  await turn();
  expect(released).toEqual(['bank v1']);
  pool.drop('bank');
  await turn();
  expect(released).toEqual(['bank v1', 'bank v2']);
});

test('closing frees all, what is being opened too', async () => {
  await ask('v1');
  void pool.load('bank', 'v2');
  await pool.close();
  expect(released.sort()).toEqual(['bank v1', 'bank v2']);
});
