import type { ChangeKind, ImportTotals, IntentChange, TextsChange } from '../../client/index.js';
import { count, counted } from '../format.js';

/** What is different, intent by intent: of an import, or between two versions. */
export function ChangeTable({
  totals,
  intents,
  counterexamples,
}: {
  readonly totals: ImportTotals;
  readonly intents: readonly IntentChange[];
  readonly counterexamples: TextsChange;
}) {
  const changed = intents.filter(({ change }) => change !== 'unchanged');
  const all: (TextsChange & { name: string; description?: ChangeKind })[] = [
    ...changed,
    ...(counterexamples.change === 'unchanged' ? [] : [{ name: 'Counter-examples', ...counterexamples }]),
  ];
  return (
    <div className="changes">
      <p className="change-totals">
        <Total word="added" n={totals.intents.added} />
        <Total word="changed" n={totals.intents.changed} />
        <Total word="removed" n={totals.intents.removed} />
        <span className="muted">{counted(totals.intents.unchanged, 'intent')} unchanged</span>
        <span className="muted number">
          examples: +{count(totals.examples.added)} −{count(totals.examples.removed)}
        </span>
      </p>
      {all.length === 0 ? (
        <p className="muted">Nothing is different.</p>
      ) : (
        <ul className="change-list">
          {all.map((change) => (
            <li key={change.name}>
              <ChangeRow {...change} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Total({ word, n }: { readonly word: 'added' | 'changed' | 'removed'; readonly n: number }) {
  if (n === 0) return null;
  return (
    <span className={`badge ${TONES[word]}`}>
      {counted(n, `intent`)} {word}
    </span>
  );
}

const TONES = { added: 'good', changed: 'info', removed: 'error', unchanged: 'plain' } as const;

/** Of very many texts the first are shown. */
const MOST_TEXTS = 50;

function ChangeRow({
  name,
  change,
  added,
  removed,
  kept,
  description,
}: TextsChange & { name: string; description?: ChangeKind }) {
  return (
    <details>
      <summary>
        <span className={`badge ${TONES[change]}`}>{change}</span>
        <span className="strong wrap">{name}</span>
        <span className="muted small number">
          +{count(added.length)} −{count(removed.length)} · {count(kept)} kept
          {description !== undefined && description !== 'unchanged' && ` · description ${description}`}
        </span>
      </summary>
      <ul className="diff">
        {added.slice(0, MOST_TEXTS).map((text) => (
          <li key={`+${text}`} className="plus wrap">
            {text}
          </li>
        ))}
        {removed.slice(0, MOST_TEXTS).map((text) => (
          <li key={`-${text}`} className="minus wrap">
            {text}
          </li>
        ))}
      </ul>
    </details>
  );
}
