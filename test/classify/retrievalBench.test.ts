import { beforeAll, expect, test } from '@jest/globals';
import { groupTexts, type LargeBotSource } from '../../scripts/bench/largeBot.js';
import { buildBots, measureHead } from '../../scripts/bench/retrievalBench.js';
import { createHead } from '../../src/heads/registry.js';
import { HeadRuntime, initHeads } from '../../src/heads/runtime.js';
import { Random } from '../../src/statistics/random.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

const encoder = new WordEncoder();
const embed = async (texts: readonly string[]) => (await encoder.encode(texts)).embeddings;

/** Five texts on each of so many subjects, subject by subject. */
const onSubjects = (subjects: number) =>
  Array.from({ length: 5 * subjects }, (_, i) => `subject${Math.floor(i / 5)} matters in way${i}`);

beforeAll(initHeads);

test('groups are of a text and the four that are nearest to it, and no text is in two', async () => {
  const texts = onSubjects(12);
  const groups = groupTexts(texts, await embed(texts), 100, new Random(1));
  const grouped = groups.flatMap(({ examples }) => examples);
  expect(new Set(grouped).size).toBe(grouped.length);
  expect(groups.length).toBeGreaterThan(5);
  for (const { examples } of groups) expect(examples).toHaveLength(5);
  const oneSubject = groups.filter(
    ({ examples }) => new Set(examples.map((text) => text.split(' ')[0])).size === 1,
  );
  expect(oneSubject.length).toBeGreaterThan(groups.length / 2);
  expect(groupTexts(texts, await embed(texts), 3, new Random(1))).toHaveLength(3);
});

test('bots hold one another, and each way of scoring is measured on all queries', async () => {
  const intents = ['cards', 'loans', 'rates'].map((name) => ({
    name,
    label: name,
    examples: [`about ${name}`, `tell me of ${name}`],
    origin: 'clinc150',
  }));
  const queries = { texts: ['of cards', 'of loans', 'of rates'], labels: ['cards', 'loans', 'rates'] };
  const source: LargeBotSource = { intents, loose: onSubjects(40), valid: queries, test: queries };
  const embedded = { ...queries, embeddings: await embed(queries.texts) };
  const sizes: number[] = [];
  for await (const bot of buildBots(source, [3, 8], embed, 1)) {
    sizes.push(bot.size.intents);
    expect(bot.size.origins).toEqual(bot.size.intents === 3 ? { clinc150: 3 } : { clinc150: 3, groups: 5 });
    const head = { name: 'adapted', runtime: new HeadRuntime(createHead('adapted'), encoder.dimension) };
    const rows = [
      ...measureHead(bot, head, [{ examples: 20 }, { examples: 1 }], embedded, bundledCalibration),
    ];
    expect(rows.map(({ way }) => way)).toEqual([
      'all',
      'adapted',
      { examples: 20, candidates: 8 },
      { examples: 1, candidates: 8 },
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ intents: bot.size.intents, queries: 3, reachable: 1 });
      expect(row.accuracy.value).toBe(1);
      expect(row.p99Ms).toBeGreaterThanOrEqual(row.p50Ms);
    }
  }
  expect(sizes).toEqual([3, 8]);
});
