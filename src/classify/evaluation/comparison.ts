import type { ComparedRow, Evaluation, EvaluationComparison, EvaluationRow } from '../evaluationTypes.js';

type Differences = Omit<EvaluationComparison, 'bot' | 'evaluation' | 'with'>;

/**
 * What has become of each text from one evaluation to another. A text is the same where it reads the same and the same was
 * expected of it: one that was moved to another intent is another one.
 */
export function compareRows(now: Pick<Evaluation, 'rows'>, then: Pick<Evaluation, 'rows'>): Differences {
  const before = new Map(then.rows.map((row) => [keyOf(row), row]));
  const fixed: ComparedRow[] = [];
  const broken: ComparedRow[] = [];
  const stillWrong: ComparedRow[] = [];
  let texts = 0;
  for (const row of now.rows) {
    const former = before.get(keyOf(row));
    if (former === undefined) continue;
    texts++;
    const { text, expected } = row;
    const compared = { text, expected, before: former.answered, now: row.answered };
    if (row.correct && !former.correct) fixed.push(compared);
    else if (!row.correct && former.correct) broken.push(compared);
    else if (!row.correct && row.answered !== former.answered) stillWrong.push(compared);
  }
  return {
    texts,
    only_in_this: now.rows.length - texts,
    only_in_other: then.rows.length - texts,
    fixed,
    broken,
    still_wrong: stillWrong,
  };
}

function keyOf({ text, expected }: EvaluationRow): string {
  return JSON.stringify([text, expected]);
}
