import { type Config as OptimizerConfig, optimize } from 'svgo';
import { parse, View } from 'vega';
import { compile, type Config, type TopLevelSpec } from 'vega-lite';

/**
 * Okabe and Ito's colours, which are told apart by the colour-blind too, without the lightest, yellow; then two of Paul Tol's,
 * for charts of more heads, where shapes differ besides.
 */
export const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#e69f00',
  '#000000',
  '#882255',
  '#999999',
];

const FONT = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif';

/** One look for all charts, readable in the width of a page, on a dark page too. */
const CONFIG: Config = {
  background: '#ffffff',
  padding: 12,
  font: FONT,
  title: { fontSize: 15, subtitleFontSize: 12, subtitleColor: '#555555', anchor: 'start', offset: 12 },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: '#e6e6e6',
    domainColor: '#999999',
    tickColor: '#999999',
    labelLimit: 260,
  },
  header: { labelFontSize: 13, labelFontWeight: 'bold', titleFontSize: 12 },
  legend: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', labelLimit: 260 },
  view: { stroke: null },
  range: { category: COLOURS },
};

/**
 * A chart is a picture with a caption: what Vega says to screen readers of each group and mark, and to its own scripts, would be
 * four fifths of the file.
 */
const SMALLER: OptimizerConfig = {
  multipass: true,
  floatPrecision: 2, // hundredths of a pixel
  plugins: [
    'preset-default',
    'removeXlink',
    { name: 'removeAttrs', params: { attrs: ['aria-.*', 'role', 'class'] } },
  ],
};

/** Draws a chart without a browser. The same specification gives the same text. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const { config, ...rest } = spec;
  const compiled = compile({ ...rest, config: { ...CONFIG, ...config } }).spec;
  const view = new View(parse(compiled), { renderer: 'none' });
  try {
    return `${optimize(await view.toSVG(), SMALLER).data}\n`;
  } finally {
    view.finalize();
  }
}
