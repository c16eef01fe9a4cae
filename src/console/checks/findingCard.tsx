import type { Finding } from '../../client/index.js';
import { LinkButton } from '../parts/button.js';
import { SeverityBadge } from '../parts/severity.js';
import { hrefOf } from '../routes.js';
import { FoundExample } from './foundExample.js';

/** One thing that was found: what is the matter, what to do, and the buttons that do it. */
export function FindingCard({ bot, finding }: { readonly bot: string; readonly finding: Finding }) {
  const { severity, message, advice, intents, examples, code } = finding;
  return (
    <article className="finding">
      <p className="finding-message">
        <SeverityBadge severity={severity} /> <span className="wrap">{message}</span>
      </p>
      <p className="muted wrap">{advice}</p>
      {examples.length > 0 && (
        <ul className="found">
          {examples.map((example, i) => (
            <li key={example.id ?? i}>
              <FoundExample
                bot={bot}
                example={example}
                goal={code === 'nearer_to_other_intent' && example.intent === intents[0] ? intents : []}
              />
            </li>
          ))}
        </ul>
      )}
      <div className="finding-links">
        {intents.map((intent) => (
          <LinkButton key={intent} small to={hrefOf({ screen: 'intents', bot, item: intent })}>
            Open {intent}
          </LinkButton>
        ))}
        {code === 'unused_counterexamples' && (
          <LinkButton small to={hrefOf({ screen: 'counterexamples', bot })}>
            Open the counter-examples
          </LinkButton>
        )}
        {code === 'overlapping_intents' && (
          <LinkButton
            small
            icon="map"
            to={`${hrefOf({ screen: 'map', bot })}?intents=${intents.map(encodeURIComponent).join(',')}`}
          >
            Show both on the map
          </LinkButton>
        )}
      </div>
    </article>
  );
}
