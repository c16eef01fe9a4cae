import type { TopLevelSpec } from 'vega-lite';
import type { Proportion } from '../../statistics/measures.js';
import { COLOURS } from './svg.js';

export interface CurvePoint {
  /** The panel that it stands in. */
  readonly panel: string;
  /** The line that it is a point of. */
  readonly line: string;
  readonly x: number;
  readonly value: Proportion;
}

/** What the curves are of. */
export interface CurveAxis {
  readonly title: string;
  /** What values are multiplied by. */
  readonly factor: number;
}

const ACCURACY: CurveAxis = { title: 'Accuracy (%)', factor: 100 };

/** Values by a number, accuracies in percent unless said otherwise: a line each with its interval as a band, a panel a setting. */
export function curvesChart(
  title: string,
  subtitle: string,
  xTitle: string,
  points: readonly CurvePoint[],
  axis = ACCURACY,
): TopLevelSpec {
  const lines = [...new Set(points.map(({ line }) => line))];
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const scaled = (value: number) => Number((axis.factor * value).toPrecision(4));
  const values = points.map(({ panel, line, x, value: { value, low, high } }) => ({
    panel,
    line,
    x,
    value: scaled(value),
    low: scaled(Number.isFinite(low) ? low : value),
    high: scaled(Number.isFinite(high) ? high : value),
  }));
  const line = {
    field: 'line',
    type: 'nominal',
    sort: lines,
    legend: { title: null, orient: 'bottom', columns: 4, symbolLimit: 0, symbolOpacity: 1 },
  } as const;
  const color = { ...line, scale: { domain: lines, range: COLOURS.slice(0, lines.length) } };
  const shape = { ...line, scale: { domain: lines } };
  const y = { type: 'quantitative', title: axis.title, scale: { zero: false } } as const;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, subtitle },
    data: { values },
    facet: { field: 'panel', type: 'nominal', sort: panels, title: null },
    columns: 2,
    spacing: 28,
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: panels.length > 1 ? 340 : 620,
      height: panels.length > 1 ? 280 : 380,
      encoding: {
        x: { field: 'x', type: 'quantitative', title: xTitle, scale: { zero: false, nice: false } },
        color,
      },
      layer: [
        {
          mark: { type: 'area', opacity: 0.12 },
          encoding: { y: { field: 'low', ...y }, y2: { field: 'high' } },
        },
        { mark: { type: 'line', strokeWidth: 1.5 }, encoding: { y: { field: 'value', ...y } } },
        {
          mark: { type: 'point', filled: true, size: 24, opacity: 1 },
          encoding: { y: { field: 'value', ...y }, shape },
        },
      ],
    },
  };
}
