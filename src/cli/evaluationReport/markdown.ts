import { escaped, markdownTable } from '../../learn/report/markdown.js';
import { printable } from '../table.js';
import { dataAddress, reliabilityDiagram, thresholdCurve } from './charts.js';
import {
  atOwnThreshold,
  answeredWith,
  circumstances,
  confusions,
  headline,
  misread,
  named,
  percent,
  type Report,
  shownThresholds,
  takenFor,
  worstFirst,
} from './figures.js';

/**
 * The report as Markdown, for a merge request or a wiki. Its pictures are inside, and what they show stands in tables besides: not
 * every place that Markdown is read in shows pictures that have no address.
 */
export function markdownReport(report: Report): string {
  const { evaluation, measures } = report;
  const parts = [
    `# Evaluation of ${inline(report.subject)}\n`,
    `${sentence(circumstances(report))} Revision ${evaluation.revision}, ${evaluation.created_at}.\n`,
    section(
      'In brief',
      ['Measure', 'Value', 'Which is'],
      headline(report).map(({ label, value, meaning }) => [label, value, meaning]),
    ),
    section(
      'Intents',
      ['Intent', 'Texts', 'Recall', 'Precision', 'F1', 'Taken for'],
      worstFirst(report).map((intent) => [
        intent.intent,
        String(intent.texts),
        percent(intent.recall),
        percent(intent.precision),
        percent(intent.f1),
        takenFor(intent),
      ]),
    ),
    section(
      'Confusions',
      ['Expected', 'Answered', 'Texts'],
      confusions(report).map(({ expected, answered, texts }) => [
        named(expected),
        named(answered),
        String(texts),
      ]),
    ),
    section(
      'Whether confidence can be believed',
      ['Confidence', 'Texts', 'Mean confidence', 'Right'],
      measures.reliability.bins
        .filter(({ texts }) => texts > 0)
        .map(({ from, to, texts, confidence, accuracy }) => [
          `${percent(from)} to ${percent(to)}`,
          String(texts),
          percent(confidence),
          percent(accuracy),
        ]),
      `![How often the best intent is right, by confidence](${dataAddress(reliabilityDiagram(measures.reliability.bins))})`,
    ),
    section(
      'Other thresholds',
      ['Threshold', 'In scope and answered', 'Answered rightly', 'Out of scope found'],
      shownThresholds(report).map((point) => [
        `${point.threshold}${point.threshold === evaluation.threshold ? " (the bot's)" : ''}`,
        percent(point.coverage),
        percent(point.accuracy),
        percent(point.out_of_scope_recall),
      ]),
      `![Texts that are answered against answers that are right, by threshold](${dataAddress(thresholdCurve(measures.thresholds, atOwnThreshold(report)))})`,
    ),
    section(
      'Misread texts',
      ['Text', 'Expected', 'Answered', 'Confidence', 'In scope'],
      misread(evaluation).map((row) => [
        row.text,
        named(row.expected),
        answeredWith(row),
        percent(row.confidence),
        percent(row.in_scope),
      ]),
    ),
  ];
  return parts.join('\n');
}

/** @param picture as Markdown, to stand above the table. */
function section(
  title: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  picture?: string,
): string {
  const body =
    rows.length === 0
      ? 'None.\n'
      : markdownTable(
          headings,
          rows.map((row) => row.map(inline)),
        );
  return `## ${title}\n\n${picture === undefined ? '' : `${picture}\n\n`}${body}`;
}

/** What people wrote is shown as they wrote it: neither markup nor a new line. */
function inline(text: string): string {
  return escaped(printable(text).replace(/[\\`*<>[\]&#]|(?<!\w)_|_(?!\w)/g, '\\$&'));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${inline(text.slice(1))}.`;
}
