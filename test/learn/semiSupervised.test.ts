import { beforeAll, describe, expect, test } from '@jest/globals';
import { initHeads } from '../../src/heads/runtime.js';
import { semiSupervisedChart, semiSupervisedPage } from '../../src/learn/report/semiSupervised.js';
import { renderSvg } from '../../src/learn/report/svg.js';
import { conditionId, CONDITIONS, evaluateUnlabelled } from '../../src/learn/semiSupervised.js';
import { noisySet } from './embeddedToys.js';

beforeAll(initHeads);

const D = 8;
const pools = {
  texts: noisySet([20, 20], D, 1),
  strangers: noisySet([30], D, 2).embeddings,
  valid: noisySet([10, 10], D, 1, 'valid'),
  test: noisySet([15, 10], D, 1, 'test'),
};

describe('unlabelled texts', () => {
  test('every condition is evaluated, on both splits', () => {
    const first = evaluateUnlabelled(pools, 1);
    expect(Object.keys(first)).toEqual(CONDITIONS.map(conditionId));
    expect(new Set(Object.keys(first)).size).toBe(CONDITIONS.length);
    for (const { valid, test } of Object.values(first)) {
      expect(valid).toBeLessThanOrEqual(20);
      expect(test).toBeLessThanOrEqual(25);
    }
  });

  test('the page sets heads beside the one that reads none, and is drawn', async () => {
    const right = (valid: number, test: number) => ({ valid, test });
    const draw = (more: number) =>
      Object.fromEntries(
        CONDITIONS.map((one) => [
          conditionId(one),
          one.head === 'semi-supervised' && one.unlabelled > 0 ? right(80 + more, 90 + more) : right(70, 80),
        ]),
      );
    const results = {
      setting: { set: 'toy', strangers: 'other', encoder: 'tiny', queries: { valid: 100, test: 100 } },
      draws: { 1: draw(0), 2: draw(2) },
    };
    const page = semiSupervisedPage(results);
    expect(page).toContain('91.00 ± 12.71'); // of 90 and 92, t(1) = 12.706
    expect(page).toContain('+11.00 ± 12.71');
    expect(page).toMatch(/adapted +\| 0 +\| +\| 80.00 ± 0.00/);
    const svg = await renderSvg(semiSupervisedChart(results));
    for (const word of ['Unlabelled texts', '5 examples an intent', 'soft k-means', 'semi-supervised']) {
      expect(svg).toContain(word);
    }
  });
});
