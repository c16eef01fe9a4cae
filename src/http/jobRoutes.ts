import type { ClassifyService } from '../classify/service.js';
import type { Jobs } from '../jobs/jobs.js';
import type { JobSummary } from '../jobs/jobTypes.js';
import type { Caller } from '../keys/caller.js';
import { checkBot, seesBot } from './auth.js';
import {
  type EvaluationJob,
  isEvaluation,
  type StartJob,
  JOB_PARAMS,
  JOB_QUERY,
  JOB_RESPONSES,
  startJobRequest,
} from './jobSchemas.js';
import { ok, operation, type Operation } from './operation.js';
import { QUERIES } from './schemas.js';

/**
 * The table's rows for jobs. One that is about a bot is that bot's, whoever may see it; others are for keys for all bots.
 */
export function jobOperations(jobs: Jobs): Operation[] {
  const request = startJobRequest(jobs.kinds);
  const common = {
    tag: 'jobs',
    needsService: true,
    ownSchemas: { request: { StartJobRequest: request }, response: JOB_RESPONSES },
  } as const;
  const start = ({ kind, ...input }: StartJob) => jobs.start(kind, input);
  const evaluate = async ({ kind: _kind, bot, ...how }: EvaluationJob, service: ClassifyService) => {
    const { job } = await service.crossValidate(bot, how);
    return jobs.get(job!);
  };
  const find = async (id: number, caller: Caller): Promise<JobSummary> => {
    const job = await jobs.get(id);
    checkBot(job.bot, caller);
    return job;
  };
  return [
    operation({
      ...common,
      id: 'startJob',
      method: 'post',
      path: '/v1/jobs',
      summary: 'Begin a job',
      description:
        'It waits for its turn, and a server or a worker runs it: GET the address in Location until `status` is neither `queued` nor ' +
        '`running`. An `evaluation` is a cross-validation; a test set has an operation of its own. Other kinds need a key for all bots.',
      access: 'write',
      query: QUERIES.none,
      body: request,
      bots: (body) => (isEvaluation(body) ? body.bot : null),
      success: { 202: { description: 'The job, which waits', schemas: [JOB_RESPONSES.Job] } },
      problems: ['unknown_bot', 'unknown_version', 'nothing_to_evaluate', 'overloaded', 'store_unavailable'],
      async run({ body, service }) {
        const job = isEvaluation(body) ? await evaluate(body, service) : await start(body);
        return { status: 202, json: job, headers: { location: `/v1/jobs/${job.id}` } };
      },
    }),
    operation({
      ...common,
      id: 'listJobs',
      method: 'get',
      path: '/v1/jobs',
      summary: 'List jobs',
      description: 'Those about bots that the key is for. The newest 500 that are over are kept.',
      access: 'read',
      bots: 'none',
      query: JOB_QUERY,
      success: { 200: { description: 'Newest first', schemas: [JOB_RESPONSES.Jobs] } },
      problems: ['store_unavailable'],
      async run({ query: { kind, status }, caller }) {
        const found = await jobs.list({ kind, statuses: status && [status] });
        return ok({ jobs: found.filter(({ bot }) => seesBot(bot, caller)) });
      },
    }),
    operation({
      ...common,
      id: 'getJob',
      method: 'get',
      path: '/v1/jobs/{id}',
      summary: 'Show a job: how far it is, and what has come of it',
      access: 'read',
      bots: 'none',
      params: JOB_PARAMS,
      query: QUERIES.none,
      success: { 200: { description: 'The job', schemas: [JOB_RESPONSES.Job] } },
      problems: ['unknown_job', 'store_unavailable'],
      run: async ({ params, caller }) => ok(await find(params.id, caller)),
    }),
    operation({
      ...common,
      id: 'deleteJob',
      method: 'delete',
      path: '/v1/jobs/{id}',
      summary: 'Cancel a job that waits or runs, or remove one that is over',
      description: 'One that is cancelled stays in the list as such, until it is removed as well.',
      access: 'write',
      bots: 'none',
      params: JOB_PARAMS,
      query: QUERIES.none,
      success: { 200: { description: 'It is cancelled, or gone', schemas: [JOB_RESPONSES.DeletedJob] } },
      problems: ['unknown_job', 'store_unavailable'],
      async run({ params, caller }) {
        await find(params.id, caller);
        return ok({ job: params.id, outcome: await jobs.delete(params.id) });
      },
    }),
  ];
}
