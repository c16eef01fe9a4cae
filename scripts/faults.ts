import { Command } from 'commander';
import { startProgress } from '../src/cli/progress.js';
import { runProgram } from './runProgram.js';
import { Cluster } from './stress/cluster.js';
import { clusterFaults } from './stress/clusterFaults.js';
import type { Fault, FaultOptions, Outcome } from './stress/fault.js';
import { FAULTS } from './stress/faults.js';
import { report, Stage } from './stress/stage.js';

// What becomes of requests and acknowledged writes when something breaks. Loopback only, folders of its own.

interface Options extends FaultOptions {
  readonly only: string;
  readonly minutes: number;
}

const HEADINGS = [
  ...['fault', 'sent', 'answered', 'refused', 'neither', 'tried again'],
  ...['acknowledged writes lost', 'recovered after', 'seen'],
];

const program = new Command('faults')
  .description(
    'Kills, stops, fills, cuts and leaves, and counts what became of the requests. Of one server, then of three replicas on ' +
      'PostgreSQL behind nginx ("cluster"). Ends with 1 where an acknowledged write is lost, or a fault is not got over.',
  )
  .option('--only <words>', 'faults whose name has this in it', '')
  .option('--outage-seconds <n>', 'how long PostgreSQL is away', Number, 30)
  .option('--minutes <n>', 'how long all may take', Number, 9)
  .action(async ({ only, minutes, ...options }: Options) => {
    const inTime = AbortSignal.timeout(minutes * 60_000);
    const rows: string[][] = [];
    const bar = await Stage.run(async (lasting) => {
      let cluster: Promise<Cluster> | undefined;
      const faults = [...FAULTS, ...clusterFaults(() => (cluster ??= Cluster.start(lasting)))];
      const chosen = faults.filter(({ name }) => name.includes(only));
      const bar = startProgress(process.stderr, 'Faults', chosen.length);
      for (const fault of chosen) {
        rows.push(await rowOf(fault, (work) => lasting.within(work, inTime), options));
        bar.update(rows.length);
      }
      return bar;
    });
    bar.stop();
    report('Faults', HEADINGS, rows, [1, 2, 3, 4, 5, 6, 7]);
    // What was given up may still wait for something.
    process.exit(process.exitCode);
  });

await runProgram(program);

/** Runs it; where it is not got over, or has lost a write, this process will end with 1. */
async function rowOf(
  { name, run }: Fault,
  onStage: (work: (stage: Stage) => ReturnType<Fault['run']>) => ReturnType<Fault['run']>,
  options: FaultOptions,
): Promise<string[]> {
  const empty = Array.from({ length: HEADINGS.length - 2 }, () => '');
  try {
    const outcome = await onStage((stage) => run(stage, options));
    if ('skipped' in outcome) return [name, ...empty, `skipped: ${outcome.skipped}`];
    if (outcome.writes !== undefined && outcome.writes.lost > 0) process.exitCode = 1;
    return [name, ...cellsOf(outcome)];
  } catch (error) {
    process.exitCode = 1;
    return [name, ...empty, `NOT GOT OVER: ${(error as Error).message}`];
  }
}

function cellsOf({ sent, answered, refused, triedAgain, writes, recoveryMs, seen }: Outcome): string[] {
  return [
    ...[sent, answered, refused, sent - answered - refused].map(String),
    triedAgain === undefined ? '' : String(triedAgain),
    writes === undefined ? '' : `${writes.lost} of ${writes.acknowledged}`,
    `${(recoveryMs / 1000).toFixed(2)} s`,
    seen,
  ];
}
