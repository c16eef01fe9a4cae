import { describe, expect, test } from '@jest/globals';
import {
  type BotShape,
  expectedSimilarity,
  judgeScope,
  type Nearness,
  probabilityInScope,
  type ScopeDetector,
  scopeFeatures,
} from '../../src/heads/scopeDetector.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';

const near: Nearness = { prototype: 0.7, best: 0.9, shape: { rows: 4, cohesion: 0.5 }, named: false };
const known: BotShape = { intents: 8, leaveOneOut: { inside: 0.8, outside: 0.5, cohesion: 0.6 } };
const unknown: BotShape = { intents: 8, leaveOneOut: undefined };

/** Cohesion (3 x 0.5 + 3 x 0.6) / 6 = 0.55; so 0.55 / √(0.55 + 0.45 / 4). */
const EXPECTED = 0.55 / Math.sqrt(0.55 + 0.45 / 4);

const detector: ScopeDetector = {
  cohesion: 0.6,
  fitted: { prototype: 3, best: 1, expected: -2, named: -0.5, inside: -1, outside: -0.4, bias: 0.3 },
  default: { prototype: 3, best: 1, expected: -2, named: -0.5, lnIntents: -0.1, bias: -1 },
};

describe('features', () => {
  test('worked by hand', () => {
    expect(scopeFeatures('fitted', near, known, 0.1)).toEqual([
      0.7,
      0.9,
      expect.closeTo(EXPECTED, 10),
      0,
      0.8,
      0.5,
      1,
    ]);
    expect(scopeFeatures('default', { ...near, named: true }, unknown, 0.6)).toEqual([
      0.7,
      0.9,
      expect.closeTo(EXPECTED, 10),
      1,
      expect.closeTo(Math.log(8), 10),
      1,
    ]);
  });

  test('one more text is expected as near as an average one is', () => {
    // 0.5 between any two of r unit vectors: three axes turned so, and a fourth text as far from each.
    expect(expectedSimilarity({ rows: 1, cohesion: 0 }, 0.5)).toBeCloseTo(0.5, 10);
    const r = 1e9;
    expect(expectedSimilarity({ rows: r, cohesion: 0.49 }, 0.1)).toBeCloseTo(0.7, 6);
  });

  test('more rows and tighter ones let expect more; rows at odds let expect nothing', () => {
    const at = (rows: number, cohesion: number) => expectedSimilarity({ rows, cohesion }, 0.6);
    expect(at(10, 0.6)).toBeGreaterThan(at(2, 0.6));
    expect(at(10, 0.7)).toBeGreaterThan(at(10, 0.6));
    expect(expectedSimilarity({ rows: 5, cohesion: -0.2 }, 0)).toBe(0);
  });
});

describe('judging', () => {
  test('the log-odds are those of the features, worked by hand', () => {
    const odds = 3 * 0.7 + 0.9 - 2 * EXPECTED - 0.8 - 0.4 * 0.5 + 0.3;
    const judgement = judgeScope(detector, [near], known);
    expect(judgement.similarity).toBeCloseTo((3 * 0.7 + 0.9) / 4, 10);
    expect(probabilityInScope(judgement)).toBeCloseTo(1 / (1 + Math.exp(-odds)), 10);
  });

  test('a bot that has not been looked at is judged by its size', () => {
    const odds = 3 * 0.7 + 0.9 - 2 * EXPECTED - 0.1 * Math.log(8) - 1;
    expect(probabilityInScope(judgeScope(detector, [near], unknown))).toBeCloseTo(
      1 / (1 + Math.exp(-odds)),
      10,
    );
  });

  test('the intent that speaks most for a text decides, in whatever order', () => {
    const loose = { ...near, prototype: 0.65, shape: { rows: 40, cohesion: 0.2 } };
    const alone = judgeScope(detector, [loose], known);
    expect(probabilityInScope(alone)).toBeGreaterThan(
      probabilityInScope(judgeScope(detector, [near], known)),
    );
    expect(judgeScope(detector, [near, loose], known)).toEqual(alone);
    expect(judgeScope(detector, [loose, near], known)).toEqual(alone);
  });
});

describe('the detector that ships', () => {
  const { scope } = bundledCalibration;
  const bots = [known, unknown, { intents: 150, leaveOneOut: { inside: 0.9, outside: 0.7, cohesion: 0.75 } }];

  test('a text that comes nearer never falls out of scope', () => {
    for (const bot of bots) {
      let last = 0;
      for (let cosine = -1; cosine <= 1; cosine += 0.05) {
        const moved = { ...near, prototype: cosine, best: cosine };
        const p = probabilityInScope(judgeScope(scope, [moved], bot));
        expect(p).toBeGreaterThanOrEqual(last);
        for (const raised of [
          { ...moved, prototype: cosine + 0.01 },
          { ...moved, best: cosine + 0.01 },
        ]) {
          expect(probabilityInScope(judgeScope(scope, [raised], bot))).toBeGreaterThanOrEqual(p);
        }
        last = p;
      }
    }
  });

  test('an example itself is in scope, and what has nothing in common with any is not', () => {
    for (const bot of bots) {
      for (const rows of [2, 5, 40]) {
        for (const cohesion of [0.4, 0.6, 0.8]) {
          // The cosine of a row to the mean of its intent's.
          const prototype = Math.sqrt(cohesion + (1 - cohesion) / rows);
          const shape = { rows, cohesion };
          const example = judgeScope(scope, [{ prototype, best: 1, shape, named: false }], bot);
          expect(probabilityInScope(example)).toBeGreaterThan(0.5);
          const stranger = judgeScope(scope, [{ prototype: 0.1, best: 0.1, shape, named: false }], bot);
          expect(probabilityInScope(stranger)).toBeLessThan(0.2);
        }
      }
    }
  });
});
