import type { EvaluationRow } from '../../../src/classify/evaluationTypes.js';

/** A row as its figures follow from what was expected and what is best. Answered at 0.5. */
export function row(
  expected: string | null,
  best: string | null,
  given: Partial<Pick<EvaluationRow, 'text' | 'confidence' | 'in_scope'>> = {},
): EvaluationRow {
  const { confidence = 0.9, in_scope = 0.9, text = `${expected} ${best} ${confidence}` } = given;
  const answered = in_scope >= 0.5 ? best : null;
  return { text, expected, answered, best, confidence, in_scope, correct: answered === expected };
}
