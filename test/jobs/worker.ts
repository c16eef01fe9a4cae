import { endless, openBench } from './jobsBench.js';

// A process that takes a job and never ends it: to be killed. Prints the id of the job that it has taken.

const { jobs } = await openBench(process.argv[2]!);
await jobs.begin({ work: endless(({ id }) => process.stdout.write(`${id}\n`)) });
