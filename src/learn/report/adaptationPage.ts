import type { TopLevelSpec } from 'vega-lite';
import type { AdaptationPoint, AdaptationSize } from '../adaptationStudy.js';
import { markdownTable, percent } from './markdown.js';

/** All that was measured, as it is written beside the page. */
export interface AdaptationResults {
  /** CPU, cores, Node. */
  readonly machine: string;
  readonly points: readonly AdaptationPoint[];
  readonly sizes: readonly AdaptationSize[];
}

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/** The page on what adapting costs and brings, in Markdown; made of the results alone. */
export function adaptationPage({ machine, points, sizes }: AdaptationResults): string {
  const settings = Object.keys(points[0]?.bySetting ?? {});
  const timed = Object.keys(points[0]?.milliseconds ?? {});
  const best = Math.max(...points.map((point) => point.accuracy.value));
  const bold = (text: string, is: boolean) => (is ? `**${text}**` : text);
  return `${[
    '# What adapting costs, and what it brings',
    'Written by `npm run adaptation`; the figures are also in [adaptation.json](adaptation.json).',
    `Validation queries of the published support sets, all intents at once, a name being one more support row; the encoders and, where they learn offline, the heads have not seen the set. ± is half of the 95 % interval over the queries. _Steps_: of the inner loop; a head that was trained for k steps is also shown cut short. _ms_: one adaptation in the server's own code (\`HeadRuntime.adapt\`, one thread), the median of three. ${machine}`,
    markdownTable(
      [
        'head',
        'steps',
        'mean accuracy, %',
        ...settings.map((name) => `${name}, %`),
        ...timed.map((name) => `${name}, ms`),
      ],
      points.map((point) => [
        point.head,
        String(point.steps),
        bold(percent(point.accuracy), point.accuracy.value === best),
        ...settings.map((name) => percent(point.bySetting[name]!)),
        ...timed.map((name) => milliseconds(point.milliseconds[name]!)),
      ]),
    ).trimEnd(),
    '![Accuracy by the time of an adaptation](adaptation.svg)',
    '## Larger bots',
    'Made-up support sets, each adaptation in a process of its own. Memory is what the process grew by at the most, compiled code and all. The server adapts all intents at once for bots of up to 512, in a worker thread, at most 1.5 million rows x intents (of larger bots the newest examples); beyond, it adapts to the eight candidates of each query, the last column, so that neither time nor memory grow with the bot.',
    markdownTable(
      ['intents', 'examples of each', 'head', 'steps', 'all at once, s', 'MB', '8 candidates, ms'],
      sizes.map(({ intents, shots, head, steps, milliseconds: ms, megabytes, localMilliseconds }) => [
        intents.toLocaleString('en'),
        String(shots),
        head,
        String(steps),
        ms === null ? 'beyond 4 GiB' : (ms / 1000).toFixed(2),
        megabytes?.toFixed(0) ?? '',
        milliseconds(localMilliseconds),
      ]),
    ).trimEnd(),
  ].join('\n\n')}\n`;
}

function milliseconds(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

/** Accuracy against the time of an adaptation, a line a head, a point a number of steps. */
export function adaptationChart(points: readonly AdaptationPoint[]): TopLevelSpec {
  const timed = Object.keys(points[0]!.milliseconds).at(-1)!;
  // The variants of a head that differ in anything but steps are for the table.
  const drawn = points.filter(({ head }) => !head.startsWith('untrained'));
  const heads = [...new Set(drawn.map(({ head }) => head))];
  const values = drawn.map(({ head, steps, accuracy, milliseconds }) => ({
    head,
    steps,
    ms: Math.max(1, milliseconds[timed]!),
    value: 100 * accuracy.value,
    low: 100 * accuracy.low,
    high: 100 * accuracy.high,
  }));
  const x = {
    field: 'ms',
    type: 'quantitative',
    title: `One adaptation, ${timed} (ms)`,
    scale: { type: 'log' },
    axis: { tickCount: 5, format: '~s' },
  } as const;
  const scale = { zero: false } as const;
  const color = {
    field: 'head',
    type: 'nominal',
    sort: heads,
    legend: { title: null, orient: 'bottom', columns: 4, symbolLimit: 0 },
  } as const;
  return {
    $schema: SCHEMA,
    title: {
      text: 'Accuracy by the time of an adaptation',
      subtitle: 'Mean of three sets at 5 and 10 examples, validation. Numbers: inner steps',
    },
    data: { values },
    width: 620,
    height: 340,
    encoding: { x, color },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 1.5 },
        encoding: {
          y: { field: 'value', type: 'quantitative', title: 'Accuracy (%)', scale },
          order: { field: 'steps', type: 'quantitative' },
        },
      },
      {
        mark: { type: 'point', filled: true, size: 45, opacity: 1 },
        encoding: { y: { field: 'value', type: 'quantitative', scale }, shape: color },
      },
      {
        mark: { type: 'text', dy: -9, fontSize: 10 },
        encoding: { y: { field: 'value', type: 'quantitative', scale }, text: { field: 'steps' } },
      },
    ],
  };
}
