import { kshot } from '../api/kshot.js';
import { useVersionChanges, useWrite } from '../api/queries.js';
import { ChangeTable } from '../parts/changeTable.js';
import { ConfirmDialog } from '../parts/confirmDialog.js';
import { Loaded } from '../parts/loaded.js';
import { toast } from '../state/toasts.js';

/** Asks before the bot becomes what a version is, and says what has changed since. */
export function RestoreDialog({
  bot,
  version,
  onClose,
}: {
  readonly bot: string;
  readonly version: string;
  readonly onClose: () => void;
}) {
  const changes = useVersionChanges(bot, version, undefined);
  const restore = useWrite(bot, () => kshot().versions.restore(bot, version), {
    showsError: true,
    onDone: () => {
      onClose();
      toast(`The bot is ${version} again`);
    },
  });
  return (
    <ConfirmDialog
      title={`Restore ${version}?`}
      action="Restore"
      busy={restore.isPending}
      error={restore.error}
      onConfirm={() => {
        restore.mutate();
      }}
      onClose={onClose}
    >
      <p>
        The bot is answered by {version} from the next request on, settings too. What has changed since goes;
        save a version first if you want to keep it.
      </p>
      <h3>Changed since</h3>
      <Loaded query={changes} what="Comparing">
        {(data) => <ChangeTable {...data} />}
      </Loaded>
    </ConfirmDialog>
  );
}
