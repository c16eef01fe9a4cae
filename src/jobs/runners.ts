import type { OpenedService } from '../classify/live.js';
import { embeddingRunner, type EmbeddingRunnerOptions } from './embedding.js';
import type { JobRunner } from './jobRun.js';
import type { JobRunners } from './jobs.js';
import type { JOB_KINDS } from './kinds.js';
import { trainingRunner, type TrainingRunnerOptions } from './training.js';

/** What runs each kind of job. */
export function runnersOf(
  service: OpenedService,
  options: { readonly training: TrainingRunnerOptions; readonly embedding: EmbeddingRunnerOptions },
): JobRunners {
  return {
    ...evaluationsOnly(service),
    embedding: embeddingRunner(options.embedding),
    training: trainingRunner(options.training),
  } satisfies Record<keyof typeof JOB_KINDS, JobRunner<never>>;
}

/** Where nobody asks for other jobs. */
export function evaluationsOnly(service: OpenedService): { readonly evaluation: JobRunner<never> } {
  return { evaluation: (_input, { id, ...run }) => service.carryOutEvaluation(Number(id), run) };
}
