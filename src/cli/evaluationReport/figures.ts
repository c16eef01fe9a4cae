import type {
  Evaluation,
  EvaluationMeasures,
  EvaluationRow,
  IntentMeasures,
  Share,
  ThresholdPoint,
} from '../../classify/evaluationTypes.js';
import { count } from '../table.js';

/** What every form of a report says of an evaluation that is done. */
export interface Report {
  /** Bot or file. */
  readonly subject: string;
  readonly evaluation: Evaluation;
  readonly measures: EvaluationMeasures;
}

/** One line of the headline. */
export interface Figure {
  readonly label: string;
  readonly value: string;
  /** What it means, for somebody who reads the report for the first time. */
  readonly meaning: string;
}

/** Texts of one intent, or none, that were taken for another, or none. */
export interface Confusion {
  readonly expected: string | null;
  readonly answered: string | null;
  readonly texts: number;
}

/** "82.0 %"; a dash where there is nothing to have a share of. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)} %`;
}

/** An intent's name, or what stands for none. */
export function named(intent: string | null): string {
  return intent ?? '(out of scope)';
}

/** How the bot was judged, in a line. */
export function circumstances({ evaluation }: Report): string {
  const { kind, folds, progress, head, threshold, name } = evaluation;
  const texts = count(progress.total, 'text');
  const how =
    kind === 'test-set' ? `test set of ${texts}` : `${folds}-fold cross-validation of ${texts} of its own`;
  return `${name === null ? '' : `${name}: `}${how}, head ${head}, threshold ${threshold}`;
}

export function headline({ measures }: Report): Figure[] {
  const { accuracy, intent_accuracy: intents, out_of_scope: outside, reliability } = measures;
  return [
    {
      label: 'Accuracy',
      value: withInterval(accuracy),
      meaning: 'of all texts, those answered with the right intent, or rightly found out of scope',
    },
    {
      label: 'Best intent right',
      value: withInterval(intents),
      meaning: 'of the texts in scope, those whose best intent is right, whether it was answered or not',
    },
    {
      label: 'Out of scope, recall',
      value: percent(outside.recall),
      meaning: `of ${count(outside.texts, 'text')} out of scope, those found to be`,
    },
    {
      label: 'Out of scope, precision',
      value: percent(outside.precision),
      meaning: 'of the texts found out of scope, those that are',
    },
    {
      label: 'Calibration error',
      value: percent(reliability.error),
      meaning: 'how far confidence is from the share that is right, on the mean (ECE, 10 bins)',
    },
  ];
}

function withInterval({ correct, total, share, low, high }: Share): string {
  if (total === 0) return percent(null);
  return `${percent(share)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}; ${correct} of ${total})`;
}

/** Intents, those that go wrong most first. */
export function worstFirst({ measures }: Report): IntentMeasures[] {
  return [...measures.intents].sort((a, b) => (a.f1 ?? -1) - (b.f1 ?? -1));
}

/** "cancel (3), (out of scope) (1)": what an intent's texts were taken for. */
export function takenFor({ confused_with: others }: IntentMeasures): string {
  return others.map(({ intent, texts }) => `${named(intent)} (${texts})`).join(', ');
}

/** What was confused, most texts first; texts out of scope that were answered are among it. */
export function confusions({ evaluation }: Report): Confusion[] {
  const counts = new Map<string, Confusion>();
  for (const { expected, answered } of misread(evaluation)) {
    const key = JSON.stringify([expected, answered]);
    counts.set(key, { expected, answered, texts: (counts.get(key)?.texts ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => b.texts - a.texts);
}

export function misread({ rows }: Evaluation): EvaluationRow[] {
  return rows.filter(({ correct }) => !correct);
}

/** What a text was answered with; where that is nothing, the best intent too. */
export function answeredWith({ answered, best }: EvaluationRow): string {
  return answered === null && best !== null ? `${named(null)}, best ${best}` : named(answered);
}

/** What the bot's own threshold gives. */
export function atOwnThreshold({ evaluation, measures }: Report): ThresholdPoint {
  const { threshold } = evaluation;
  const far = (point: ThresholdPoint) => Math.abs(point.threshold - threshold);
  return measures.thresholds.reduce((best, point) => (far(point) < far(best) ? point : best));
}

/** Every tenth threshold, and the bot's own. */
export function shownThresholds(report: Report): ThresholdPoint[] {
  const own = atOwnThreshold(report);
  return report.measures.thresholds.filter((point, i) => i % 10 === 0 || point === own);
}
