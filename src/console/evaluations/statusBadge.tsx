import type { EvaluationStatus, EvaluationSummary } from '../../client/index.js';
import { percent } from '../format.js';

const TONES: Readonly<Record<EvaluationStatus, string>> = {
  queued: 'plain',
  running: 'info',
  done: 'good',
  failed: 'error',
  cancelled: 'plain',
};

export function StatusBadge({
  evaluation: { status, progress, error },
}: {
  readonly evaluation: EvaluationSummary;
}) {
  const share = progress.total === 0 ? 0 : progress.done / progress.total;
  return (
    <span className={`badge ${TONES[status]}`} title={error ?? undefined}>
      {status === 'running' ? `running, ${percent(share)}` : status}
    </span>
  );
}
