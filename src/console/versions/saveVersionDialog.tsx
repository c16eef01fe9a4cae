import { useState } from 'react';
import { kshot } from '../api/kshot.js';
import { useVersions, useWrite } from '../api/queries.js';
import { WriteButton } from '../parts/button.js';
import { FormDialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { ProblemNote } from '../parts/problem.js';
import { toast } from '../state/toasts.js';

export function SaveVersionDialog({ bot, onClose }: { readonly bot: string; readonly onClose: () => void }) {
  const { data: versions = [] } = useVersions(bot);
  const [name, setName] = useState(nextName(versions.map((version) => version.name)));
  const [note, setNote] = useState('');
  const save = useWrite(
    bot,
    () => kshot().versions.save(bot, name.trim(), { note: note.trim() === '' ? undefined : note.trim() }),
    {
      showsError: true,
      onDone: () => {
        onClose();
        toast(`Saved as ${name.trim()}`);
      },
    },
  );
  return (
    <FormDialog
      title="Save a version"
      onClose={onClose}
      onSubmit={() => {
        if (name.trim() !== '') save.mutate();
      }}
      actions={
        <WriteButton look="primary" type="submit" busy={save.isPending} disabled={name.trim() === ''}>
          Save
        </WriteButton>
      }
    >
      <TextField label="Name" value={name} onChange={setName} autoComplete="off" />
      <TextField
        label="Note (optional)"
        hint="What is new in it, or what it is for."
        value={note}
        onChange={setNote}
        data-autofocus
      />
      <ProblemNote error={save.error} />
    </FormDialog>
  );
}

/** After v1 and v2 comes v3. */
function nextName(names: readonly string[]): string {
  const numbers = names.map((name) => Number(/^v(\d+)$/.exec(name)?.[1] ?? 0));
  return `v${Math.max(0, ...numbers) + 1}`;
}
