import { beforeEach, expect, test } from '@jest/globals';
import { LivePool } from '../../src/classify/livePool.js';

const LIMIT = 4;

let opened: string[];
let released: string[];
/** What takes something else of the limit than 1. */
let weights: Map<string, number>;
let failure: Error | undefined;
let pool: LivePool<string>;

beforeEach(() => {
  opened = [];
  released = [];
  weights = new Map();
  failure = undefined;
  pool = new LivePool({
    open: async (name) => {
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      opened.push(name);
      return `live ${name}`;
    },
    release: (live) => void released.push(live),
    weigh: (name) => weights.get(name) ?? 1,
    limit: LIMIT,
  });
});

const ask = (name: string) => pool.use(name, (live) => Promise.resolve(live));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Asks for as many others as the limit has room for. */
async function askForOthers(): Promise<void> {
  for (let i = 0; i < LIMIT; i++) await ask(`other ${i}`);
  await turn();
}

test('each is opened once, however many ask for it', async () => {
  const answers = await Promise.all([ask('bank'), ask('bank'), ask('shop')]);
  await ask('bank');
  expect(answers).toEqual(['live bank', 'live bank', 'live shop']);
  expect(opened).toEqual(['bank', 'shop']);
});

test('the one that was used least recently is let go when there are too many', async () => {
  await ask('bank');
  await ask('shop');
  await ask('bank');
  for (let i = 2; i < LIMIT; i++) await ask(`other ${i}`);
  await turn();
  expect(released).toEqual([]);
  await ask('one more');
  await turn();
  expect(released).toEqual(['live shop']);
  expect([pool.live.length, pool.weight, pool.letGos]).toEqual([LIMIT, LIMIT, 1]);
  await ask('shop');
  expect(opened.filter((name) => name === 'shop')).toHaveLength(2);
});

test('as many are let go as it takes to make room for a large one', async () => {
  await askForOthers();
  weights.set('large', 3);
  await ask('large');
  await turn();
  expect(released).toEqual(['live other 0', 'live other 1', 'live other 2']);
});

test('one that is larger than the limit answers, alone', async () => {
  weights.set('large', LIMIT + 1);
  await ask('bank');
  expect(await ask('large')).toBe('live large');
  await ask('large');
  await turn();
  expect(released).toEqual(['live bank']);
  expect(opened).toEqual(['bank', 'large']);
  await ask('bank');
  await turn();
  expect(released).toEqual(['live bank', 'live large']);
});

test('what has grown counts when it was used', async () => {
  await askForOthers();
  weights.set('other 3', 2);
  await ask('other 3');
  await turn();
  expect(released).toEqual(['live other 0']);
});

test('one that takes nothing of the limit stays, until it does', async () => {
  weights.set('bank', 0);
  await pool.load('bank');
  await askForOthers();
  expect(released).toEqual([]);
  weights.clear();
  pool.trim();
  await turn();
  expect(released).toEqual(['live bank']);
});

test('one that is dropped is freed when the last request to it is over', async () => {
  let finish = () => {};
  const request = pool.use('bank', async (live) => {
    await new Promise<void>((resolve) => (finish = resolve));
    return `${live} has answered, freed: ${released.length}`;
  });
  await turn();
  pool.drop('bank');
  await turn();
  expect(pool.live).toEqual(['live bank']); // Whatever it stands on is needed still.
  expect(pool.get('bank')).toBeUndefined();
  finish();
  expect(await request).toBe('live bank has answered, freed: 0');
  await turn();
  expect(released).toEqual(['live bank']);
  expect([pool.live, pool.weight]).toEqual([[], 0]);
});

test('one that is in use counts, and others go instead', async () => {
  let finish = () => {};
  const request = pool.use('bank', () => new Promise<void>((resolve) => (finish = resolve)));
  await pool.load('bank');
  await askForOthers();
  expect(released).toEqual(['live other 0']);
  finish();
  await request;
});

test('one that could not be opened is tried again', async () => {
  failure = new Error('disk');
  const both = await Promise.allSettled([ask('bank'), ask('bank')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  failure = undefined;
  expect(await ask('bank')).toBe('live bank');
});

test('what was brought to life elsewhere takes the place of what was there', async () => {
  await ask('bank');
  pool.put('bank', 'other bank');
  pool.put('shop', 'new shop');
  expect([await ask('bank'), await ask('shop')]).toEqual(['other bank', 'new shop']);
  expect([opened, pool.weight]).toEqual([['bank'], 2]);
});

test('closing frees all, what is being opened too', async () => {
  await ask('bank');
  void pool.load('shop');
  await pool.close();
  expect(released.sort()).toEqual(['live bank', 'live shop']);
});
