import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cell } from '../../../src/learn/evaluation/cell.js';
import { fillBenchmark, type FillOptions } from '../../../src/learn/evaluation/fill.js';
import { planSchema, settingsOf } from '../../../src/learn/evaluation/plan.js';
import { ResultStore, settingId } from '../../../src/learn/evaluation/resultStore.js';
import { resultsPage } from '../../../src/learn/report/page.js';
import { initHeads } from '../../../src/heads/runtime.js';

const plan = planSchema.parse({
  benchmarks: [
    {
      benchmark: 'fewrel',
      title: 'FewRel',
      about: 'Relations.',
      encoder: 'shipped',
      encoderSeen: 'the shipped one.',
      options: { sets: ['val_wiki'], episodes: 4 },
      rows: [
        { name: 'untrained prototypes', heads: ['prototypical-euclidean'] },
        { name: 'matching', heads: ['matching'] },
        { name: 'induction', heads: ['fewrel/induction'] },
      ],
      baselines: ['untrained prototypes'],
      published: [
        { name: 'BERT-PAIR', figures: { 'val_wiki, 5-way 1-shot': 85.66 }, source: 'Gao et al. 2019' },
      ],
    },
  ],
});
const [benchmark] = plan.benchmarks;
const [setting] = settingsOf(benchmark!);
const { protocol } = setting!;
const slot = (row: string, head: string) => ({ setting: settingId(setting!), row, head });

const cell = (hits: readonly number[], more: Partial<Cell> = {}): Cell => ({
  key: 'k',
  protocol,
  strata: { all: { of: 25, hits } },
  ...more,
});

const pageOf = (store: ResultStore) =>
  resultsPage(plan, new Map([['fewrel', store]]), { intro: '# Results\n', pictures: 'results' });

describe('the results page', () => {
  test('has every head beside the baseline and the published figures, and says what is missing', async () => {
    const store = ResultStore.inMemory();
    await store.put(slot('untrained prototypes', 'prototypical-euclidean'), cell([10, 20, 10, 20]));
    await store.put(slot('matching', 'matching'), cell([15, 25, 15, 25]));
    const { markdown, pictures } = await pageOf(store);
    // Mean 0.6, variance 0.04 x 4 / 3, standard error 0.1155: ± 22.63.
    expect(markdown).toMatch(/\| untrained prototypes +\| 60\.00 ± 22\.63 +\|/);
    expect(markdown).toMatch(/\| matching +\| \*\*80\.00 ± 22\.63\*\* +\|/);
    expect(markdown).toMatch(/\| matching +\| \+20\.00 ± 0\.00 +\|/); // paired
    expect(markdown).toMatch(/\| BERT-PAIR \(published\) +\| 85\.66 +\|/);
    expect(markdown).toMatch(/\| induction +\| not trained +\|/);
    expect(markdown).toContain('- BERT-PAIR: Gao et al. 2019');
    expect(markdown).toContain('4 episodes a setting');
    expect([...pictures.keys()]).toEqual(['fewrel-accuracy.svg']);
    expect(markdown).toContain('](results/fewrel-accuracy.svg)');
  });

  test('says what a trained head has seen, and draws its learning curve', async () => {
    const store = ResultStore.inMemory();
    const history = [0, 50].map((step) => ({ step, value: 0.5, low: 0.4, high: 0.6 }));
    const training = { weights: 'w', data: ['fewrel:train'], seed: 3, episodes: 4000, history };
    await store.put(slot('induction', 'fewrel/induction'), cell([20, 20], { training }));
    const { markdown, pictures } = await pageOf(store);
    expect(markdown).toMatch(/\| induction +\| fewrel:train +\| 4,000 +\| 3 +\|/);
    expect(pictures.get('fewrel-learning.svg')).toContain('FewRel: learning curves');
  });

  test('leaves out what was measured by another protocol', async () => {
    const store = ResultStore.inMemory();
    const other = cell([10, 10], { protocol: { ...protocol, seed: 99 } as Cell['protocol'] });
    await store.put(slot('matching', 'matching'), other);
    expect((await pageOf(store)).markdown).toMatch(/\| matching +\| not evaluated +\|/);
  });

  test('is the same whenever the same is stored', async () => {
    const make = async () => {
      const store = ResultStore.inMemory();
      await store.put(slot('matching', 'matching'), cell([15, 25, 15, 25]));
      return pageOf(store);
    };
    expect(await make()).toEqual(await make());
  });

  test('has a dash and a reason for a head that cannot', async () => {
    const store = ResultStore.inMemory();
    const unsupported = { key: 'k', protocol, unsupported: 'At most 256 rows.' };
    await store.put(slot('induction', 'fewrel/induction'), unsupported);
    const { markdown } = await pageOf(store);
    expect(markdown).toMatch(/\| induction +\| cannot +\|/);
    expect(markdown).toContain('Cannot: At most 256 rows.');
  });
});

describe('what was evaluated', () => {
  beforeAll(initHeads);
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kshot-results-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is not evaluated again, unless what it follows from has changed', async () => {
    const file = join(folder, 'fewrel.json');
    let evaluated = 0;
    const missing: string[] = [];
    const options = (fingerprint: string): FillOptions => ({
      bench: () =>
        Promise.resolve({
          evaluator: {
            dimensionOf: () => Promise.resolve(2),
            evaluate: () => {
              evaluated++;
              return Promise.resolve({ strata: { all: { of: 25, hits: [5, 25] } } });
            },
          },
          fingerprintOf: () => Promise.resolve(fingerprint),
        }),
      locate: (head) => (head.includes('/') ? join(folder, head) : head),
      inform: () => undefined,
      missing: ({ message }) => missing.push(message),
    });
    const fill = async (fingerprint: string) => {
      evaluated = 0;
      await fillBenchmark(benchmark!, await ResultStore.open(file), options(fingerprint));
      return evaluated;
    };
    expect(await fill('encoder 1')).toBe(8); // two untrained heads, four settings
    expect(missing).toHaveLength(4);
    expect(missing[0]).toContain('fewrel/induction');
    expect(await fill('encoder 1')).toBe(0);
    expect(await fill('encoder 2')).toBe(8);

    const stored = await ResultStore.open(file);
    expect(stored.get(slot('matching', 'matching'))?.strata).toEqual({ all: { of: 25, hits: [5, 25] } });
    expect(await readFile(file, 'utf8')).toBe(`${stored.toJson()}\n`);
  });

  test('is refused in a file that holds something else', async () => {
    const file = join(folder, 'other.json');
    await writeFile(file, '{"a": 1}');
    await expect(ResultStore.open(file)).rejects.toMatchObject({ code: 'invalid_file' });
  });
});
