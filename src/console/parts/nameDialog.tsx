import { useState } from 'react';
import { WriteButton } from './button.js';
import { FormDialog } from './dialog.js';
import { TextField } from './field.js';
import { ProblemNote } from './problem.js';

/** Asks for one name. */
export function NameDialog({
  title,
  label,
  hint,
  action,
  initial = '',
  busy,
  error,
  onSubmit,
  onClose,
}: {
  readonly title: string;
  readonly label: string;
  readonly hint?: string;
  readonly action: string;
  readonly initial?: string;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onSubmit: (name: string) => void;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(initial);
  const trimmed = name.trim();
  return (
    <FormDialog
      title={title}
      onClose={onClose}
      onSubmit={() => {
        if (trimmed !== '' && trimmed !== initial) onSubmit(trimmed);
      }}
      actions={
        <WriteButton
          look="primary"
          type="submit"
          busy={busy}
          disabled={trimmed === '' || trimmed === initial}
        >
          {action}
        </WriteButton>
      }
    >
      <TextField
        label={label}
        hint={hint}
        value={name}
        onChange={setName}
        autoComplete="off"
        data-autofocus
      />
      <ProblemNote error={error} />
    </FormDialog>
  );
}
