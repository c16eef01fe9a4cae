import type { Command } from 'commander';
import { KshotError } from '../src/errors.js';

/** Runs an offline command. What is wrong with its input is one line, not a trace; 130 says that it was cancelled. */
export async function runProgram(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof KshotError)) throw error;
    process.stderr.write(`${program.name()}: ${error.message}\n`);
    process.exitCode = error.code === 'cancelled' ? 130 : 1;
  }
}
