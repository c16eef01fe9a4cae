import type { TopLevelSpec } from 'vega-lite';
import type { Cell } from '../evaluation/cell.js';
import {
  accuracy,
  difference,
  discordant,
  mcnemar,
  seedDeviation,
  type Strata,
} from '../evaluation/outcomes.js';
import type { RowPlan } from '../evaluation/plan.js';
import { type Setting } from '../evaluation/protocol.js';
import { settingId } from '../evaluation/resultStore.js';
import { isHeadName } from '../../heads/registry.js';
import type { Benchmark, Group } from './benchmark.js';
import {
  accuracyChart,
  type AccuracyPoint,
  confusionChart,
  learningChart,
  reliabilityChart,
  shotsChart,
} from './charts.js';
import { escaped, markdownTable, percent, points, signedPercent } from './markdown.js';

/** A chart by the name of its file, without the ending. */
export interface Chart {
  readonly name: string;
  /** What the picture shows, for whoever does not see it. */
  readonly alt: string;
  readonly spec: TopLevelSpec;
}

/** A part of a page. */
export interface Section {
  readonly markdown: string;
  readonly charts: readonly Chart[];
}

/**
 * What there is to say of a benchmark: a table of accuracies, of differences to the baselines, of what the benchmark measures
 * besides, of what was seen; and the charts.
 *
 * @param picture a chart's name to where its file lies, as the page links to it.
 */
export function benchmarkSection(benchmark: Benchmark, picture: (name: string) => string): Section {
  const { plan, groups } = benchmark;
  const charts = chartsOf(benchmark);
  const parts = [
    `## ${plan.title}\n`,
    `${plan.about}\n`,
    `Encoder: ${plan.encoderSeen} ${unitNote(benchmark)}\n`,
    ...groups.flatMap((group) => groupParts(benchmark, group)),
    seenTable(benchmark),
    sources(benchmark),
    limits(benchmark),
    ...charts.map(({ name, alt }) => `![${alt}](${picture(name)})\n`),
  ];
  return { markdown: parts.filter((part) => part !== '').join('\n'), charts };
}

function groupParts(benchmark: Benchmark, group: Group): string[] {
  const heading = benchmark.groups.length > 1 ? [`### ${benchmark.plan.title}: ${group.name}\n`] : [];
  const { kind } = benchmark.protocol;
  if (kind === 'out-of-scope') return [...heading, ...outOfScopeTables(benchmark, group)];
  return [
    ...heading,
    'Accuracy, %:\n',
    accuracyTable(benchmark, group),
    ...benchmark.plan.baselines.flatMap((name) => [
      `Difference to ${name}, points:\n`,
      differenceTable(benchmark, group, name),
    ]),
    ...(kind === 'intents'
      ? ['Expected calibration error, points:\n', calibrationTable(benchmark, group)]
      : []),
    ...(kind === 'arsc' ? ['Accuracy by task, %:\n', taskTable(benchmark, group.settings[0]!)] : []),
  ];
}

/** Rows of heads, a column a setting, and what is missing in words. */
function settingsTable(
  benchmark: Benchmark,
  { settings }: Group,
  rows: readonly RowPlan[],
  cellOf: (runs: readonly Strata[], row: RowPlan, setting: Setting) => string,
): [headings: string[], rows: string[][]] {
  return [
    ['', ...settings.map(({ name }) => escaped(columnName(name)))],
    rows.map((row) => [
      rowName(row),
      ...settings.map((setting) => {
        const runs = benchmark.runs(row, setting);
        return runs.length === 0 ? benchmark.absence(row, setting) : cellOf(runs, row, setting);
      }),
    ]),
  ];
}

function columnName(name: string): string {
  return /^\d+$/.test(name) ? `${name} ${name === '1' ? 'example' : 'examples'}` : name;
}

/** Trained heads as code, as elsewhere; what the plan calls otherwise as it is. */
function rowName({ name }: RowPlan): string {
  return escaped(name);
}

function accuracyTable(benchmark: Benchmark, group: Group): string {
  const best = group.settings.map((setting) =>
    Math.max(
      ...benchmark.plan.rows
        .map((row) => benchmark.runs(row, setting))
        .map((runs) => (runs.length === 0 ? -Infinity : accuracy(runs).value)),
    ),
  );
  const [headings, rows] = settingsTable(benchmark, group, benchmark.plan.rows, (runs, _row, setting) => {
    const value = accuracy(runs);
    const seeds = runs.length > 1 ? ` (${runs.length} seeds, sd ${points(seedDeviation(runs))})` : '';
    const text = percent(value) + seeds;
    return value.value === best[group.settings.indexOf(setting)] ? `**${text}**` : text;
  });
  const published = benchmark.plan.published.flatMap(({ name, figures }) => {
    const cells = group.settings.map((setting) => figures[settingId(setting)]?.toFixed(2) ?? '');
    return cells.some((cell) => cell !== '') ? [[`${escaped(name)} (published)`, ...cells]] : [];
  });
  return markdownTable(headings, [...rows, ...published]);
}

function differenceTable(benchmark: Benchmark, group: Group, name: string): string {
  const baseline = benchmark.row(name)!;
  const others = benchmark.plan.rows.filter((row) => row !== baseline);
  const [headings, rows] = settingsTable(benchmark, group, others, (runs, _row, setting) => {
    const reference = benchmark.runs(baseline, setting);
    if (reference.length === 0) return benchmark.absence(baseline, setting);
    return signedPercent(difference(runs, reference)) + significance(runs, reference);
  });
  return markdownTable(headings, rows);
}

/** McNemar's p where two single trainings answered the same single queries. */
function significance(runs: readonly Strata[], reference: readonly Strata[]): string {
  const [mine, theirs] = [runs[0]!, reference[0]!];
  const single =
    runs.length === 1 && reference.length === 1 && Object.values(mine).every(({ of }) => of === 1);
  if (!single) return '';
  const { better, worse } = discordant(mine, theirs);
  const p = mcnemar(better, worse);
  return p < 0.001 ? ', p < 0.001' : `, p ${p.toFixed(3)}`;
}

function calibrationTable(benchmark: Benchmark, group: Group): string {
  const calibrated = benchmark.plan.rows.filter((row) => row.calibrated);
  const [headings, rows] = settingsTable(benchmark, group, calibrated, (_runs, row, setting) => {
    const errors = benchmark.cells(row, setting).flatMap(({ calibration }) => calibration?.ece ?? []);
    return points(mean(errors));
  });
  return markdownTable(headings, rows);
}

/** A row a task, a column a head. */
function taskTable(benchmark: Benchmark, setting: Setting): string {
  const there = benchmark.plan.rows
    .map((row) => ({ row, runs: benchmark.runs(row, setting) }))
    .filter(({ runs }) => runs.length > 0);
  const tasks = Object.keys(there[0]?.runs[0] ?? {});
  return markdownTable(
    ['', ...there.map(({ row }) => rowName(row))],
    tasks.map((task) => [
      escaped(task),
      ...there.map(({ runs }) => points(accuracy(runs.map((run) => ({ [task]: run[task]! }))).value)),
    ]),
  );
}

function outOfScopeTables(benchmark: Benchmark, { settings }: Group): string[] {
  return settings.flatMap((setting) => [
    `${setting.name}:\n`,
    markdownTable(
      [
        '',
        'AUROC × 100',
        'recall, %, at 95 % in scope accepted',
        'FPR95, %',
        'ECE of in scope, points',
        'accuracy in scope, %',
      ],
      benchmark.plan.rows.map((row) => {
        const cells = benchmark.cells(row, setting).filter((cell) => cell.outOfScope !== undefined);
        if (cells.length === 0) return [rowName(row), benchmark.absence(row, setting)];
        return [rowName(row), ...outOfScopeCells(cells)];
      }),
    ),
  ]);
}

function outOfScopeCells(cells: readonly Cell[]): string[] {
  const measures = cells.map((cell) => cell.outOfScope!);
  const [only] = measures;
  const errors = measures.flatMap(({ ece }) => ece ?? []);
  const runs = cells.flatMap(({ strata }) => (strata === undefined ? [] : [strata]));
  return [
    measures.length === 1 ? percent(only!.auroc) : points(mean(measures.map(({ auroc }) => auroc.value))),
    measures.length === 1 ? percent(only!.recall) : points(mean(measures.map(({ recall }) => recall.value))),
    points(mean(measures.map(({ fpr95 }) => fpr95))),
    errors.length === 0 ? '' : points(mean(errors)),
    percent(accuracy(runs)),
  ];
}

/** What a unit of the intervals is. */
function unitNote(benchmark: Benchmark): string {
  const half = '± is half of the 95 % interval';
  switch (benchmark.protocol.kind) {
    case 'episodes': {
      const { episodes, queries, seed } = benchmark.protocol;
      return (
        `${episodes.toLocaleString('en')} episodes a setting, ${queries} queries a class, the same episodes for every ` +
        `head (seed ${seed}); ${half} over the episodes, of a difference over the paired episodes.`
      );
    }
    case 'arsc':
      return `Every query of the 12 tasks once; ${half} over the queries, the tasks counting equally.`;
    case 'intents':
      return `Every query once; ${half} over the queries (Wilson's), of a difference over the paired queries; p is McNemar's, exact.`;
    case 'out-of-scope':
      return `Every query once; ${half} over the queries (DeLong's for AUROC, Wilson's for the rest).`;
    case 'shots': {
      const { draws, seed } = benchmark.protocol;
      return `${draws} support sets are drawn from the training texts, the same for every head (seed ${seed}); ${half} over them.`;
    }
  }
}

/** What each head had seen. */
function seenTable(benchmark: Benchmark): string {
  const settings = benchmark.groups.flatMap((group) => group.settings);
  const rows = benchmark.plan.rows.map((row) => {
    const trainings = settings.flatMap((setting) =>
      benchmark.cells(row, setting).flatMap(({ training }) => training ?? []),
    );
    if (row.heads.every(isHeadName))
      return [rowName(row), 'nothing: it learns nothing offline', '', '', '', ''];
    if (trainings.length === 0) return [rowName(row), 'not trained', '', '', '', ''];
    const distinct = <T>(values: readonly T[]) => [...new Set(values)];
    return [
      rowName(row),
      distinct(trainings.map(({ data }) => data.map(escaped).join(', '))).join('; or '),
      distinct(trainings.map(({ episodes }) => episodes.toLocaleString('en'))).join(', '),
      distinct(trainings.map(({ seed }) => seed)).join(', '),
      range(distinct(trainings.flatMap(({ seconds }) => seconds ?? []))),
      encoderNote(trainings),
    ];
  });
  const titles = ['', 'trained on', 'episodes', 'seeds', 'training, s', 'of the encoder'];
  return ['What the heads had seen:\n', markdownTable(titles, rows)].join('\n');
}

/** How far the encoder's layers moved, and what training them took in memory; nothing where they are frozen. */
function encoderNote(trainings: readonly NonNullable<Cell['training']>[]): string {
  const shares = [...new Set(trainings.flatMap(({ share }) => share ?? []))];
  if (shares.length === 0) return '';
  const memory = range([...new Set(trainings.flatMap(({ peakMemoryMb }) => peakMemoryMb ?? []))]);
  return `${range(shares)} of the way learned; ${memory} MB at the peak`;
}

/** "25", "25 to 40", or nothing. */
function range(values: readonly number[]): string {
  if (values.length === 0) return '';
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? String(low) : `${low} to ${high}`;
}

function sources(benchmark: Benchmark): string {
  const cited = new Map<string, string[]>();
  for (const { name, source } of benchmark.plan.published) {
    cited.set(source, [...(cited.get(source) ?? []), name]);
  }
  if (cited.size === 0) return '';
  const list = [...cited].map(([source, names]) => `- ${names.join(', ')}: ${source}\n`);
  return `Published figures:\n\n${list.join('')}`;
}

/** Why a head "cannot", once each. */
function limits(benchmark: Benchmark): string {
  const reasons = benchmark.plan.rows.flatMap((row) =>
    benchmark.groups
      .flatMap((group) => group.settings)
      .flatMap((setting) => benchmark.cells(row, setting).flatMap(({ unsupported }) => unsupported ?? []))
      .slice(0, 1),
  );
  return [...new Set(reasons)].map((reason) => `Cannot: ${reason}\n`).join('\n');
}

function chartsOf(benchmark: Benchmark): Chart[] {
  const { plan } = benchmark;
  const { kind } = benchmark.protocol;
  return [
    ...(kind === 'shots' ? shotsCharts(benchmark) : accuracyCharts(benchmark)),
    ...(kind === 'intents' ? [...reliabilityCharts(benchmark), ...confusionCharts(benchmark)] : []),
    ...learningCharts(benchmark),
  ].map((chart) => ({ ...chart, name: `${plan.benchmark}-${chart.name}` }));
}

function accuracyCharts(benchmark: Benchmark): Chart[] {
  const { plan, groups } = benchmark;
  const several = groups.length > 1;
  const found = groups.flatMap((group) =>
    group.settings.flatMap((setting): AccuracyPoint[] => {
      const panel = several ? `${group.name}, ${setting.name}` : setting.name;
      const own = plan.rows.flatMap((row): AccuracyPoint[] => {
        const runs = benchmark.runs(row, setting);
        if (runs.length === 0) return [];
        const kind = row.heads.every(isHeadName) ? 'untrained' : 'trained here';
        return [{ setting: panel, row: row.name, kind, accuracy: accuracy(runs) }];
      });
      const theirs = plan.published.flatMap(({ name, figures }): AccuracyPoint[] => {
        const figure = figures[settingId(setting)];
        if (figure === undefined) return [];
        const value = figure / 100;
        return [
          { setting: panel, row: name, kind: 'published', accuracy: { value, low: value, high: value } },
        ];
      });
      return own.length === 0 ? [] : [...own, ...theirs];
    }),
  );
  if (found.length === 0) return [];
  const title = `${plan.title}: accuracy`;
  return [{ name: 'accuracy', alt: title, spec: accuracyChart(title, found, plan.baselines[0] ?? '') }];
}

function shotsCharts(benchmark: Benchmark): Chart[] {
  const found = benchmark.groups.flatMap((group) =>
    group.settings.flatMap((setting) =>
      benchmark.plan.rows.flatMap((row) => {
        const runs = benchmark.runs(row, setting);
        if (runs.length === 0) return [];
        return [{ set: group.name, row: row.name, shots: setting.name, accuracy: accuracy(runs) }];
      }),
    ),
  );
  const title = `${benchmark.plan.title}: accuracy by the number of examples`;
  return found.length === 0 ? [] : [{ name: 'accuracy', alt: title, spec: shotsChart(title, found) }];
}

function reliabilityCharts(benchmark: Benchmark): Chart[] {
  const { plan } = benchmark;
  const shown = new Set([...plan.baselines, plan.featured]); // more lines could not be told apart
  const rows = plan.rows.filter(({ name }) => shown.has(name));
  return benchmark.groups.flatMap((group) => {
    const lines = group.settings.flatMap((setting) =>
      rows.flatMap((row) => {
        const calibration = benchmark.cells(row, setting)[0]?.calibration;
        return calibration === undefined
          ? []
          : [{ setting: setting.name, row: row.name, bins: calibration.reliability }];
      }),
    );
    const title = `${plan.title}: reliability, ${group.name}`;
    return lines.length === 0
      ? []
      : [{ name: `reliability-${slug(group.name)}`, alt: title, spec: reliabilityChart(title, lines) }];
  });
}

function confusionCharts(benchmark: Benchmark): Chart[] {
  const row = benchmark.row(benchmark.plan.featured ?? '');
  if (row === undefined) return [];
  const group = benchmark.groups.at(-1)!; // of the most examples: what is confused in spite of them
  return group.settings.flatMap((setting) => {
    const [cell] = benchmark.cells(row, setting);
    if (cell?.confusions === undefined || cell.confusions.length === 0) return [];
    const title = `${setting.name}, ${group.name}: what ${row.name} confuses`;
    const queries = Object.values(cell.strata ?? {}).reduce((sum, { hits }) => sum + hits.length, 0);
    return [
      {
        name: `confusions-${slug(setting.name)}`,
        alt: title,
        spec: confusionChart(title, cell.confusions, queries),
      },
    ];
  });
}

function learningCharts(benchmark: Benchmark): Chart[] {
  const settings = benchmark.groups.flatMap((group) => group.settings);
  const curves = benchmark.plan.rows.flatMap((row) => {
    const found = new Map(
      settings
        .flatMap((setting) => benchmark.cells(row, setting))
        .flatMap(({ training }) => (training === undefined ? [] : [[training.weights, training] as const])),
    );
    return [...found].flatMap(([weights, { history, baseline }]) =>
      history === undefined ? [] : [{ row: row.name, training: weights, history, baseline }],
    );
  });
  const title = `${benchmark.plan.title}: learning curves`;
  return curves.length === 0 ? [] : [{ name: 'learning', alt: title, spec: learningChart(title, curves) }];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
