import { fileURLToPath } from 'node:url';
import { describe, expect, jest, test } from '@jest/globals';
import { readArscTests, readArscTraining } from '../../../src/learn/datasets/arsc.js';
import {
  arscFolder,
  DATASET_NAMES,
  readDataset,
  splitsOf,
  type DatasetName,
} from '../../../src/learn/datasets/catalogue.js';
import { fetchDataset } from '../../../src/learn/datasets/fetch.js';
import { readManifest } from '../../../src/learn/datasets/manifest.js';
import { textKey, type TextSet } from '../../../src/learn/datasets/textSet.js';
import { trainableBeside } from '../../../src/learn/splits.js';

/*
 * The readers on the files themselves. KSHOT_DATASETS names a folder as `scripts/fetchData` fills it; without it these are
 * skipped.
 */
const root = process.env['KSHOT_DATASETS'];
const withData = root === undefined ? describe.skip : describe;
const title = 'the public sets (skipped unless KSHOT_DATASETS names their folder)';

const MANIFEST = fileURLToPath(new URL('../../../../data/datasets.json', import.meta.url));

/** Texts, classes and out-of-scope texts of every split, counted with other programs in the same files. */
const COUNTS: Readonly<Record<Exclude<DatasetName, 'arsc'>, Readonly<Record<string, number[]>>>> = {
  banking77: {
    train: [8622, 77, 0],
    train_5: [385, 77, 0],
    train_10: [770, 77, 0],
    valid: [1540, 77, 0],
    test: [3080, 77, 0],
  },
  clinc150: {
    train: [15000, 150, 100],
    train_5: [750, 150, 0],
    train_10: [1500, 150, 0],
    valid: [3000, 150, 100],
    test: [4500, 150, 1000],
  },
  hwu64: {
    train: [8954, 64, 0],
    train_5: [320, 64, 0],
    train_10: [640, 64, 0],
    valid: [1076, 64, 0],
    test: [1076, 64, 0],
  },
  snips: { train: [13084, 7, 0], valid: [700, 7, 0], test: [700, 7, 0] },
  atis: { train: [4478, 21, 0], valid: [500, 16, 0], test: [893, 20, 0] },
  'clinc-oos': { train: [15000, 150, 100], val: [3000, 150, 100], test: [4500, 150, 1000] },
  'banking77-polyai': { train: [10003, 77, 0], test: [3080, 77, 0] },
  'snips-sonos': { train: [13784, 7, 0], validate: [700, 7, 0] },
  acid: { train: [11130, 175, 0], test: [11042, 175, 0] },
  stackoverflow20: { train: [12000, 20, 0], dev: [2000, 20, 0], test: [6000, 20, 0] },
  rostd: { train: [30521, 12, 0], valid: [4181, 12, 1500], test: [8621, 12, 3090] },
  redwood: { own: [2845, 172, 0] },
  huffpost: { train: [18000, 20, 0], valid: [4500, 5, 0], test: [14400, 16, 0], all: [36900, 41, 0] },
  reuters: { train: [300, 15, 0], valid: [100, 5, 0], test: [220, 11, 0], all: [620, 31, 0] },
  liu54: { train: [11936, 18, 0], valid: [7781, 18, 0], test: [5761, 18, 0], all: [25478, 54, 0] },
  'hwu64-classes': { train: [4008, 23, 0], valid: [2741, 16, 0], test: [4287, 25, 0], all: [11036, 64, 0] },
  fewrel: {
    train: [11575, 64, 0],
    val_wiki: [11200, 16, 0],
    val_nyt: [2500, 25, 0],
    val_pubmed: [1000, 10, 0],
    val_semeval: [8851, 17, 0],
  },
};

withData(title, () => {
  jest.setTimeout(120_000); // a hundred megabytes are read

  const folder = root!;
  const sets = new Map<string, Promise<readonly TextSet[]>>();
  /** Reads a split once for all tests. */
  const readAll = (name: DatasetName, split: string) => {
    const key = `${name} ${split}`;
    const known = sets.get(key) ?? readDataset(folder, name, split);
    sets.set(key, known);
    return known;
  };
  const read = async (name: DatasetName, split: string) => (await readAll(name, split))[0]!;

  test('every split has as many texts, classes and out-of-scope texts as it should', async () => {
    for (const [name, splits] of Object.entries(COUNTS) as [DatasetName, Record<string, number[]>][]) {
      expect(Object.keys(splits)).toEqual(splitsOf(name));
      for (const [split, counts] of Object.entries(splits)) {
        const set = await read(name, split);
        expect([`${name} ${split}`, set.texts.length, set.classes.length, set.outOfScope.length]).toEqual([
          `${name} ${split}`,
          ...counts,
        ]);
      }
    }
  });

  test('ARSC: 51 of 57 training tasks are whole; the 12 tests have five and five', async () => {
    const { sets, missing } = await readArscTraining(arscFolder(folder), 'train');
    expect([sets.length, missing.length]).toEqual([51, 6]);
    const tests = await readArscTests(arscFolder(folder));
    expect(tests).toHaveLength(12);
    for (const { support } of tests) {
      expect(support.labels.filter((label) => label === 0)).toHaveLength(5);
      expect(support.labels.filter((label) => label === 1)).toHaveLength(5);
    }
    expect(tests.reduce((sum, { queries }) => sum + queries.texts.length, 0)).toBe(9165);
  });

  test('FewRel: mentions are where the source says, with marks and without', async () => {
    const plain = await read('fewrel', 'val_wiki');
    const [marked] = await readDataset(folder, 'fewrel', 'val_wiki', { marked: true });
    for (const [i, { head, tail }] of plain.entities!.entries()) {
      const own = marked!.entities![i]!;
      for (const [side, mark] of [
        ['head', '@'],
        ['tail', '#'],
      ] as const) {
        const mentions = { head, tail }[side].mentions;
        const name = plain.texts[i]!.slice(...mentions[0]!.characters);
        expect(name).toMatch(/^\S(.*\S)?$/);
        const [start, end] = own[side].mentions[0]!.characters;
        const around = marked!.texts[i]!.slice(start - 2, end + 2);
        expect(around).toBe(`${mark} ${name} ${mark}`);
      }
    }
  });

  test('FewRel: no relation of the tests is trained on', async () => {
    const names = ({ classes }: TextSet) => classes.map(({ name }) => name);
    const trained = new Set(names(await read('fewrel', 'train')));
    for (const split of ['val_wiki', 'val_nyt', 'val_pubmed', 'val_semeval']) {
      expect(names(await read('fewrel', split)).filter((name) => trained.has(name))).toEqual([]);
    }
  });

  test('sets that may be trained on beside one another share next to nothing', async () => {
    const texts = new Map<DatasetName, Set<string>>();
    for (const name of DATASET_NAMES) {
      const keys = new Set<string>();
      for (const split of splitsOf(name)) {
        for (const set of await readAll(name, split)) for (const text of set.texts) keys.add(textKey(text));
      }
      texts.set(name, keys);
    }
    for (const [target, own] of texts) {
      for (const [other, theirs] of texts) {
        if (other === target) continue;
        let shared = 0;
        for (const key of own) if (theirs.has(key)) shared++;
        const share = shared / Math.min(own.size, theirs.size);
        const independent = trainableBeside(target).includes(other);
        expect([target, other, independent ? share < 0.02 : share > 0.19]).toEqual([target, other, true]);
      }
    }
  });

  test('every file of the manifest is what the manifest says', async () => {
    const { datasets } = await readManifest(MANIFEST);
    for (const dataset of datasets) {
      // The copies that these tests are given may have this one file packed.
      const files = dataset.files.filter(({ path }) => path !== 'huffpost.json');
      const report = await fetchDataset({ ...dataset, files }, folder, { mirror: 'http://127.0.0.1:9' });
      expect(report).toEqual({ fetched: 0, present: files.length });
    }
  });
});

test('the manifest can be read', async () => {
  const { datasets } = await readManifest(MANIFEST);
  expect(datasets).toHaveLength(12);
  for (const { files, repository, commit } of datasets) {
    for (const { url } of files) {
      expect(url).toContain(
        `${repository.replace('https://github.com/', 'https://raw.githubusercontent.com/')}/${commit}/`,
      );
    }
  }
});
