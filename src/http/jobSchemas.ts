import { z } from 'zod';
import type { JobSummary } from '../jobs/jobTypes.js';
import type { JobKinds } from '../jobs/kinds.js';
import { JOB_STATUSES } from '../store/jobStore.js';
import { crossValidationRequest } from './evaluationSchemas.js';
import { botName } from './names.js';
import { textId } from './schemas.js';

const count = z.int().min(0);
const time = z.string().meta({ format: 'date-time' });
const object = z.record(z.string(), z.unknown());

export const JOB_PARAMS = z.strictObject({ id: textId });

export const JOB_QUERY = z.strictObject({
  kind: z.exactOptional(z.string().min(1).max(64)).meta({ description: 'Only jobs of this kind' }),
  status: z.exactOptional(z.enum(JOB_STATUSES)).meta({ description: 'Only jobs that are so' }),
});

const evaluationJob = crossValidationRequest
  .safeExtend({ kind: z.literal('evaluation'), bot: botName })
  .meta({ examples: [{ kind: 'evaluation', bot: 'bank', folds: 5, name: 'before the merge' }] });

export type EvaluationJob = z.output<typeof evaluationJob>;

/** What begins a job: an evaluation, or a job of a kind whose input is its own. */
export type StartJob = EvaluationJob | { readonly kind: string; readonly [field: string]: unknown };

/** The body that begins a job of one of the kinds. */
export function startJobRequest(kinds: JobKinds): z.ZodType<StartJob> {
  const others = Object.entries(kinds).flatMap(([kind, { input }]) =>
    input === undefined ? [] : [input.safeExtend({ kind: z.literal(kind) })],
  );
  return z.discriminatedUnion('kind', [evaluationJob, ...others]) as z.ZodType<StartJob>;
}

export function isEvaluation(asked: StartJob): asked is EvaluationJob {
  return asked.kind === 'evaluation';
}

const job = z.strictObject({
  id: count.describe('A later job has a larger one'),
  kind: z.string(),
  bot: z.string().nullable().describe('That it is about; null: none in particular'),
  status: z.enum(JOB_STATUSES).describe('queued: it waits for its turn'),
  input: object.describe('As it was asked for'),
  progress: z
    .strictObject({ done: count, total: count.nullable().describe('null until it is known') })
    .describe("In units of the kind's own, such as texts"),
  attempts: count.describe('How often it was begun: again where the process that ran it was killed'),
  result: object.nullable().describe('null until it is done'),
  error: z.string().nullable().describe('Why it failed'),
  created_at: time,
  started_at: time.nullable().describe('When it was last begun'),
  finished_at: time.nullable(),
  heartbeat_at: time.nullable().describe('When the process that runs it last said so'),
}) satisfies z.ZodType<JobSummary>;

/** Answers. */
export const JOB_RESPONSES = {
  Job: job,
  Jobs: z.strictObject({ jobs: z.array(job).describe('Newest first') }),
  DeletedJob: z.strictObject({ job: count, outcome: z.enum(['cancelled', 'removed']) }),
} as const;
