import type { ClassifyResult } from '../../client/index.js';
import { percent } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';

/** The best intents as bars; one click says that one of them is right. */
export function Ranking({
  bot,
  result,
  onTeach,
}: {
  readonly bot: string;
  readonly result: ClassifyResult;
  /** Absent where there is nothing to teach: of a version. */
  readonly onTeach?: (intent: string) => void;
}) {
  return (
    <ol className="ranking">
      {result.ranking.map(({ intent, confidence }, i) => (
        <li key={intent}>
          <div className="ranking-line">
            <Link to={hrefOf({ screen: 'intents', bot, item: intent })}>{intent}</Link>
            <span className="number">{percent(confidence, 1)}</span>
            {onTeach && (
              <WriteButton
                small
                look="quiet"
                icon="plus"
                title={`Make this text an example of ${intent}`}
                aria-label={`Right: make this text an example of ${intent}`}
                onClick={() => {
                  onTeach(intent);
                }}
              >
                Right
              </WriteButton>
            )}
          </div>
          <div className="bar-track" aria-hidden="true">
            <div className={`bar-fill${i === 0 ? ' first' : ''}`} style={{ width: `${confidence * 100}%` }} />
          </div>
        </li>
      ))}
    </ol>
  );
}
