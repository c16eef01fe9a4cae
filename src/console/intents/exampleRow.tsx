import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Example, Severity } from '../../client/index.js';
import { WriteButton } from '../parts/button.js';
import { TextField } from '../parts/field.js';
import { Icon } from '../parts/icons.js';
import { IntentPicker } from '../parts/intentPicker.js';
import { readOnly } from '../state/session.js';
import { useStore } from '../state/store.js';
import type { ExamplePlace } from './examplePlace.js';
import type { useExampleWrites } from './exampleWrites.js';

/** One example: a click or Enter on it begins an edit, Enter saves, Escape gives up. */
export function ExampleRow({
  place,
  example,
  writes,
  severity,
  isMarked,
}: {
  readonly place: ExamplePlace;
  readonly example: Example;
  readonly writes: ReturnType<typeof useExampleWrites>;
  /** Of the gravest finding that names it. */
  readonly severity: Severity | undefined;
  /** Whether the address points at it. */
  readonly isMarked: boolean;
}) {
  const [mode, setMode] = useState<'shown' | 'edited' | 'moved'>('shown');
  const mayNot = useStore(readOnly);
  const row = useRef<HTMLLIElement>(null);

  useEffect(() => {
    if (isMarked) row.current?.scrollIntoView({ block: 'center' });
  }, [isMarked]);

  function leave() {
    setMode('shown');
    // Back to where one was, once the button is there again.
    requestAnimationFrame(() => row.current?.querySelector<HTMLElement>('.example-text')?.focus());
  }
  return (
    <li ref={row} id={`example-${example.id}`} className={`example${isMarked ? ' marked' : ''}`}>
      {mode === 'edited' ? (
        <ExampleEdit
          text={example.text}
          onSave={(text) => {
            if (text !== example.text) writes.edit.mutate({ id: example.id, text });
            leave();
          }}
          onGiveUp={leave}
        />
      ) : (
        <button
          type="button"
          className="example-text"
          disabled={mayNot}
          title={mayNot ? undefined : 'Edit'}
          onClick={() => {
            setMode('edited');
          }}
        >
          {severity && <SeverityMark severity={severity} />}
          {example.text}
        </button>
      )}
      {mode === 'moved' ? (
        <div className="example-move">
          <IntentPicker
            bot={place.bot}
            label="Move to…"
            autoFocus
            {...(place.intent !== null && { without: place.intent })}
            onPick={(to) => {
              writes.move.mutate({ example, to });
              setMode('shown');
            }}
            onEscape={leave}
          />
          {place.intent !== null && (
            <WriteButton
              small
              icon="outside"
              onClick={() => {
                writes.move.mutate({ example, to: null });
                setMode('shown');
              }}
            >
              Out of scope
            </WriteButton>
          )}
        </div>
      ) : (
        <span className="row-actions">
          <WriteButton
            look="quiet"
            small
            icon="move"
            aria-label={`Move “${example.text}” to another intent`}
            title="Move to another intent"
            onClick={() => {
              setMode('moved');
            }}
          />
          <WriteButton
            look="quiet"
            small
            icon="trash"
            aria-label={`Delete “${example.text}”`}
            title="Delete"
            onClick={() => {
              writes.remove.mutate(example);
            }}
          />
        </span>
      )}
    </li>
  );
}

function SeverityMark({ severity }: { readonly severity: Severity }) {
  return (
    <span className={`severity-mark ${severity}`}>
      <Icon name={severity} />
      <span className="visually-hidden">{severity}: </span>
    </span>
  );
}

function ExampleEdit({
  text: initial,
  onSave,
  onGiveUp,
}: {
  readonly text: string;
  readonly onSave: (text: string) => void;
  readonly onGiveUp: () => void;
}) {
  const [text, setText] = useState(initial);
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Enter' && text.trim() !== '') {
      event.preventDefault();
      onSave(text.trim());
    } else if (event.key === 'Escape') {
      event.preventDefault();
      onGiveUp();
    }
  }
  return (
    <div className="example-edit" ref={selectText}>
      <TextField
        label="Example"
        hidesLabel
        value={text}
        onChange={setText}
        onKeyDown={onKeyDown}
        onBlur={onGiveUp}
      />
      <span className="hint">
        <kbd>Enter</kbd> saves, <kbd>Esc</kbd> gives up
      </span>
    </div>
  );
}

function selectText(element: HTMLElement | null): void {
  const input = element?.querySelector('input');
  input?.focus();
  input?.select();
}
