import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { NameDialog } from '../parts/nameDialog.js';
import { toast } from '../state/toasts.js';

export function RenameIntentDialog({
  bot,
  intent,
  onClose,
  onRenamed,
}: {
  readonly bot: string;
  readonly intent: string;
  readonly onClose: () => void;
  readonly onRenamed?: (name: string) => void;
}) {
  const rename = useWrite(bot, (name: string) => kshot().intents.rename(bot, intent, name), {
    showsError: true,
    onDone: (_, name) => {
      onClose();
      toast(`${intent} is called ${name} now`);
      onRenamed?.(name);
    },
  });
  return (
    <NameDialog
      title={`Rename ${intent}`}
      label="New name"
      hint="Whoever reads the bot's answers gets the new name from the next request on."
      action="Rename"
      initial={intent}
      busy={rename.isPending}
      error={rename.error}
      onSubmit={(name) => {
        rename.mutate(name);
      }}
      onClose={onClose}
    />
  );
}
