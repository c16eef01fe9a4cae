import type { TopLevelSpec } from 'vega-lite';
import type { Confusion } from '../evaluation/fullSet.js';
import type { Proportion, ReliabilityBin } from '../../statistics/measures.js';
import { COLOURS } from './svg.js';

/*
 * The charts of a report, as Vega-Lite specifications. Accuracies go in as shares and are drawn in percent; intervals are
 * 95 % and drawn as error bars.
 */

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';
const PERCENT = 'Accuracy (%)';

/** What a row of an accuracy chart is. */
export type RowKind = 'trained here' | 'untrained' | 'published';

const KINDS: readonly RowKind[] = ['trained here', 'untrained', 'published'];

export interface AccuracyPoint {
  /** The panel that it stands in. */
  readonly setting: string;
  readonly row: string;
  readonly kind: RowKind;
  /** A published figure has no interval: low and high equal the value then. */
  readonly accuracy: Proportion;
}

/** Heads beside one another, a panel a setting; a dashed line is the untrained baseline. */
export function accuracyChart(
  title: string,
  points: readonly AccuracyPoint[],
  baseline: string,
): TopLevelSpec {
  const settings = distinct(points.map(({ setting }) => setting));
  const values = points.map(({ setting, row, kind, accuracy }) => ({
    setting,
    row,
    kind,
    ...inPercent(accuracy),
    label: (100 * accuracy.value).toFixed(1),
    reference: row === baseline ? 100 * accuracy.value : null,
  }));
  const y = {
    field: 'row',
    type: 'nominal',
    sort: distinct(points.map(({ row }) => row)),
    title: null,
  } as const;
  const kind = { field: 'kind', type: 'nominal', legend: { title: null, orient: 'bottom' } } as const;
  const colour = { ...kind, scale: { domain: [...KINDS], range: COLOURS.slice(0, 3) } };
  const scale = { zero: false, nice: true, padding: 24 };
  return {
    $schema: SCHEMA,
    title: { text: title, subtitle: `Bars: 95 % intervals. Dashed line: ${baseline}` },
    data: { values },
    facet: { field: 'setting', type: 'nominal', sort: settings, title: null },
    columns: settings.length > 4 ? 3 : Math.min(2, settings.length),
    spacing: 28,
    resolve: { scale: { x: 'independent' } },
    spec: {
      width: settings.length > 4 ? 250 : 340,
      height: { step: 22 },
      layer: [
        {
          transform: [{ filter: 'datum.reference !== null' }],
          mark: { type: 'rule', strokeDash: [4, 4], color: '#777777' },
          encoding: { x: { field: 'reference', type: 'quantitative' } },
        },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: {
            y,
            x: { field: 'low', type: 'quantitative', scale },
            x2: { field: 'high' },
            color: colour,
          },
        },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1 },
          encoding: {
            y,
            x: { field: 'value', type: 'quantitative', title: PERCENT, scale, axis: { tickCount: 6 } },
            color: colour,
            shape: { ...kind, scale: { domain: [...KINDS] } },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 8, fontSize: 11 },
          encoding: {
            y,
            x: { field: 'high', type: 'quantitative', scale },
            text: { field: 'label' },
            color: { value: '#333333' },
          },
        },
      ],
    },
  };
}

export interface ShotsPoint {
  /** The panel that it stands in. */
  readonly set: string;
  readonly row: string;
  readonly shots: string;
  readonly accuracy: Proportion;
}

/** Accuracy by the number of examples, a panel a set, a line a head; uneven bots stand by themselves at the right. */
export function shotsChart(title: string, points: readonly ShotsPoint[]): TopLevelSpec {
  const sets = distinct(points.map(({ set }) => set));
  const shots = distinct(points.map((point) => point.shots));
  const rows = distinct(points.map(({ row }) => row));
  const values = points.map((point) => ({
    set: point.set,
    row: point.row,
    shots: point.shots,
    line: point.shots === 'uneven' ? 'uneven' : 'even',
    ...inPercent(point.accuracy),
  }));
  const x = { field: 'shots', type: 'ordinal', sort: shots } as const;
  const color = {
    field: 'row',
    type: 'nominal',
    sort: rows,
    legend: { title: null, orient: 'bottom', columns: 4, symbolLimit: 0 },
  } as const;
  return {
    $schema: SCHEMA,
    title: { text: title, subtitle: 'Bars: 95 % intervals over support sets drawn at random' },
    data: { values },
    facet: { field: 'set', type: 'nominal', sort: sets, title: null },
    columns: 3,
    spacing: 28,
    resolve: { scale: { y: 'independent' } },
    spec: {
      width: 280,
      height: 260,
      encoding: {
        x: { ...x, title: 'Examples an intent (uneven: 1 to 40)', axis: { labelAngle: 0 } },
        color,
      },
      layer: [
        {
          mark: { type: 'line', strokeWidth: 1.5 },
          encoding: {
            y: { field: 'value', type: 'quantitative', title: PERCENT, scale: { zero: false } },
            detail: { field: 'line' },
          },
        },
        {
          mark: { type: 'rule' },
          encoding: {
            y: { field: 'low', type: 'quantitative', scale: { zero: false } },
            y2: { field: 'high' },
          },
        },
        {
          mark: { type: 'point', filled: true, size: 45, opacity: 1 },
          encoding: {
            y: { field: 'value', type: 'quantitative', scale: { zero: false } },
            shape: color,
          },
        },
      ],
    },
  };
}

export interface ReliabilityLine {
  /** The panel that it stands in. */
  readonly setting: string;
  readonly row: string;
  readonly bins: readonly ReliabilityBin[];
}

/** Reliability diagrams (Guo et al. 2017): how often answers of a confidence are right. */
export function reliabilityChart(title: string, lines: readonly ReliabilityLine[]): TopLevelSpec {
  const settings = distinct(lines.map(({ setting }) => setting));
  const values = lines.flatMap(({ setting, row, bins }) =>
    bins.map(({ count, confidence, accuracy }) => ({
      setting,
      row,
      count,
      confidence: 100 * confidence,
      accuracy: 100 * accuracy,
    })),
  );
  const scale = { domain: [0, 100] };
  return {
    $schema: SCHEMA,
    title: { text: title, subtitle: 'On the dashed line a confidence of 80 % is right 80 % of the time' },
    data: { values },
    facet: { field: 'setting', type: 'nominal', sort: settings, title: null },
    columns: Math.min(3, settings.length),
    spec: {
      width: 230,
      height: 230,
      layer: [
        {
          data: { values: [{ from: 0, to: 100 }] },
          mark: { type: 'rule', strokeDash: [4, 4], color: '#777777' },
          encoding: {
            x: { field: 'from', type: 'quantitative' },
            x2: { field: 'to' },
            y: { field: 'from', type: 'quantitative' },
            y2: { field: 'to' },
          },
        },
        {
          mark: { type: 'line', strokeWidth: 1.5 },
          encoding: {
            x: { field: 'confidence', type: 'quantitative', title: 'Confidence (%)', scale },
            y: { field: 'accuracy', type: 'quantitative', title: 'Right (%)', scale },
            color: { field: 'row', type: 'nominal', legend: { title: null, orient: 'bottom', columns: 4 } },
          },
        },
        {
          mark: { type: 'point', filled: true, opacity: 0.9 },
          encoding: {
            x: { field: 'confidence', type: 'quantitative' },
            y: { field: 'accuracy', type: 'quantitative' },
            color: { field: 'row', type: 'nominal' },
            size: {
              field: 'count',
              type: 'quantitative',
              title: 'Queries',
              legend: { orient: 'bottom' },
              scale: { range: [10, 250] },
            },
          },
        },
      ],
    },
  };
}

/** Pairs that are shown at the most, so that the names of 150 intents do not have to be. */
const PAIRS = 30;

/** The part of a confusion matrix where the most queries go wrong; the diagonal, what is right, is left out. */
export function confusionChart(
  title: string,
  confusions: readonly Confusion[],
  queries: number,
): TopLevelSpec {
  const worst = confusions.slice(0, PAIRS);
  const intents = distinct(worst.flatMap(({ intent, taken }) => [intent, taken])).sort();
  const shown = new Set(intents);
  const values = confusions.filter(({ intent, taken }) => shown.has(intent) && shown.has(taken));
  const most = Math.max(1, ...values.map((pair) => pair.queries));
  // Vega-Lite draws the axes of a heat map above its cells, where the grid would cross the numbers out.
  const axis = { labelFontSize: 11, grid: true, zindex: 0, labelLimit: 400 };
  return {
    $schema: SCHEMA,
    title: {
      text: title,
      subtitle: `Queries of ${queries} that were taken for another intent; the ${worst.length} pairs most often confused`,
    },
    data: { values: [...values] },
    width: { step: 20 },
    height: { step: 20 },
    encoding: {
      x: {
        field: 'taken',
        type: 'nominal',
        title: 'Taken for',
        scale: { domain: intents },
        axis: { ...axis, labelAngle: -50 },
      },
      y: { field: 'intent', type: 'nominal', title: 'Intent', scale: { domain: intents }, axis },
    },
    layer: [
      {
        mark: { type: 'rect' },
        encoding: {
          color: {
            field: 'queries',
            type: 'quantitative',
            title: 'Queries',
            scale: { scheme: 'blues', domain: [0, most] },
            legend: { tickMinStep: 1 },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 10 },
        encoding: {
          text: { field: 'queries' },
          color: {
            condition: { test: `datum.queries > ${0.55 * most}`, value: '#ffffff' },
            value: '#222222',
          },
        },
      },
    ],
  };
}

export interface LearningCurve {
  /** The panel that it stands in. */
  readonly row: string;
  /** Which of the row's trainings, whether with another seed or on other data. */
  readonly training: string;
  /** Validations by the number of optimiser steps before. */
  readonly history: readonly ({ readonly step: number } & Proportion)[];
  /** Of untrained prototypes on the same validation episodes. */
  readonly baseline?: Proportion | undefined;
}

/** Validation accuracy in the course of a training, a panel a head, with its interval over the episodes. */
export function learningChart(title: string, curves: readonly LearningCurve[]): TopLevelSpec {
  const rows = distinct(curves.map(({ row }) => row));
  const values = curves.flatMap(({ row, training, history, baseline }) =>
    history.map((point) => ({
      row,
      training,
      step: point.step,
      ...inPercent(point),
      baseline: baseline === undefined ? null : 100 * baseline.value,
    })),
  );
  const y = { type: 'quantitative', scale: { zero: false } } as const;
  return {
    $schema: SCHEMA,
    title: {
      text: title,
      subtitle: 'A line a training. Band: 95 % interval over the episodes. Dashed line: untrained prototypes',
    },
    data: { values },
    facet: { field: 'row', type: 'nominal', sort: rows, title: null },
    columns: 3,
    spacing: 24,
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: 230,
      height: 160,
      encoding: {
        x: { field: 'step', type: 'quantitative', title: 'Steps', axis: { tickCount: 5 } },
      },
      layer: [
        {
          transform: [{ filter: 'datum.baseline !== null' }],
          mark: { type: 'line', strokeDash: [4, 4], color: '#777777', strokeWidth: 1 },
          encoding: { y: { field: 'baseline', ...y }, detail: { field: 'training' } },
        },
        {
          mark: { type: 'area', opacity: 0.18, color: COLOURS[0]! },
          encoding: {
            y: { field: 'low', ...y },
            y2: { field: 'high' },
            detail: { field: 'training' },
          },
        },
        {
          mark: { type: 'line', color: COLOURS[0]!, strokeWidth: 1.5 },
          encoding: {
            y: { field: 'value', title: `Validation ${PERCENT.toLowerCase()}`, ...y },
            detail: { field: 'training' },
          },
        },
      ],
    },
  };
}

function inPercent({ value, low, high }: Proportion): { value: number; low: number; high: number } {
  const known = Number.isFinite(low) && Number.isFinite(high);
  return { value: 100 * value, low: 100 * (known ? low : value), high: 100 * (known ? high : value) };
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
