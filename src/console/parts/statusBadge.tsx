import type { JobStatus } from '../../client/index.js';
import { percent } from '../format.js';

const TONES: Readonly<Record<JobStatus, string>> = {
  queued: 'plain',
  running: 'info',
  done: 'good',
  failed: 'error',
  cancelled: 'plain',
};

interface UnderWay {
  readonly status: JobStatus;
  /** `total` is null until it is known. */
  readonly progress: { readonly done: number; readonly total: number | null };
  readonly error: string | null;
}

/** How far a job is, or an evaluation. */
export function StatusBadge({ of: { status, progress, error } }: { readonly of: UnderWay }) {
  const share = progress.total === null || progress.total === 0 ? 0 : progress.done / progress.total;
  return (
    <span className={`badge ${TONES[status]}`} title={error ?? undefined}>
      {status === 'running' ? `running, ${percent(share)}` : status}
    </span>
  );
}
