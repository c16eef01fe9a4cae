import { fileURLToPath } from 'node:url';
import { readCalibration } from '../../src/heads/calibration.js';

/** The calibration that ships. */
export const bundledCalibration = await readCalibration(
  fileURLToPath(new URL('../../../models/heads/calibration.json', import.meta.url)),
);
