import { Command } from 'commander';
import { heads } from './evaluate/heads.js';
import { served } from './evaluate/served.js';
import { runProgram } from './runProgram.js';

// How good the answers are: of a head over a benchmark's queries, or of a server with published support sets in a bot.

const namesBenchmark = process.argv.some((argument) => /^--benchmark(=|$)/.test(argument));

const program = new Command('evaluate')
  .description(
    'How good the answers are. With --benchmark: heads on a benchmark, with a report. Without: the served path on the published few-shot splits.',
  )
  .addCommand(heads, { isDefault: namesBenchmark })
  .addCommand(served, { isDefault: !namesBenchmark })
  .addHelpText(
    'after',
    `
Examples:
  $ npm run evaluate -- --benchmark fewrel --head models/heads/induction
  $ npm run evaluate -- --data banking77 --shots 10 --folder ~/Few-Shot-Intent-Detection
  $ npm run evaluate -- heads --help`,
  );

await runProgram(program);
