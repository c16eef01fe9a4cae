import { kshot } from '../api/kshot.js';
import { useIntent, useWrite } from '../api/queries.js';
import { counted } from '../format.js';
import { ConfirmDialog } from '../parts/confirmDialog.js';
import { toast } from '../state/toasts.js';

/** Deletes an intent; for a while it can be brought back as it was. */
export function DeleteIntentDialog({
  bot,
  intent,
  onClose,
  onDeleted,
}: {
  readonly bot: string;
  readonly intent: string;
  readonly onClose: () => void;
  readonly onDeleted?: () => void;
}) {
  const { data } = useIntent(bot, intent);
  const bringBack = useWrite(bot, () =>
    kshot().intents.put(bot, intent, {
      examples: data?.examples.map(({ text }) => text) ?? [],
      description: data?.description ?? null,
    }),
  );
  const remove = useWrite(bot, () => kshot().intents.delete(bot, intent), {
    showsError: true,
    onDone: () => {
      onClose();
      toast(`Intent ${intent} is deleted`, {
        undo: () => {
          bringBack.mutate();
        },
      });
      onDeleted?.();
    },
  });
  return (
    <ConfirmDialog
      title={`Delete ${intent}?`}
      action="Delete the intent"
      busy={remove.isPending || data === undefined}
      error={remove.error}
      onConfirm={() => {
        remove.mutate();
      }}
      onClose={onClose}
    >
      <p>{data === undefined ? 'Its examples' : counted(data.examples.length, 'example')} will go with it.</p>
    </ConfirmDialog>
  );
}
