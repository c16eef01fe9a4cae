import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readCalibration, sharpnessOf, writeCalibration } from '../../src/heads/calibration.js';
import { HEAD_NAMES } from '../../src/heads/registry.js';
import { sizeFeatures, temperatureOf, UNCALIBRATED } from '../../src/heads/temperature.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';

describe('temperature', () => {
  test('by the size of the bot, worked by hand', () => {
    expect(sizeFeatures([1, 4, 16])).toEqual([1, Math.log(3), expect.closeTo(Math.log(4), 10)]);
    const sharpness = { base: 0.5, lnIntents: 0.1, lnRows: 0.2 };
    expect(temperatureOf(sharpness, [1, 4, 16])).toBeCloseTo(
      1 / (0.5 + 0.1 * Math.log(3) + 0.2 * Math.log(4)),
      10,
    );
    expect(temperatureOf(sharpness, [])).toBe(2);
  });

  test('a head that was not calibrated has the temperature 1, whatever it is called', () => {
    for (const head of ['relation', 'constructor', '__proto__']) {
      expect(sharpnessOf({ sharpness: {} }, head)).toBe(UNCALIBRATED);
    }
    expect(temperatureOf(UNCALIBRATED, [3, 5, 8])).toBe(1);
  });

  test('every built-in head is calibrated, and none sinks as intents are added', () => {
    for (const head of HEAD_NAMES) {
      const sharpness = sharpnessOf(bundledCalibration, head);
      expect(sharpness).not.toBe(UNCALIBRATED);
      const temperatures = [2, 20, 150, 5000].map((n) => temperatureOf(sharpness, Array<number>(n).fill(9)));
      expect(temperatures).toEqual([...temperatures].sort((a, b) => b - a));
      expect(temperatures.at(-1)).toBeGreaterThan(0);
    }
  });
});

describe('the file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kshot-calibration-'));
    file = join(folder, 'calibration.json');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const damaged = async (change: (stored: Record<string, unknown>) => unknown) => {
    const whole = { format: 1, ...structuredClone(bundledCalibration) } as Record<string, unknown>;
    await writeFile(file, JSON.stringify(change(whole)));
    return expect(readCalibration(file)).rejects;
  };

  test('reads as it was written', async () => {
    await writeCalibration(file, bundledCalibration);
    expect(await readCalibration(file)).toEqual(bundledCalibration);
  });

  test('says what is wrong with it', async () => {
    await expect(readCalibration(file)).rejects.toMatchObject({ code: 'invalid_file' });
    await writeFile(file, '{"format": 1');
    await expect(readCalibration(file)).rejects.toThrow(/is no JSON.*npm run calibrate/);
    await (await damaged((stored) => ({ ...stored, format: 2 }))).toThrow(/format/);
    await (await damaged(({ scope: _scope, ...rest }) => rest)).toThrow(/scope/);
  });

  test('weights that would judge a text worse for coming nearer are refused', async () => {
    const { scope } = bundledCalibration;
    const backwards = { ...scope, fitted: { ...scope.fitted, best: -1 } };
    await (await damaged((stored) => ({ ...stored, scope: backwards }))).toThrow(/scope\.fitted\.best/);
    const flat = { ...scope, default: { ...scope.default, best: 0, prototype: 0 } };
    await (await damaged((stored) => ({ ...stored, scope: flat }))).toThrow(/judged alike/);
  });
});
