import { count, table } from '../table.js';
import {
  circumstances,
  confusions,
  headline,
  misread,
  named,
  percent,
  type Report,
  takenFor,
  worstFirst,
} from './figures.js';

/** What a terminal shows of a long list. */
const INTENTS_SHOWN = 20;
const CONFUSIONS_SHOWN = 10;

/** The report in brief, for a terminal. */
export function terminalReport(report: Report): string {
  const intents = worstFirst(report);
  const confused = confusions(report);
  const wrong = misread(report.evaluation).length;
  const lines = [
    `${report.subject}: ${circumstances(report)}\n\n`,
    table(
      ['MEASURE', 'VALUE'],
      headline(report).map(({ label, value }) => [label, value]),
      [],
    ),
    '\n',
    table(
      ['INTENT', 'TEXTS', 'RECALL', 'PRECISION', 'F1', 'TAKEN FOR'],
      intents
        .slice(0, INTENTS_SHOWN)
        .map((intent) => [
          intent.intent,
          String(intent.texts),
          percent(intent.recall),
          percent(intent.precision),
          percent(intent.f1),
          takenFor(intent),
        ]),
      [1, 2, 3, 4],
    ),
    more(intents.length - INTENTS_SHOWN, 'intent'),
  ];
  if (wrong === 0) return [...lines, '\nnothing was misread\n'].join('');
  return [
    ...lines,
    '\n',
    table(
      ['EXPECTED', 'ANSWERED', 'TEXTS'],
      confused
        .slice(0, CONFUSIONS_SHOWN)
        .map(({ expected, answered, texts }) => [named(expected), named(answered), String(texts)]),
      [2],
    ),
    more(confused.length - CONFUSIONS_SHOWN, 'pair'),
    `\n${count(wrong, 'text')} misread; --html or --markdown lists them\n`,
  ].join('');
}

function more(left: number, what: string): string {
  return left > 0 ? `… and ${count(left, `more ${what}`)}\n` : '';
}
