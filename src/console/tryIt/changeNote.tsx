import { percent } from '../format.js';
import { Icon } from '../parts/icons.js';
import type { ResultChange } from './resultChange.js';

/** What the latest write has done to this text's answer. */
export function ChangeNote({ change }: { readonly change: ResultChange | undefined }) {
  if (change === undefined) return null;
  const { before, now } = change;
  const answer = (intent: string | null) => intent ?? 'out of scope';
  const best = now.ranking[0];
  const bestBefore = best && before.ranking.find(({ intent }) => intent === best.intent)?.confidence;
  return (
    <div className="note good change" data-testid="change">
      <Icon name="good" />
      <dl>
        <Step name="Answer" before={answer(before.intent)} now={answer(now.intent)} />
        <Step name="In scope" before={percent(before.in_scope)} now={percent(now.in_scope)} />
        {best && (
          <Step
            name={best.intent}
            before={bestBefore === undefined ? 'not ranked' : percent(bestBefore)}
            now={percent(best.confidence)}
          />
        )}
      </dl>
    </div>
  );
}

function Step({
  name,
  before,
  now,
}: {
  readonly name: string;
  readonly before: string;
  readonly now: string;
}) {
  return (
    <div>
      <dt className="wrap">{name}</dt>
      <dd className="number wrap">
        {before === now ? (
          <>{now}, as before</>
        ) : (
          <>
            <span className="muted">{before}</span> → <strong>{now}</strong>
          </>
        )}
      </dd>
    </div>
  );
}
