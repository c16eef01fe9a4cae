import { judgeScope, probabilityInScope, type ScopeDetector } from '../../heads/scopeDetector.js';
import { auroc } from '../../statistics/measures.js';
import { BOT_SIZES, FAR, NEAR } from './bots.js';
import { kindOf } from './fitScope.js';
import type { ScopeRecord } from './scopeRecords.js';

/** How well in scope is told from out of scope on one set; means over the sizes of bots. */
export interface ScopeResult {
  /** Area under the ROC curve against queries of classes that the bot lacks, */
  readonly near: number;
  /** and against each far source. */
  readonly far: Readonly<Record<string, number>>;
  /** Shares at the threshold 0.5. */
  readonly accepted: number;
  readonly nearRefused: number;
  readonly farRefused: number;
  /** Half of what is accepted, a quarter of what is refused of either kind. */
  readonly balancedAccuracy: number;
}

/** @param farNames of the set, in its order. */
export function evaluateScope(
  records: readonly ScopeRecord[],
  farNames: readonly string[],
  score: (record: ScopeRecord) => number,
): ScopeResult {
  const scored = records.map((record) => ({ ...record, score: score(record) }));
  const bySize = BOT_SIZES.map((_, size) => scored.filter((record) => record.size === size)).filter(
    (some) => some.length > 0,
  );
  const overSizes = (measure: (some: typeof scored) => number) => mean(bySize.map(measure));
  const areaAgainst = (label: number) =>
    overSizes((some) =>
      auroc(
        some.filter((one) => one.label >= 0).map((one) => one.score),
        some.filter((one) => one.label === label).map((one) => one.score),
      ),
    );
  const above = (kind: 0 | 1 | 2) =>
    overSizes((some) =>
      mean(some.filter(({ label }) => kindOf(label) === kind).map((one) => (one.score >= 0.5 ? 1 : 0))),
    );
  const accepted = above(0);
  const nearRefused = 1 - above(1);
  const farRefused = 1 - above(2);
  return {
    near: areaAgainst(NEAR),
    far: Object.fromEntries(farNames.map((name, i) => [name, areaAgainst(FAR - i)])),
    accepted,
    nearRefused,
    farRefused,
    balancedAccuracy: accepted / 2 + nearRefused / 4 + farRefused / 4,
  };
}

/** P(in scope) of a record, as the server would answer. */
export function inScopeBy(detector: ScopeDetector): (record: ScopeRecord) => number {
  return ({ near, bot }) => probabilityInScope(judgeScope(detector, near, bot));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
