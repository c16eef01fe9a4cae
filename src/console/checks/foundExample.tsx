import { useState } from 'react';
import type { FoundText } from '../../client/index.js';
import { useExampleWrites } from '../intents/exampleWrites.js';
import { WriteButton } from '../parts/button.js';
import { IntentPicker } from '../parts/intentPicker.js';
import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';

/** A text that a finding names, and what can be done with it at once. */
export function FoundExample({
  bot,
  example: { id, text, intent },
  goal,
}: {
  readonly bot: string;
  readonly example: FoundText;
  /** The intents that it lies between; it may be moved to the other one. */
  readonly goal: readonly string[];
}) {
  const [moves, setMoves] = useState(false);
  const { remove, move } = useExampleWrites({ bot, intent });
  const other = goal.find((name) => name !== intent);
  const place =
    intent === null
      ? hrefOf({ screen: 'counterexamples', bot })
      : hrefOf({ screen: 'intents', bot, item: intent });
  if (id === undefined) return <span className="wrap">{text}</span>;
  const example = { id, text };
  return (
    <div className="found-example">
      <span className="wrap">
        “{text}” <Link to={`${place}#example-${id}`}>{intent ?? 'counter-example'}</Link>
      </span>
      {moves ? (
        <IntentPicker
          bot={bot}
          label="Move to…"
          autoFocus
          {...(intent !== null && { without: intent })}
          onPick={(to) => {
            setMoves(false);
            move.mutate({ example, to });
          }}
          onEscape={() => {
            setMoves(false);
          }}
        />
      ) : (
        <span className="row-actions">
          {other !== undefined && (
            <WriteButton
              small
              icon="move"
              busy={move.isPending}
              onClick={() => {
                move.mutate({ example, to: other });
              }}
            >
              Move to {other}
            </WriteButton>
          )}
          {other === undefined && (
            <WriteButton
              look="quiet"
              small
              icon="move"
              aria-label={`Move “${text}” to another intent`}
              title="Move to another intent"
              onClick={() => {
                setMoves(true);
              }}
            />
          )}
          <WriteButton
            look="quiet"
            small
            icon="trash"
            busy={remove.isPending}
            aria-label={`Delete “${text}” of ${intent ?? 'the counter-examples'}`}
            title="Delete"
            onClick={() => {
              remove.mutate(example);
            }}
          />
        </span>
      )}
    </div>
  );
}
