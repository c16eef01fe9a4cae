import { expectedCalibrationError, proportion, reliabilityDiagram } from '../../statistics/measures.js';
import type {
  EvaluationHeadline,
  EvaluationMeasures,
  EvaluationRow,
  IntentMeasures,
  Reliability,
  Share,
  ThresholdPoint,
} from '../evaluationTypes.js';
import { rounded } from '../rounded.js';

const RELIABILITY_BINS = 10;
/** Thresholds that are tried, from 0 to 1, are so far apart. */
const THRESHOLD_STEPS = 100;

/** All that is said of an evaluation's rows; a pure function of them. Shares and probabilities have four digits. */
export function measuresOf(rows: readonly EvaluationRow[]): EvaluationMeasures {
  const inScope = rows.filter(({ expected }) => expected !== null);
  return {
    accuracy: shareOf(rows.filter(({ correct }) => correct).length, rows.length),
    intent_accuracy: shareOf(inScope.filter(isBestRight).length, inScope.length),
    intents: intentMeasures(rows),
    out_of_scope: outOfScope(rows),
    reliability: reliability(inScope),
    thresholds: Array.from({ length: THRESHOLD_STEPS + 1 }, (_, i) =>
      thresholdPoint(rows, i / THRESHOLD_STEPS),
    ),
  };
}

/** What a list shows of an evaluation. */
export function headlineOf({ accuracy, out_of_scope, reliability }: EvaluationMeasures): EvaluationHeadline {
  return {
    texts: accuracy.total,
    accuracy: accuracy.share,
    out_of_scope_recall: out_of_scope.recall,
    calibration_error: reliability.error,
  };
}

function isBestRight({ best, expected }: EvaluationRow): boolean {
  return best === expected;
}

/** Of no texts the share is 0, and may be anything. */
function shareOf(correct: number, total: number): Share {
  if (total === 0) return { correct, total, share: 0, low: 0, high: 1 };
  const { value, low, high } = proportion(correct, total);
  // Rounding may carry Wilson's interval past the ends.
  const bounded = (share: number) => rounded(Math.min(1, Math.max(0, share)));
  return { correct, total, share: rounded(value), low: bounded(low), high: bounded(high) };
}

/** A share; null of nothing. */
function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : rounded(part / whole);
}

/** Every intent that was expected, in the order in which the rows name them, then those that were only answered. */
function intentMeasures(rows: readonly EvaluationRow[]): IntentMeasures[] {
  const tallies = new Map<string, { texts: number; answered: number; right: number; taken: Taken }>();
  const tally = (intent: string) => {
    const known = tallies.get(intent);
    if (known !== undefined) return known;
    const fresh = { texts: 0, answered: 0, right: 0, taken: new Map<string | null, number>() };
    tallies.set(intent, fresh);
    return fresh;
  };
  for (const { expected } of rows) if (expected !== null) tally(expected);
  for (const { expected, answered, correct } of rows) {
    if (expected !== null) {
      const own = tally(expected);
      own.texts++;
      if (correct) own.right++;
      else own.taken.set(answered, (own.taken.get(answered) ?? 0) + 1);
    }
    if (answered !== null) tally(answered).answered++;
  }
  return [...tallies].map(([intent, { texts, answered, right, taken }]) => ({
    intent,
    texts,
    recall: ratio(right, texts),
    precision: ratio(right, answered),
    // 2 PR / (P + R), without the division by zero where nothing is right.
    f1: texts === 0 || answered === 0 ? null : rounded((2 * right) / (texts + answered)),
    confused_with: [...taken]
      .map(([other, count]) => ({ intent: other, texts: count }))
      .sort((a, b) => b.texts - a.texts),
  }));
}

type Taken = Map<string | null, number>;

function outOfScope(rows: readonly EvaluationRow[]): EvaluationMeasures['out_of_scope'] {
  const outside = rows.filter(({ expected }) => expected === null);
  const found = outside.filter(({ correct }) => correct).length;
  const called = rows.filter(({ answered }) => answered === null).length;
  return { texts: outside.length, recall: ratio(found, outside.length), precision: ratio(found, called) };
}

/** @param rows in scope: confidence is the probability that the best intent is right, given that the text is in scope. */
function reliability(rows: readonly EvaluationRow[]): Reliability {
  const confidences = rows.map(({ confidence }) => confidence);
  const right = rows.map(isBestRight);
  const known = (value: number) => (Number.isNaN(value) ? null : rounded(value));
  return {
    error: known(expectedCalibrationError(confidences, right, RELIABILITY_BINS)),
    bins: reliabilityDiagram(confidences, right, RELIABILITY_BINS).map((bin) => ({
      from: bin.from,
      to: bin.to,
      texts: bin.count,
      confidence: known(bin.confidence),
      accuracy: known(bin.accuracy),
    })),
  };
}

/** What another threshold would have given: an answer is given at an in-scope probability of at least it. */
function thresholdPoint(rows: readonly EvaluationRow[], threshold: number): ThresholdPoint {
  let inside = 0;
  let covered = 0;
  let answered = 0;
  let right = 0;
  let outside = 0;
  for (const row of rows) {
    const isAnswered = row.best !== null && row.in_scope >= threshold;
    if (row.expected === null) outside++;
    else inside++;
    if (!isAnswered) continue;
    answered++;
    if (row.expected !== null) covered++;
    if (isBestRight(row)) right++;
  }
  const found = outside - (answered - covered);
  return {
    threshold,
    coverage: ratio(covered, inside),
    accuracy: ratio(right, answered),
    out_of_scope_recall: ratio(found, outside),
  };
}
