import { isNativeError } from 'node:util/types';
import { Command, CommanderError } from 'commander';
import { KshotApiError, KshotClientError } from '../client/index.js';
import { KshotError } from '../errors.js';
import { addAliasesCommand } from './commands/aliases.js';
import { addBotsCommand } from './commands/bots.js';
import { addCheckCommand, CHECK_FAILED } from './commands/check.js';
import { addClassifyCommand } from './commands/classify.js';
import { addEncoderCommand } from './commands/encoder.js';
import { addEvaluateCommand, EVALUATION_FAILED } from './commands/evaluate.js';
import { addExportCommand } from './commands/export.js';
import { addHeadsCommand } from './commands/heads.js';
import { addImportCommand } from './commands/import.js';
import { addJobsCommand } from './commands/jobs.js';
import { addKeysCommand } from './commands/keys.js';
import { addLabelCommand } from './commands/label.js';
import { addServeCommand, addWorkerCommand } from './commands/serve.js';
import { addSuggestCommand } from './commands/suggest.js';
import { addUnlabelledCommand } from './commands/unlabelled.js';
import { addVersionsCommand } from './commands/versions.js';
import type { Context, Io } from './io.js';
import { inWords } from './serverErrors.js';

export const EXIT_OK = 0;
export const EXIT_ERROR = 1;
/** The command line or a setting is wrong. */
export const EXIT_USAGE = 2;

/**
 * Runs one command.
 *
 * @param args the command line without program and script.
 * @returns the exit code. Errors have been told, in one line, on standard error.
 */
export async function runCli(args: readonly string[], context: Context): Promise<number> {
  try {
    await buildProgram(context).parseAsync(args, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    return report(error, context.io);
  }
}

/** The commands, with their options and help. */
export function buildProgram(context: Context): Command {
  const { io, version } = context;
  const program = new Command('kshot')
    .description('Few-shot intent classification: a handful of examples an intent, live on the next request.')
    .version(version)
    // So that --version behind a command is that command's.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'kshot: ')),
    });
  addServeCommand(program, context);
  addWorkerCommand(program, context);
  addClassifyCommand(program, context);
  addImportCommand(program, context);
  addExportCommand(program, context);
  addCheckCommand(program, context);
  addEvaluateCommand(program, context);
  addJobsCommand(program, context);
  addUnlabelledCommand(program, context);
  addSuggestCommand(program, context);
  addLabelCommand(program, context);
  addVersionsCommand(program, context);
  addAliasesCommand(program, context);
  addBotsCommand(program, context);
  addHeadsCommand(program, context);
  addKeysCommand(program, context);
  addEncoderCommand(program, context);
  program.addHelpText(
    'after',
    `
Commands other than "serve", "worker", "encoder", "check FILE" and "evaluate
FILE" work on the server at --url, else on the one that has the data folder open, else they
start one for as long as they need it.
"kshot COMMAND --help" says more.`,
  );
  return program;
}

function report(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    // Commander has printed what there is to print.
    if (error.code === CHECK_FAILED || error.code === EVALUATION_FAILED) return EXIT_ERROR;
    return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  }
  if (error instanceof KshotError || error instanceof KshotClientError) {
    const message = error instanceof KshotClientError ? inWords(error) : error.message;
    io.stderr.write(`kshot: ${message.replace(/\n+/g, '; ')}\n`);
    const code = error instanceof KshotError || error instanceof KshotApiError ? error.code : undefined;
    return code === 'invalid_configuration' ? EXIT_USAGE : EXIT_ERROR;
  }
  // A bug: all there is to know about it.
  io.stderr.write(`kshot: ${isNativeError(error) ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT_ERROR;
}
