import { type ReactNode, useState } from 'react';
import { WriteButton } from './button.js';
import { FormDialog } from './dialog.js';
import { TextField } from './field.js';
import { ProblemNote } from './problem.js';

/** Asks before something goes for good; with `typed`, its name must be written out. */
export function ConfirmDialog({
  title,
  action,
  typed,
  busy,
  error,
  onConfirm,
  onClose,
  children,
}: {
  readonly title: string;
  readonly action: string;
  readonly typed?: string;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const [text, setText] = useState('');
  const allowed = typed === undefined || text === typed;
  return (
    <FormDialog
      title={title}
      onClose={onClose}
      onSubmit={() => {
        if (allowed) onConfirm();
      }}
      actions={
        <WriteButton look="danger" type="submit" busy={busy} disabled={!allowed}>
          {action}
        </WriteButton>
      }
    >
      <div>{children}</div>
      {typed !== undefined && (
        <TextField
          label={`Type ${typed} to confirm`}
          value={text}
          onChange={setText}
          autoComplete="off"
          data-autofocus
        />
      )}
      <ProblemNote error={error} />
    </FormDialog>
  );
}
