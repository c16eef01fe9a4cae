import { describe, expect, test } from '@jest/globals';
import type { TopLevelSpec } from 'vega-lite';
import {
  accuracyChart,
  confusionChart,
  learningChart,
  reliabilityChart,
  shotsChart,
} from '../../../src/learn/report/charts.js';
import { renderSvg } from '../../../src/learn/report/svg.js';

const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });

/** The words in a picture. */
async function words(spec: TopLevelSpec): Promise<string[]> {
  const svg = await renderSvg(spec);
  expect(svg).toMatch(/^<svg /);
  return [...svg.matchAll(/<text[^>]*>([^<]+)<\/text>/g)].map(([, text]) => text!);
}

describe('charts say what they show', () => {
  test('accuracy: heads, settings, unit, values; published figures beside', async () => {
    const spec = accuracyChart(
      'FewRel: accuracy',
      [
        { setting: '5-way 1-shot', row: 'prototypes', kind: 'untrained', accuracy: interval(0.7) },
        { setting: '5-way 1-shot', row: 'induction', kind: 'trained here', accuracy: interval(0.8123) },
        {
          setting: '5-way 1-shot',
          row: 'BERT-PAIR',
          kind: 'published',
          accuracy: { value: 0.8566, low: 0.8566, high: 0.8566 },
        },
      ],
      'prototypes',
    );
    expect(await words(spec)).toEqual(
      expect.arrayContaining([
        'FewRel: accuracy',
        '5-way 1-shot',
        'Accuracy (%)',
        'induction',
        'BERT-PAIR',
        'published',
        '81.2',
        '85.7',
      ]),
    );
  });

  test('accuracy by shots: sets, heads and numbers of examples', async () => {
    const points = ['1', '5', 'uneven'].map((shots, i) => ({
      set: 'BANKING77',
      row: 'adapted',
      shots,
      accuracy: interval(0.6 + i / 10),
    }));
    const found = await words(shotsChart('By shots', points));
    expect(found).toEqual(
      expect.arrayContaining(['BANKING77', 'adapted', '1', '5', 'uneven', 'Accuracy (%)']),
    );
  });

  test('reliability: confidence against what is right', async () => {
    const bins = [
      { count: 10, confidence: 0.5, accuracy: 0.4 },
      { count: 90, confidence: 0.9, accuracy: 0.95 },
    ];
    const found = await words(reliabilityChart('Reliability', [{ setting: 'HWU64', row: 'adapted', bins }]));
    expect(found).toEqual(expect.arrayContaining(['Confidence (%)', 'Right (%)', 'HWU64', 'adapted']));
  });

  test('confusions: of very many intents those that are confused most', async () => {
    const confusions = Array.from({ length: 200 }, (_, i) => ({
      intent: `intent_${i}`,
      taken: `intent_${i + 1}`,
      queries: 200 - i,
    }));
    const found = await words(confusionChart('What is confused', confusions, 4500));
    expect(found).toEqual(expect.arrayContaining(['Taken for', 'Intent', 'intent_0', 'intent_30', '200']));
    expect(found).not.toContain('intent_31');
  });

  test('learning: validation accuracy by steps, a panel a head', async () => {
    const history = [0, 100, 200].map((step) => ({ step, ...interval(0.5 + step / 1000) }));
    const curves = [
      { row: 'relation', training: 'a', history, baseline: interval(0.55) },
      { row: 'dmin', training: 'b', history },
    ];
    const found = await words(learningChart('Learning curves', curves));
    expect(found).toEqual(expect.arrayContaining(['relation', 'dmin', 'Steps', 'Validation accuracy (%)']));
  });

  test('learning: two trainings of a head are two lines', async () => {
    const history = [0, 100, 200].map((step) => ({ step, ...interval(0.5) }));
    const lines = async (...trainings: string[]) => {
      const curves = trainings.map((training) => ({ row: 'relation', training, history }));
      return (await renderSvg(learningChart('Learning curves', curves))).match(/<path[^>]* d="M[^"]*"/g)!
        .length;
    };
    expect(await lines('a', 'b')).toBeGreaterThan(await lines('a', 'a'));
  });
});

test('the same chart gives the same picture', async () => {
  const spec = () =>
    accuracyChart('A', [{ setting: 's', row: 'r', kind: 'untrained', accuracy: interval(0.5) }], 'r');
  expect(await renderSvg(spec())).toBe(await renderSvg(spec()));
});
