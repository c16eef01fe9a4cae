import { useState } from 'react';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { counted } from '../format.js';
import { linesOf } from '../intents/lines.js';
import { WriteButton } from '../parts/button.js';
import { FormDialog } from '../parts/dialog.js';
import { TextArea } from '../parts/field.js';
import { ProblemNote } from '../parts/problem.js';
import { toast } from '../state/toasts.js';

/** Takes texts whose intent is not known, one a line. */
export function AddTexts({
  bot,
  onClose,
  onAdded,
}: {
  readonly bot: string;
  readonly onClose: () => void;
  readonly onAdded: () => void;
}) {
  const [text, setText] = useState('');
  const lines = linesOf(text);
  const add = useWrite(bot, () => kshot().unlabelled.add(bot, lines), {
    showsError: true,
    onDone: ({ added, known }) => {
      onClose();
      onAdded();
      toast(`${counted(added, 'text')} added${known > 0 ? `, ${known} known already` : ''}`);
    },
  });
  return (
    <FormDialog
      title="Texts to label"
      onClose={onClose}
      onSubmit={() => {
        if (lines.length > 0) add.mutate();
      }}
      actions={
        <WriteButton look="primary" type="submit" busy={add.isPending} disabled={lines.length === 0}>
          Add {lines.length > 0 && lines.length}
        </WriteButton>
      }
    >
      <TextArea
        label="Texts"
        hint="One a line, as people wrote them. Those that the bot has already are passed over."
        rows={10}
        value={text}
        onChange={setText}
        data-autofocus
      />
      <ProblemNote error={add.error} />
    </FormDialog>
  );
}
