import { useState } from 'react';
import type { VersionSummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { WriteButton } from '../parts/button.js';
import { FormDialog } from '../parts/dialog.js';
import { Select, TextField } from '../parts/field.js';
import { ProblemNote } from '../parts/problem.js';
import { toast } from '../state/toasts.js';

export function NewAliasDialog({
  bot,
  versions,
  onClose,
}: {
  readonly bot: string;
  readonly versions: readonly VersionSummary[];
  readonly onClose: () => void;
}) {
  const [name, setName] = useState('');
  const [version, setVersion] = useState(versions[0]?.name ?? '');
  const create = useWrite(bot, () => kshot().aliases.set(bot, name.trim(), version), {
    showsError: true,
    onDone: (alias) => {
      onClose();
      toast(`${alias.name} points at ${alias.version}`);
    },
  });
  return (
    <FormDialog
      title="New alias"
      onClose={onClose}
      onSubmit={() => {
        if (name.trim() !== '') create.mutate();
      }}
      actions={
        <WriteButton look="primary" type="submit" busy={create.isPending} disabled={name.trim() === ''}>
          Create
        </WriteButton>
      }
    >
      <TextField
        label="Name"
        hint="production, say"
        value={name}
        onChange={setName}
        autoComplete="off"
        data-autofocus
      />
      <Select label="Points at" value={version} onChange={setVersion}>
        {versions.map((one) => (
          <option key={one.name}>{one.name}</option>
        ))}
      </Select>
      <ProblemNote error={create.error} />
    </FormDialog>
  );
}
