import { type KeyboardEvent, useRef, useState } from 'react';
import { WriteButton } from '../parts/button.js';
import { TextArea } from '../parts/field.js';
import { useShortcuts } from '../state/shortcuts.js';
import { linesOf } from './lines.js';

const MOST_ROWS = 10;

/** A box for one example, or for many that are pasted, one a line. */
export function AddExamples({
  label,
  busy,
  onAdd,
}: {
  readonly label: string;
  readonly busy: boolean;
  readonly onAdd: (texts: readonly string[]) => void;
}) {
  const [text, setText] = useState('');
  const form = useRef<HTMLFormElement>(null);
  useShortcuts({ n: () => form.current?.querySelector('textarea')?.focus() });
  const lines = linesOf(text);
  function add() {
    if (lines.length === 0 || busy) return;
    onAdd(lines);
    setText('');
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      add();
    } else if (event.key === 'Escape') setText('');
  }
  return (
    <form
      ref={form}
      className="add-examples"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <TextArea
        label={label}
        hidesLabel
        placeholder={`${label}: type and press Enter, or paste many lines`}
        rows={Math.min(MOST_ROWS, text.split('\n').length)}
        value={text}
        onChange={setText}
        onKeyDown={onKeyDown}
      />
      <WriteButton type="submit" icon="plus" busy={busy} disabled={lines.length === 0}>
        {lines.length > 1 ? `Add ${lines.length}` : 'Add'}
      </WriteButton>
    </form>
  );
}
