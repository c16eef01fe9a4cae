import {
  Bar,
  CartesianGrid,
  ComposedChart,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import type { Reliability } from '../../client/index.js';
import { count, percent } from '../format.js';

const HEIGHT = 260;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** How often answers of each confidence are right; on the diagonal, confidence is what it says. */
export default function ReliabilityChart({ reliability }: { readonly reliability: Reliability }) {
  const bins = reliability.bins.map(({ from, to, texts, accuracy, confidence }) => ({
    middle: (from + to) / 2,
    accuracy,
    confidence,
    texts,
  }));
  return (
    <figure className="chart">
      <ResponsiveContainer width="100%" height={HEIGHT}>
        <ComposedChart
          data={bins}
          margin={{ top: 8, right: 12, bottom: 16, left: 0 }}
          accessibilityLayer={false}
        >
          <CartesianGrid vertical={false} />
          <XAxis
            type="number"
            dataKey="middle"
            domain={[0, 1]}
            ticks={TICKS}
            tickFormatter={(value: number) => percent(value)}
            label={{ value: 'confidence', position: 'insideBottom', offset: -8 }}
          />
          <YAxis domain={[0, 1]} ticks={TICKS} width={52} tickFormatter={(value: number) => percent(value)} />
          <ReferenceLine
            segment={[
              { x: 0, y: 0 },
              { x: 1, y: 1 },
            ]}
            strokeDasharray="4 4"
          />
          <Bar dataKey="accuracy" name="right" barSize={20} isAnimationActive={false} className="chart-bar" />
          <Tooltip content={<Tip />} cursor={false} isAnimationActive={false} />
        </ComposedChart>
      </ResponsiveContainer>
      <figcaption className="muted small">
        Bars are how many of the answers were right; on the dashed line confidence is what it says.
      </figcaption>
      <table className="visually-hidden">
        <caption>Reliability</caption>
        <thead>
          <tr>
            <th scope="col">Confidence</th>
            <th scope="col">Texts</th>
            <th scope="col">Right</th>
          </tr>
        </thead>
        <tbody>
          {reliability.bins.map(({ from, to, texts, accuracy }) => (
            <tr key={from}>
              <th scope="row">
                {percent(from)} to {percent(to)}
              </th>
              <td>{count(texts)}</td>
              <td>{accuracy === null ? 'none' : percent(accuracy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

interface TipProps {
  readonly active?: boolean;
  readonly payload?: readonly {
    readonly payload?: {
      readonly accuracy: number | null;
      readonly confidence: number | null;
      readonly texts: number;
    };
  }[];
}

function Tip({ active, payload }: TipProps) {
  const bin = payload?.[0]?.payload;
  if (!active || !bin || bin.accuracy === null) return null;
  return (
    <div className="chart-tip small">
      {percent(bin.accuracy)} right of {count(bin.texts)}, at a confidence of {percent(bin.confidence ?? 0)}
    </div>
  );
}
