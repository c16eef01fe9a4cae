import type { CalibrationModel } from '../../heads/calibration.js';
import { inScopeBy } from '../calibration/evaluateScope.js';
import { NEAR } from '../calibration/bots.js';
import { scopeRecords } from '../calibration/scopeRecords.js';
import type { Task } from './task.js';

/** How much in scope queries are. */
export interface ScopeScores {
  /** `[Q]`, higher for more. */
  readonly nearestPrototype: readonly number[];
  /** `[Q]`: the probability that the trained detector gives; absent without one. */
  readonly served?: readonly number[];
}

/**
 * Judges queries by a support set as the server does, and by the plain measure that the detector has to beat.
 *
 * @param queries `[Q, D]`
 */
export function scopeScores(
  { support, examples }: Pick<Task, 'support' | 'examples'>,
  queries: Float32Array,
  calibration: CalibrationModel | undefined,
): ScopeScores {
  const D = support.names.length / support.counts.length;
  const labels = new Int32Array(queries.length / D).fill(NEAR); // which no score looks at
  const records = scopeRecords({ support, examples, queries, labels, size: 0 });
  return {
    nearestPrototype: records.map(({ nearestPrototype }) => nearestPrototype),
    ...(calibration === undefined ? {} : { served: records.map(inScopeBy(calibration.scope)) }),
  };
}
