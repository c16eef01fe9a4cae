import type { ClassifyResult } from '../../client/index.js';
import { percent } from '../format.js';
import { Icon } from '../parts/icons.js';
import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';
import { ScopeMeter } from './scopeMeter.js';

/** The answer itself: an intent, or none. */
export function Verdict({ bot, result }: { readonly bot: string; readonly result: ClassifyResult }) {
  const best = result.ranking[0];
  return (
    <div className={`verdict${result.out_of_scope ? ' out' : ''}`}>
      {result.intent !== null ? (
        <p className="verdict-line">
          <Link to={hrefOf({ screen: 'intents', bot, item: result.intent })} className="verdict-intent">
            {result.intent}
          </Link>
          <span className="verdict-number number">{percent(result.confidence)}</span>
        </p>
      ) : (
        <p className="verdict-line">
          <span className="verdict-intent">
            <Icon name="outside" /> Out of scope
          </span>
          {best && (
            <span className="muted small">
              best guess {best.intent}, {percent(best.confidence)}
            </span>
          )}
        </p>
      )}
      <ScopeMeter inScope={result.in_scope} threshold={result.explanation?.threshold} />
    </div>
  );
}
