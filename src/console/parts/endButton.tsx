import { isOver, type JobStatus } from '../../client/index.js';
import { WriteButton } from './button.js';

/** Cancels what waits or runs; removes what is over. */
export function EndButton({
  status,
  removing,
  what,
  busy,
  onClick,
}: {
  readonly status: JobStatus;
  /** What to remove is called: Delete, Remove. */
  readonly removing: string;
  /** What it is about, for screen readers. */
  readonly what: string;
  readonly busy: boolean;
  readonly onClick: () => void;
}) {
  const runs = !isOver({ status });
  const action = runs ? 'Cancel' : removing;
  return (
    <WriteButton
      look="quiet"
      small
      icon={runs ? 'close' : 'trash'}
      busy={busy}
      aria-label={`${action} ${what}`}
      title={action}
      onClick={onClick}
    />
  );
}
