import type { TopLevelSpec } from 'vega-lite';
import type { Proportion } from '../../statistics/measures.js';
import { curvesChart } from './curvesChart.js';
import { COLOURS } from './svg.js';

// The two charts of the sinusoid example (src/learn/sinusoid.ts).

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

export interface SinusoidFit {
  readonly name: string;
  /** The network's curve after so many inner steps, at `SinusoidPicture.x`. */
  readonly curves: readonly { readonly steps: number; readonly y: readonly number[] }[];
}

export interface SinusoidPicture {
  readonly x: readonly number[];
  readonly truth: readonly number[];
  /** The support set. */
  readonly points: { readonly x: readonly number[]; readonly y: readonly number[] };
  readonly fits: readonly SinusoidFit[];
}

/** What each network makes of one wave, a panel a network. */
export function sinusoidFitChart({ x, truth, points, fits }: SinusoidPicture): TopLevelSpec {
  const TRUTH = 'the wave';
  const nameOf = (steps: number) =>
    steps === 0 ? 'before' : steps === 1 ? 'after 1 step' : `after ${steps} steps`;
  const curve = (panel: string, name: string, y: readonly number[]) =>
    x.map((at, i) => ({ panel, curve: name, x: at, y: y[i] }));
  const lines = fits.flatMap(({ name, curves }) => [
    ...curve(name, TRUTH, truth),
    ...curves.flatMap(({ steps, y }) => curve(name, nameOf(steps), y)),
  ]);
  const support = fits.flatMap(({ name }) =>
    points.x.map((at, i) => ({ panel: name, curve: 'support', x: at, y: points.y[i] })),
  );
  const domain = [TRUTH, ...fits[0]!.curves.map(({ steps }) => nameOf(steps))];
  const axes = {
    x: { field: 'x', type: 'quantitative', title: 'x' },
    y: { field: 'y', type: 'quantitative', title: 'y' },
  } as const;
  return {
    $schema: SCHEMA,
    title: {
      text: 'A wave that neither network has seen',
      subtitle: 'Dots: the ten points that both adapt to',
    },
    data: { values: [...lines, ...support] },
    facet: { field: 'panel', type: 'nominal', sort: fits.map(({ name }) => name), title: null },
    columns: 2,
    spec: {
      width: 330,
      height: 260,
      layer: [
        {
          transform: [{ filter: "datum.curve !== 'support'" }],
          mark: { type: 'line', strokeWidth: 2 },
          encoding: {
            ...axes,
            color: {
              field: 'curve',
              type: 'nominal',
              scale: { domain, range: ['#999999', COLOURS[4]!, COLOURS[0]!, COLOURS[1]!] },
              legend: { title: null, orient: 'bottom' },
            },
            strokeDash: {
              field: 'curve',
              type: 'nominal',
              scale: {
                domain,
                range: [
                  [1, 0],
                  [2, 3],
                  [6, 3],
                  [1, 0],
                ],
              },
              legend: null,
            },
          },
        },
        {
          transform: [{ filter: "datum.curve === 'support'" }],
          mark: { type: 'point', filled: true, size: 50, color: '#000000', opacity: 1 },
          encoding: axes,
        },
      ],
    },
  };
}

/** Error by inner steps, a line a network. */
export function sinusoidErrorChart(
  networks: readonly { readonly name: string; readonly errors: readonly Proportion[] }[],
  waves: number,
): TopLevelSpec {
  const points = networks.flatMap(({ name, errors }) =>
    errors.map((value, x) => ({ panel: 'all', line: name, x, value })),
  );
  return curvesChart(
    'Error on waves that were not trained on',
    `Bands: 95 % intervals over ${waves} waves`,
    'Inner steps',
    points,
    { title: 'Mean squared error', factor: 1 },
  );
}
