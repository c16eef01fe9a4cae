import { useState } from 'react';
import { CartesianGrid, Line, LineChart, ReferenceLine, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import type { ThresholdPoint } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useBot, useWrite } from '../api/queries.js';
import { percent, percentOrNone } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { toast } from '../state/toasts.js';

const HEIGHT = 200;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** A slider over thresholds: what each answers, how rightly, and a button that takes it. */
export default function ThresholdPanel({
  bot,
  points,
  present,
}: {
  readonly bot: string;
  readonly points: readonly ThresholdPoint[];
  readonly present: number;
}) {
  const [at, setAt] = useState(() => nearestTo(points, present));
  const { data: summary } = useBot(bot);
  const point = points[at];
  const take = useWrite(
    bot,
    (threshold: number) => kshot().bots.put(bot, { ...summary?.settings, threshold }),
    {
      onDone: (_, threshold) => {
        toast(`The threshold is ${percent(threshold)} now`);
      },
    },
  );
  if (point === undefined) return <p className="muted">There is nothing to choose from.</p>;
  const hasOutside = points.some(({ out_of_scope_recall: recall }) => recall !== null);
  return (
    <div className="threshold-panel">
      <figure className="chart" aria-hidden="true">
        <ResponsiveContainer width="100%" height={HEIGHT}>
          <LineChart
            data={[...points]}
            margin={{ top: 8, right: 12, bottom: 4, left: 0 }}
            accessibilityLayer={false}
          >
            <CartesianGrid vertical={false} />
            <XAxis
              type="number"
              dataKey="threshold"
              domain={[0, 1]}
              ticks={TICKS}
              tickFormatter={(value: number) => percent(value)}
            />
            <YAxis
              domain={[0, 1]}
              ticks={TICKS}
              width={52}
              tickFormatter={(value: number) => percent(value)}
            />
            <ReferenceLine x={point.threshold} className="chart-now" />
            <Line dataKey="coverage" className="chart-line one" dot={false} isAnimationActive={false} />
            <Line dataKey="accuracy" className="chart-line two" dot={false} isAnimationActive={false} />
            {hasOutside && (
              <Line
                dataKey="out_of_scope_recall"
                className="chart-line three"
                dot={false}
                isAnimationActive={false}
              />
            )}
          </LineChart>
        </ResponsiveContainer>
      </figure>
      <div className="threshold">
        <label className="visually-hidden" htmlFor="threshold-slider">
          Threshold
        </label>
        <input
          id="threshold-slider"
          type="range"
          min={0}
          max={points.length - 1}
          value={at}
          aria-valuetext={`${percent(point.threshold)}: answers ${percentOrNone(point.coverage)}, ${percentOrNone(point.accuracy)} of them rightly`}
          onChange={(event) => {
            setAt(Number(event.target.value));
          }}
        />
        <output htmlFor="threshold-slider" className="number strong">
          {percent(point.threshold)}
        </output>
      </div>
      <dl className="threshold-figures">
        <Figure mark="one" name="In scope and answered" value={point.coverage} />
        <Figure mark="two" name="Of all answers, right" value={point.accuracy} />
        {hasOutside && <Figure mark="three" name="Out of scope, found" value={point.out_of_scope_recall} />}
      </dl>
      <WriteButton
        busy={take.isPending}
        disabled={summary === undefined || summary.settings.threshold === point.threshold}
        onClick={() => {
          take.mutate(point.threshold);
        }}
      >
        Use this threshold
      </WriteButton>
    </div>
  );
}

function Figure({
  mark,
  name,
  value,
}: {
  readonly mark: string;
  readonly name: string;
  readonly value: number | null;
}) {
  return (
    <div>
      <dt className="small">
        <span className={`key-line ${mark}`} aria-hidden="true" />
        {name}
      </dt>
      <dd className="number strong">{percentOrNone(value)}</dd>
    </div>
  );
}

function nearestTo(points: readonly ThresholdPoint[], threshold: number): number {
  let best = 0;
  for (const [i, point] of points.entries()) {
    const known = points[best];
    if (known && Math.abs(point.threshold - threshold) < Math.abs(known.threshold - threshold)) best = i;
  }
  return best;
}
