import type { OpenedService } from '../classify/live.js';
import type { JobRunner } from './jobRun.js';
import type { JobRunners } from './jobs.js';
import type { JOB_KINDS } from './kinds.js';

/** What runs each kind of job. */
export function runnersOf(service: OpenedService): JobRunners {
  return {
    evaluation: (_input, { id, ...run }) => service.carryOutEvaluation(Number(id), run),
  } satisfies Record<keyof typeof JOB_KINDS, JobRunner<never>>;
}
