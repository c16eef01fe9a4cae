import type { ReliabilityBin, ThresholdPoint } from '../../classify/evaluationTypes.js';
import { html, type Html } from '../../http/html.js';
import { percent } from './figures.js';

/*
 * The pictures of the report, as SVG that stands in the page: its colours are the page's, light, dark or printed. Vega, which draws
 * the charts of docs/results.md, is no part of what ships.
 */

/** What a page declares for them. */
export const CHART_COLOURS = {
  light: '--accent: #0072b2; --own: #d55e00; --faint: rgb(128 128 128 / 30%); --quiet: #666;',
  dark: '--accent: #56b4e9; --own: #f0894a; --faint: rgb(128 128 128 / 30%); --quiet: #a0a0a0;',
} as const;

export const CHART_STYLE = `svg text { fill: currentColor; font-size: 12px; }
.grid { stroke: var(--faint); }
.ideal { stroke: var(--quiet); stroke-dasharray: 5 4; }
.bar { fill: var(--accent); }
.mark { fill: currentColor; }
.count { font-size: 10px; text-anchor: middle; paint-order: stroke; stroke: Canvas; stroke-width: 3px; }
.curve { fill: none; stroke: var(--accent); stroke-width: 2.5; }
.own { fill: var(--own); } .label { font-weight: 600; paint-order: stroke; stroke: Canvas; stroke-width: 3px; }`;

const WIDTH = 440;
const HEIGHT = 320;
const FRAME = { left: 52, right: 16, top: 16, bottom: 48 };
/** The ends of an axis are rounded to so much. */
const GRID = 0.1;

/** Where a share stands between the ends of an axis, in pixels. */
interface Axes {
  readonly x: (share: number) => number;
  readonly y: (share: number) => number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const WHOLE: Range = { from: 0, to: 1 };

/** How often answers of a confidence are right (Guo et al. 2017): on the dashed line confidence is what it says. */
export function reliabilityDiagram(bins: readonly ReliabilityBin[]): Html {
  const { x, y } = axes(WHOLE, WHOLE);
  const most = Math.max(1, ...bins.map(({ texts }) => texts));
  const bars = bins.flatMap(({ from, to, texts, accuracy, confidence }) => {
    if (accuracy === null || confidence === null) return [];
    const width = x(to) - x(from);
    const told = `confidence ${percent(from)} to ${percent(to)}: ${percent(accuracy)} of ${texts} right, confidence ${percent(confidence)} on the mean`;
    // The fewer texts, the fainter: what a few say is not sure.
    return html`<g>
      <title>${told}</title>
      <rect
        class="bar"
        x="${px(x(from) + 2)}"
        y="${px(y(accuracy))}"
        width="${px(width - 4)}"
        height="${px(y(0) - y(accuracy))}"
        fill-opacity="${(0.3 + (0.7 * texts) / most).toFixed(2)}"
      ></rect>
      <circle class="mark" cx="${px(x(confidence))}" cy="${px(y(accuracy))}" r="3"></circle>
      <text class="count" x="${px(x(from) + width / 2)}" y="${px(y(0) - 5)}">${String(texts)}</text>
    </g>`;
  });
  return picture(
    'Reliability: the share that is right, by confidence',
    html`${frame(WHOLE, WHOLE, 'Confidence', 'Right')}
      <line class="ideal" x1="${px(x(0))}" y1="${px(y(0))}" x2="${px(x(1))}" y2="${px(y(1))}"></line>
      ${bars}`,
  );
}

/**
 * What each threshold gives: how many texts in scope are answered, and how many answers are right.
 *
 * @param own what the bot's threshold gives.
 */
export function thresholdCurve(points: readonly ThresholdPoint[], own: ThresholdPoint): Html {
  const known = points.flatMap(({ coverage, accuracy }) =>
    coverage === null || accuracy === null ? [] : [{ coverage, accuracy }],
  );
  const range = { from: floor(Math.min(0.9, ...known.map(({ accuracy }) => accuracy))), to: 1 };
  const { x, y } = axes(WHOLE, range);
  const path = known.map(({ coverage, accuracy }) => `${px(x(coverage))},${px(y(accuracy))}`).join(' ');
  return picture(
    'Coverage against accuracy, by threshold',
    html`${frame(WHOLE, range, 'Texts in scope that are answered', 'Answers that are right')}
      <polyline class="curve" points="${path}"></polyline>
      ${own.coverage === null || own.accuracy === null ? '' : mark(own.threshold, x(own.coverage), y(own.accuracy))}`,
  );
}

/** The bot's threshold on its curve. The curve falls to the right: what is written stands below it, or above. */
function mark(threshold: number, x: number, y: number): Html {
  const isRight = x > WIDTH / 2;
  return html`<circle class="own" cx="${px(x)}" cy="${px(y)}" r="6"></circle>
    <text
      class="label"
      x="${px(x + (isRight ? -10 : 10))}"
      y="${px(y + (isRight ? 22 : -12))}"
      text-anchor="${isRight ? 'end' : 'start'}"
      >threshold ${String(threshold)}</text
    >`;
}

function axes(across: Range, up: Range): Axes {
  const { left, right, top, bottom } = FRAME;
  const part = ({ from, to }: Range, share: number) => (share - from) / (to - from);
  return {
    x: (share) => left + part(across, share) * (WIDTH - left - right),
    y: (share) => HEIGHT - bottom - part(up, share) * (HEIGHT - top - bottom),
  };
}

/** Grid, numbers and titles of both axes. */
function frame(across: Range, up: Range, xTitle: string, yTitle: string): Html {
  const { x, y } = axes(across, up);
  const middle = { x: (x(across.from) + x(across.to)) / 2, y: (y(up.from) + y(up.to)) / 2 };
  return html`${ticks(up).map(
      (share) =>
        html`<line
            class="grid"
            x1="${px(x(across.from))}"
            x2="${px(x(across.to))}"
            y1="${px(y(share))}"
            y2="${px(y(share))}"
          ></line>
          <text class="tick" x="${px(x(across.from) - 8)}" y="${px(y(share) + 4)}" text-anchor="end"
            >${tick(share)}</text
          >`,
    )}
    ${ticks(across).map(
      (share) =>
        html`<text class="tick" x="${px(x(share))}" y="${px(y(up.from) + 18)}" text-anchor="middle"
          >${tick(share)}</text
        >`,
    )}
    <text class="title" x="${px(middle.x)}" y="${px(HEIGHT - 8)}" text-anchor="middle">${xTitle} (%)</text>
    <text
      class="title"
      x="14"
      y="${px(middle.y)}"
      text-anchor="middle"
      transform="rotate(-90 14 ${px(middle.y)})"
      >${yTitle} (%)</text
    >`;
}

/** About five steps from one end to the other. */
function ticks({ from, to }: Range): number[] {
  const step = to - from > 0.5 ? 0.2 : to - from > 0.2 ? GRID : GRID / 2;
  const steps = Math.round((to - from) / step);
  return Array.from({ length: steps + 1 }, (_, i) => from + i * step);
}

function floor(share: number): number {
  return Math.max(0, Math.floor(share / GRID) * GRID);
}

function tick(share: number): string {
  return (100 * share).toFixed(0);
}

function px(value: number): string {
  return value.toFixed(1);
}

/** A picture as an address that holds all of it, for documents that have no style of their own: on white, everywhere. */
export function dataAddress({ source }: Html): string {
  const style =
    'svg { color-scheme: light; background: #fff; color: #222; font-family: system-ui, sans-serif; ' +
    `${CHART_COLOURS.light} } ${CHART_STYLE}`;
  const alone = source
    .replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')
    .replace('>', `><style>${style}</style>`)
    .replace(/>\s+</g, '><');
  return `data:image/svg+xml;base64,${Buffer.from(alone).toString('base64')}`;
}

function picture(title: string, content: Html): Html {
  return html`<svg viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img" aria-label="${title}">
    ${content}
  </svg>`;
}
