import type { ClassifyResult } from '../../client/index.js';
import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';

/** The nearest examples: what the answer rests on. */
export function Evidence({ bot, result }: { readonly bot: string; readonly result: ClassifyResult }) {
  if (result.evidence.length === 0) return <p className="muted small">The bot has no examples yet.</p>;
  return (
    <ul className="evidence">
      {result.evidence.map(({ example, intent, similarity }) => (
        <li key={`${intent} ${example}`}>
          <span className="number muted" title="Cosine similarity">
            {similarity.toFixed(2)}
          </span>
          <span className="wrap">
            {example} <Link to={hrefOf({ screen: 'intents', bot, item: intent })}>{intent}</Link>
          </span>
        </li>
      ))}
    </ul>
  );
}
