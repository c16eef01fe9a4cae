import { useState } from 'react';
import { kshot } from '../api/kshot.js';
import { useIntents, useWrite } from '../api/queries.js';
import { WriteButton } from '../parts/button.js';
import { FormDialog } from '../parts/dialog.js';
import { TextArea, TextField } from '../parts/field.js';
import { ProblemNote } from '../parts/problem.js';
import { go, hrefOf } from '../routes.js';
import { linesOf } from './lines.js';

export function NewIntentDialog({ bot, onClose }: { readonly bot: string; readonly onClose: () => void }) {
  const { data: intents = [] } = useIntents(bot);
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [examples, setExamples] = useState('');
  const trimmed = name.trim();
  const create = useWrite(
    bot,
    async () => {
      // PUT would replace the examples of one that is there.
      if (intents.some((intent) => intent.name === trimmed))
        throw new Error(`There is an intent ${trimmed} already.`);
      const words = description.trim();
      return kshot().intents.put(bot, trimmed, {
        examples: linesOf(examples),
        ...(words !== '' && { description: words }),
      });
    },
    {
      showsError: true,
      onDone: () => {
        onClose();
        go(hrefOf({ screen: 'intents', bot, item: trimmed }));
      },
    },
  );
  return (
    <FormDialog
      title="New intent"
      onClose={onClose}
      onSubmit={() => {
        if (trimmed !== '') create.mutate();
      }}
      actions={
        <WriteButton look="primary" type="submit" busy={create.isPending} disabled={trimmed === ''}>
          Create
        </WriteButton>
      }
    >
      <TextField label="Name" value={name} onChange={setName} autoComplete="off" data-autofocus />
      <TextField
        label="Description (optional)"
        hint="What it means, in words. An intent without examples is known by it."
        value={description}
        onChange={setDescription}
      />
      <TextArea
        label="Examples (optional)"
        hint="One a line, as people say it."
        rows={6}
        value={examples}
        onChange={setExamples}
      />
      <ProblemNote error={create.error} />
    </FormDialog>
  );
}
