import { type KeyboardEvent, useState } from 'react';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import type { Intent } from '../../client/index.js';
import { Button, WriteButton } from '../parts/button.js';
import { TextField } from '../parts/field.js';

/** What the intent means, edited in its place. */
export function Description({ bot, intent }: { readonly bot: string; readonly intent: Intent }) {
  const [text, setText] = useState<string>();
  const save = useWrite(
    bot,
    (description: string | null) =>
      kshot().intents.put(bot, intent.name, {
        examples: intent.examples.map(({ text }) => text),
        description,
      }),
    {
      onDone: () => {
        setText(undefined);
      },
    },
  );
  if (text === undefined) {
    return (
      <p className="description">
        {intent.description ?? <span className="muted">No description.</span>}{' '}
        <WriteButton
          look="quiet"
          small
          icon="pencil"
          aria-label="Edit the description"
          onClick={() => {
            setText(intent.description ?? '');
          }}
        />
      </p>
    );
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') setText(undefined);
  }
  return (
    <form
      className="inline-form"
      ref={focusInput}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(text.trim() === '' ? null : text.trim());
      }}
    >
      <TextField label="Description" hidesLabel value={text} onChange={setText} onKeyDown={onKeyDown} />
      <WriteButton look="primary" type="submit" busy={save.isPending}>
        Save
      </WriteButton>
      <Button
        onClick={() => {
          setText(undefined);
        }}
      >
        Cancel
      </Button>
    </form>
  );
}

function focusInput(form: HTMLFormElement | null): void {
  form?.querySelector('input')?.focus();
}
