import { html, Html, type Insertable } from '../../http/html.js';
import { CHART_COLOURS, CHART_STYLE, reliabilityDiagram, thresholdCurve } from './charts.js';
import {
  answeredWith,
  atOwnThreshold,
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

/** The report as one page that needs nothing from elsewhere, on a light screen, a dark one, or paper. */
export function htmlReport(report: Report): string {
  const { evaluation, measures, subject } = report;
  const own = atOwnThreshold(report);
  const wrong = misread(evaluation);
  const figures = headline(report).map(
    ({ label, value, meaning }) =>
      html`<tr>
        <th scope="row">${label}</th>
        <td class="value">${value}</td>
        <td class="meaning">${meaning}</td>
      </tr>`,
  );
  return (
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <title>Evaluation of ${subject}</title>
          ${new Html(`<style>${STYLE}</style>`)}
        </head>
        <body>
          <header>
            <h1>Evaluation of ${subject}</h1>
            <p>${circumstances(report)}</p>
            <p class="meaning">revision ${String(evaluation.revision)}, ${evaluation.created_at}</p>
          </header>
          <table>
            ${figures}
          </table>
          <div class="pictures">
            <figure>
              ${reliabilityDiagram(measures.reliability.bins)}
              <figcaption>
                How often the best intent is right, by confidence; the number of texts stands in each bar. On
                the dashed line a confidence of 80 % is right 80 % of the time; above it the bot is right more
                often than it says.
              </figcaption>
            </figure>
            <figure>
              ${thresholdCurve(measures.thresholds, own)}
              <figcaption>
                What each threshold gives. The bot's, ${String(evaluation.threshold)}, answers
                ${percent(own.coverage)} of the texts in scope; of its answers ${percent(own.accuracy)} are
                right; of the texts out of scope it finds ${percent(own.out_of_scope_recall)}.
              </figcaption>
            </figure>
          </div>
          ${section(
            'Intents',
            'Those that go wrong most come first.',
            ['Intent', 'Texts', 'Recall', 'Precision', 'F1', 'Taken for'],
            worstFirst(report).map((intent) => [
              intent.intent,
              number(intent.texts),
              share(intent.recall),
              share(intent.precision),
              share(intent.f1),
              takenFor(intent),
            ]),
          )}
          ${section(
            'Confusions',
            'What was taken for what, most often first.',
            ['Expected', 'Answered', 'Texts'],
            confusions(report).map(({ expected, answered, texts }) => [
              named(expected),
              named(answered),
              number(texts),
            ]),
          )}
          ${section(
            'Misread texts',
            `${wrong.length} of ${evaluation.rows.length}.`,
            ['Text', 'Expected', 'Answered', 'Confidence', 'In scope'],
            wrong.map((row) => [
              row.text,
              named(row.expected),
              answeredWith(row),
              share(row.confidence),
              share(row.in_scope),
            ]),
          )}
        </body>
      </html>`.source.trimStart() + '\n'
  );
}

type Cell = string | Html;

function section(title: string, below: string, headings: readonly string[], rows: readonly Cell[][]): Html {
  if (rows.length === 0)
    return html`<h2>${title}</h2>
      <p>None.</p>`;
  const lines: Insertable = rows.map(
    (row) =>
      html`<tr>
        ${row.map(cell)}
      </tr> `,
  );
  return html`<h2>${title}</h2>
    <p class="meaning">${below}</p>
    <div class="wide">
      <table>
        <thead>
          <tr>
            ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${lines}
        </tbody>
      </table>
    </div>`;
}

function cell(content: Cell): Html {
  return content instanceof Html ? content : html`<td dir="auto">${content}</td>`;
}

function number(value: number): Html {
  return html`<td class="number">${String(value)}</td>`;
}

function share(value: number | null): Html {
  return html`<td class="number">${percent(value)}</td>`;
}

const STYLE = `
:root {
  color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
  ${CHART_COLOURS.light}
}
@media (prefers-color-scheme: dark) { :root { ${CHART_COLOURS.dark} } }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; }
h1 { margin-bottom: 0; overflow-wrap: anywhere; } h2 { margin: 2rem 0 0; }
p { margin: 0.25rem 0; }
.meaning, figcaption { color: var(--quiet); }
table { border-collapse: collapse; margin: 0.75rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--faint); padding: 0.25rem 0.6rem 0.25rem 0; text-align: left; vertical-align: top; }
th { white-space: nowrap; }
.wide { overflow-x: auto; } .wide td:first-child { min-width: 12rem; overflow-wrap: anywhere; }
thead { display: table-header-group; }
tr, figure { break-inside: avoid; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.value { font-weight: 600; white-space: nowrap; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 1.5rem 0; }
figure { flex: 1 1 20rem; margin: 0; }
svg { display: block; height: auto; max-width: 100%; width: 100%; }
${CHART_STYLE}
@media print {
  :root { color-scheme: light; ${CHART_COLOURS.light} }
  body { font-size: 0.85rem; max-width: none; padding: 0; print-color-adjust: exact; }
  .wide { overflow-x: visible; }
}
`;
