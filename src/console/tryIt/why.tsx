import type { ClassifyResult } from '../../client/index.js';
import { percent } from '../format.js';

/** What decided, in the server's words, and the figures behind it. */
export function Why({ result }: { readonly result: ClassifyResult }) {
  const { explanation, model } = result;
  if (explanation === undefined) return null;
  const figures: readonly (readonly [string, string])[] = [
    ['Head', model.head],
    ['Threshold', percent(explanation.threshold)],
    ['Similarity judged', explanation.similarity.toFixed(3)],
    ['Similarity at even odds', explanation.similarity_at_even_odds.toFixed(3)],
    ['Temperature', explanation.temperature.toFixed(2)],
    ['Calibration', explanation.calibration === 'fitted' ? 'fitted to this bot' : 'default'],
    ['Adapted to this revision', explanation.adapted ? 'yes' : 'not yet'],
    ['Revision', String(model.revision)],
    ['Encoder', model.encoder],
  ];
  const { nearest_counterexample: counter } = explanation;
  return (
    <>
      <p className="wrap">{explanation.summary}</p>
      <details className="figures small">
        <summary>Figures</summary>
        <dl>
          {figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="number wrap">{value}</dd>
            </div>
          ))}
          {counter && (
            <div>
              <dt>Nearest counter-example</dt>
              <dd className="wrap">
                {counter.example} ({counter.similarity.toFixed(2)})
              </dd>
            </div>
          )}
        </dl>
      </details>
    </>
  );
}
