import { Command } from 'commander';
import { startProgress } from '../src/cli/progress.js';
import { runProgram } from './runProgram.js';
import { FAULTS } from './stress/faults.js';
import { report, Stage } from './stress/stage.js';

// What becomes of requests and acknowledged writes when something breaks. Loopback only, folders of its own.

const program = new Command('faults')
  .description('Kills, fills, cuts and leaves, and counts what became of the requests.')
  .option('--only <words>', 'faults whose name has this in it')
  .action(async ({ only }: { only?: string }) => {
    const chosen = FAULTS.filter(({ name }) => name.includes(only ?? ''));
    const bar = startProgress(process.stderr, 'Faults', chosen.length);
    const rows: string[][] = [];
    for (const { name, run } of chosen) {
      await Stage.run(async (stage) => {
        const outcome = await run(stage);
        if ('skipped' in outcome) {
          rows.push([name, '', '', '', '', '', `skipped: ${outcome.skipped}`]);
          return;
        }
        const { sent, answered, refused, lost, recoveryMs, seen } = outcome;
        rows.push([
          name,
          ...[sent, answered, refused].map(String),
          lost === undefined ? '' : String(lost),
          `${(recoveryMs / 1000).toFixed(2)} s`,
          seen,
        ]);
      });
      bar.update(rows.length);
    }
    bar.stop();
    report(
      'Faults',
      ['fault', 'sent', 'answered', 'refused', 'acknowledged writes lost', 'recovered after', 'seen'],
      rows,
      [1, 2, 3, 4, 5],
    );
  });

await runProgram(program);
