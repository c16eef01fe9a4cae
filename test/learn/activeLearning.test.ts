import { beforeAll, describe, expect, test } from '@jest/globals';
import { adaptedHead } from '../../src/heads/adapted.js';
import { prototypical } from '../../src/heads/prototypical.js';
import { initHeads } from '../../src/heads/runtime.js';
import { type Judge, labelsToReach, simulateLabelling } from '../../src/learn/activeLearning.js';
import { EvaluatedHead } from '../../src/learn/evaluation/evaluatedHead.js';
import { activeLearningChart, activeLearningPage } from '../../src/learn/report/activeLearning.js';
import { renderSvg } from '../../src/learn/report/svg.js';
import { studentInterval } from '../../src/statistics/studentInterval.js';
import { noisySet } from './embeddedToys.js';

const D = 16;
const TEXTS = noisySet([30, 20, 25], D, 1);
const QUERIES = noisySet([20, 20, 20], D, 1, 'queries');
const OPTIONS = { pool: 50, batch: 10, labels: 33 };

let own: Judge;
let other: Judge;
beforeAll(async () => {
  await initHeads();
  const judge = (head: typeof prototypical): Judge => ({
    evaluated: new EvaluatedHead(head, D, {}),
    temperature: () => 1,
  });
  own = judge(prototypical);
  other = judge(adaptedHead({ steps: 2 }));
});

describe('labelling, simulated', () => {
  test('starts with a label an intent and ends before there are too many', () => {
    const { labels, hits } = simulateLabelling(own, [other], TEXTS, [QUERIES, TEXTS], 'margin', 1, OPTIONS);
    expect(labels).toEqual([3, 13, 23, 33]);
    expect(hits.map((one) => one.length)).toEqual([4, 4]);
    expect(Math.max(...hits[0]!)).toBeLessThanOrEqual(60);
    expect(Math.max(...hits[1]!)).toBeLessThanOrEqual(75);
  });

  test('ends where the pool does', () => {
    const { labels } = simulateLabelling(own, [], TEXTS, [QUERIES], 'random', 1, { ...OPTIONS, labels: 99 });
    expect(labels.at(-1)).toBe(43);
  });

  test('strategies start from the same, seeds do not', () => {
    const first = (strategy: 'random' | 'mix' | 'committee', seed: number) =>
      simulateLabelling(own, [other], TEXTS, [QUERIES], strategy, seed, { ...OPTIONS, labels: 3 })
        .hits[0]![0]!;
    expect(first('mix', 1)).toBe(first('random', 1));
    expect(first('committee', 1)).toBe(first('random', 1));
    expect(new Set([1, 2, 3, 4, 5].map((seed) => first('random', seed))).size).toBeGreaterThan(1);
  });

  test('is the same each time', () => {
    const run = () => simulateLabelling(own, [other], TEXTS, [QUERIES], 'committee', 2, OPTIONS);
    expect(run()).toEqual(run());
  });
});

test('labels until an accuracy is reached, by a straight line between batches', () => {
  const labels = [10, 30, 50];
  expect(labelsToReach(labels, [40, 50, 50], 45)).toBe(20);
  expect(labelsToReach(labels, [40, 38, 58], 48)).toBe(40);
  expect(labelsToReach(labels, [40, 50, 60], 40)).toBe(10);
  expect(labelsToReach(labels, [40, 50, 60], 61)).toBeUndefined();
});

test("Student's interval", () => {
  // Mean 3, deviation sqrt(2.5), standard error 0.707107, t(4) = 2.776.
  const { value, low, high } = studentInterval([1, 2, 3, 4, 5]);
  expect(value).toBe(3);
  expect(high - 3).toBeCloseTo(2.776 * Math.SQRT1_2, 4);
  expect(3 - low).toBeCloseTo(2.776 * Math.SQRT1_2, 4);
  expect(studentInterval([1]).high).toBeNaN();
});

describe('the page', () => {
  const RESULTS = {
    setting: {
      set: 'toy',
      encoder: 'tiny',
      head: 'adapted',
      committee: ['names'],
      pool: 50,
      batch: 10,
      queries: { valid: 50, test: 100 },
    },
    labels: [10, 20],
    curves: {
      margin: { 1: { valid: [30, 40], test: [60, 90] }, 2: { valid: [30, 42], test: [60, 88] } },
      random: { 1: { valid: [30, 35], test: [60, 80] }, 2: { valid: [30, 36], test: [60, 78] } },
    },
  };

  test('sets strategies beside random', () => {
    const page = activeLearningPage(RESULTS);
    expect(page).toContain('89.00 ± 12.71'); // of 90 and 88, t(1) = 12.706
    expect(page).toContain('+10.00 ± 0.00');
    // 75 %: margin at 15 and 15.36, t(1) = 12.706; random at 17.5 and 18.33.
    expect(page).toMatch(/margin +\| 15 ± 2 \(85 %\)/);
    expect(page).toMatch(/random +\|.*never/);
  });

  test('is drawn', async () => {
    const svg = await renderSvg(activeLearningChart(RESULTS));
    for (const word of ['Active learning', 'Labels', 'Accuracy (%)', 'margin', 'random']) {
      expect(svg).toContain(word);
    }
  });
});
