import type { KeySummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useServerWrite } from '../api/queries.js';
import { ConfirmDialog } from '../parts/confirmDialog.js';
import { toast } from '../state/toasts.js';

export function RevokeKeyDialog({
  apiKey: { id, name },
  onClose,
}: {
  readonly apiKey: KeySummary;
  readonly onClose: () => void;
}) {
  const revoke = useServerWrite(
    'keys',
    () => kshot().keys.revoke(id),
    () => {
      onClose();
      toast(`${name} is good for nothing any more`);
    },
  );
  return (
    <ConfirmDialog
      title={`Revoke ${name}?`}
      action="Revoke the key"
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => {
        revoke.mutate();
      }}
      onClose={onClose}
    >
      <p>Whoever uses it is refused from the next request on. It cannot be brought back.</p>
    </ConfirmDialog>
  );
}
