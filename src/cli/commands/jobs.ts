import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import type { JobRequest, JobStatus, JobSummary, Kshot } from '../../client/index.js';
import { KshotError } from '../../errors.js';
import { JOB_STATUSES } from '../../store/jobStore.js';
import { addConnectionOptions, withClient } from '../connect.js';
import { readBounded, readBytes } from '../importExport.js';
import type { Context } from '../io.js';
import { wholeNumber } from '../numbers.js';
import { type Progress, startProgress } from '../progress.js';
import { table } from '../table.js';

/** How often it is asked how far a job is, in ms. */
const POLL_MS = 500;

export function addJobsCommand(program: Command, context: Context): void {
  const jobs = program
    .command('jobs')
    .summary('list, begin or cancel jobs')
    .description(
      'What is done in the background, by a server or a worker: evaluations, and what "kshot jobs start" begins.',
    );
  addListCommand(jobs, context);
  addShowCommand(jobs, context);
  addStartCommand(jobs, context);
  addCancelCommand(jobs, context);
  jobs.addHelpText(
    'after',
    `
A file to start from is YAML or JSON: the job's kind, and what that takes.

Examples:
  $ kshot jobs
  $ kshot jobs list --kind evaluation --status running
  $ echo '{"kind": "evaluation", "bot": "demo"}' | kshot jobs start - --wait
  $ kshot jobs cancel 7`,
  );
}

function addListCommand(jobs: Command, context: Context): void {
  const command = jobs
    .command('list', { isDefault: true })
    .description('List the jobs, newest first.')
    .option('--kind <name>', 'only jobs of this kind')
    .addOption(new Option('--status <name>', 'only jobs that are so').choices(JOB_STATUSES))
    .option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async (options: { kind?: string; status?: JobStatus; json?: true }) => {
    const { stdout } = context.io;
    const list = await withClient(command, context, (client) => client.jobs.list(options));
    if (options.json === true) stdout.write(`${JSON.stringify(list)}\n`);
    else if (list.length === 0) stdout.write('There are none.\n');
    else {
      const rows = list.map((job) => [
        String(job.id),
        job.kind,
        job.bot ?? '',
        job.status,
        progressOf(job),
        job.created_at,
        job.finished_at ?? '',
        job.error ?? '',
      ]);
      stdout.write(
        table(['ID', 'KIND', 'BOT', 'STATUS', 'DONE', 'CREATED', 'FINISHED', 'ERROR'], rows, [0, 4]),
      );
    }
  });
}

function addShowCommand(jobs: Command, context: Context): void {
  const command = jobs
    .command('show')
    .description('Print a job with its input and result, as a JSON object.')
    .argument('<id>', 'its id, as "kshot jobs" lists it', wholeNumber());
  addConnectionOptions(command, context);
  command.action(async (id: number) => {
    print(await withClient(command, context, (client) => client.jobs.get(id)), context);
  });
}

function addStartCommand(jobs: Command, context: Context): void {
  const command = jobs
    .command('start')
    .description('Begin a job.')
    .argument('<file>', 'its kind and input, as YAML or JSON; "-" is standard input')
    .option('--wait', 'wait until it is over; exits with 1 unless it is done')
    .option('--json', 'print the job as a JSON object');
  addConnectionOptions(command, context);
  command.action(async (file: string, options: { wait?: true; json?: true }) => {
    const request = await readJob(file, context);
    const job = await withClient(command, context, async (client) => {
      const started = await client.jobs.start(request);
      return options.wait === true ? waitFor(client, started, context) : started;
    });
    if (options.json === true) print(job, context);
    else context.io.stdout.write(`job ${job.id}, ${job.kind}: ${job.status}\n`);
    if (options.wait === true && job.status !== 'done') {
      const why = job.error === null ? `was ${job.status}` : `has failed: ${job.error}`;
      throw new KshotError('cancelled', `job ${job.id} ${why}`);
    }
  });
}

function addCancelCommand(jobs: Command, context: Context): void {
  const command = jobs
    .command('cancel')
    .description('Cancel a job that waits or runs, or remove one that is over.')
    .argument('<id>', 'its id, as "kshot jobs" lists it', wholeNumber());
  addConnectionOptions(command, context);
  command.action(async (id: number) => {
    const outcome = await withClient(command, context, (client) => client.jobs.delete(id));
    context.io.stdout.write(`job ${id}: ${outcome}\n`);
  });
}

/** Shows how far it is from when that is known. */
async function waitFor(client: Kshot, { id, kind }: JobSummary, { io }: Context): Promise<JobSummary> {
  let bar: Progress | undefined;
  try {
    return await client.jobs.finished(id, {
      intervalMs: POLL_MS,
      onProgress: ({ progress: { done, total } }) => {
        if (total === null) return;
        bar ??= startProgress(io.stderr, `Job ${id}, ${kind}`, total);
        bar.update(done);
      },
    });
  } finally {
    bar?.stop();
  }
}

/** @throws KshotError `invalid_file`. */
async function readJob(file: string, { io }: Context): Promise<JobRequest> {
  const bytes = file === '-' ? await readBounded(io.stdin) : await readBytes(file);
  let content: unknown;
  try {
    content = parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new KshotError(
      'invalid_file',
      `${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof content === 'object' && content !== null && 'kind' in content) return content as JobRequest;
  throw new KshotError(
    'invalid_file',
    `${file}: it must say the job's kind, such as {"kind": "evaluation", "bot": "demo"}`,
  );
}

function progressOf({ progress: { done, total } }: JobSummary): string {
  return total === null ? '' : `${done}/${total}`;
}

function print(job: JobSummary, { io }: Context): void {
  io.stdout.write(`${JSON.stringify(job)}\n`);
}
