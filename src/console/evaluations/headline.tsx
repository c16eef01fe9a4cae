import type { EvaluationMeasures } from '../../client/index.js';
import { counted, percent, percentOrNone } from '../format.js';

/** The figures that one tells others. */
export function Headline({ measures }: { readonly measures: EvaluationMeasures }) {
  const { accuracy, intent_accuracy: intents, out_of_scope: outside, reliability } = measures;
  return (
    <dl className="figures-row">
      <Figure
        name="Accuracy"
        value={percent(accuracy.share, 1)}
        note={`${percent(accuracy.low, 1)} to ${percent(accuracy.high, 1)}, 95 % · ${counted(accuracy.total, 'text')}`}
      />
      <Figure
        name="Best intent right"
        value={percent(intents.share, 1)}
        note={`of ${counted(intents.total, 'text')} in scope, wherever the threshold is`}
      />
      <Figure
        name="Out of scope found"
        value={percentOrNone(outside.recall)}
        note={outside.texts === 0 ? 'no such text among them' : `of ${counted(outside.texts, 'text')}`}
      />
      <Figure
        name="Calibration error"
        value={percentOrNone(reliability.error, 1)}
        note="expected; 0 is perfect"
      />
    </dl>
  );
}

function Figure({
  name,
  value,
  note,
}: {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}) {
  return (
    <div className="figure">
      <dt className="muted small">{name}</dt>
      <dd className="figure-value number">{value}</dd>
      <dd className="muted small">{note}</dd>
    </div>
  );
}
