import { useState } from 'react';
import type { SuggestedText } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { percent } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { IntentPicker } from '../parts/intentPicker.js';
import { useShortcuts } from '../state/shortcuts.js';
import type { Decision, usePile } from './pile.js';

/** One text with what the bot takes it for: a key decides. */
export function ReviewCard({
  bot,
  text,
  pile,
}: {
  readonly bot: string;
  readonly text: SuggestedText;
  readonly pile: ReturnType<typeof usePile>;
}) {
  const [searches, setSearches] = useState(false);
  const write = useWrite(
    bot,
    async ({ decision, run }: { readonly decision: Decision; readonly run: () => Promise<unknown> }) => {
      await run();
      return decision;
    },
    { onDone: pile.decide },
  );
  const backAmongTheUnlabelled = () => kshot().unlabelled.add(bot, [text.text]);

  function label(intent: string | null) {
    let example: number | undefined;
    write.mutate({
      run: async () => {
        const { added } = await kshot().unlabelled.label(bot, text.id, intent);
        example = added[0]?.id;
      },
      decision: {
        text,
        done: intent ?? 'Out of scope',
        takeBack: async () => {
          if (example !== undefined) {
            if (intent === null) await kshot().counterexamples.delete(bot, example);
            else await kshot().examples.delete(bot, intent, example);
          }
          await backAmongTheUnlabelled();
        },
      },
    });
  }
  function discard() {
    write.mutate({
      run: () => kshot().unlabelled.delete(bot, text.id),
      decision: { text, done: 'Discarded', takeBack: backAmongTheUnlabelled },
    });
  }
  function skip() {
    pile.decide({ text, done: 'Skipped' });
  }
  const undo = useWrite(bot, async () => {
    const decision = pile.popDecision();
    await decision?.takeBack?.();
    // The text has a new id now.
    if (decision?.takeBack) pile.refresh();
  });

  const mayAct = !write.isPending && !undo.isPending;
  const when = (act: () => void) => (mayAct ? act : undefined);
  const ranked = text.ranking.slice(0, 5);
  useShortcuts({
    ...Object.fromEntries(
      ranked.map(({ intent }, i) => [
        String(i + 1),
        when(() => {
          label(intent);
        }),
      ]),
    ),
    '/': () => {
      setSearches(true);
    },
    o: when(() => {
      label(null);
    }),
    s: when(skip),
    d: when(discard),
    u: when(() => {
      undo.mutate();
    }),
  });

  return (
    <article className="review-card" aria-label="Text to label">
      <p className="review-text wrap" aria-live="polite">
        {text.text}
      </p>
      <p className="muted small">
        {text.out_of_scope
          ? `The bot takes it for out of scope (in scope with ${percent(text.in_scope)}).`
          : `The bot takes it for ${text.intent}.`}
      </p>
      <ol className="review-ranking">
        {ranked.map(({ intent, confidence }, i) => (
          <li key={intent}>
            <WriteButton
              className="review-choice"
              disabled={!mayAct}
              onClick={() => {
                label(intent);
              }}
            >
              <kbd aria-hidden="true">{i + 1}</kbd>
              <span className="wrap">{intent}</span>
              <span className="number muted">{percent(confidence)}</span>
            </WriteButton>
          </li>
        ))}
      </ol>
      {searches ? (
        <IntentPicker
          bot={bot}
          label="Search an intent"
          autoFocus
          onPick={(intent) => {
            setSearches(false);
            label(intent);
          }}
          onEscape={() => {
            setSearches(false);
          }}
        />
      ) : (
        <div className="button-row">
          <Key
            name="/"
            label="Another intent"
            disabled={!mayAct}
            onClick={() => {
              setSearches(true);
            }}
          />
          <Key
            name="o"
            label="Out of scope"
            disabled={!mayAct}
            onClick={() => {
              label(null);
            }}
          />
          <Key name="s" label="Skip" disabled={!mayAct} onClick={skip} />
          <Key name="d" label="Discard" disabled={!mayAct} onClick={discard} />
          <Key
            name="u"
            label="Undo"
            disabled={!mayAct || pile.decisions.length === 0}
            onClick={() => {
              undo.mutate();
            }}
          />
        </div>
      )}
    </article>
  );
}

function Key({
  name,
  label,
  disabled,
  onClick,
}: {
  readonly name: string;
  readonly label: string;
  readonly disabled: boolean;
  readonly onClick: () => void;
}) {
  return (
    <WriteButton small disabled={disabled} onClick={onClick}>
      <kbd aria-hidden="true">{name}</kbd> {label}
    </WriteButton>
  );
}
