import { CommanderError, InvalidArgumentError, type Command } from 'commander';
import { FOLDS } from '../../classify/evaluation/folds.js';
import type { Evaluation } from '../../classify/evaluationTypes.js';
import { isOver } from '../../client/index.js';
import type { Flags } from '../../config.js';
import { KshotError } from '../../errors.js';
import type { BotDocument } from '../../formats/document.js';
import { writeBot } from '../../formats/formats.js';
import { addBotOption, addConnectionOptions, botOf, usageError, withClient } from '../connect.js';
import { requireFileOrBot } from '../fileOrBot.js';
import type { Bench } from '../evaluationBench.js';
import type { Report } from '../evaluationReport/figures.js';
import { htmlReport } from '../evaluationReport/html.js';
import { markdownReport } from '../evaluationReport/markdown.js';
import { terminalReport } from '../evaluationReport/terminal.js';
import type { Context } from '../io.js';
import { wholeNumber } from '../numbers.js';
import { startProgress } from '../progress.js';
import { addReadingOptions, readInput, type ReadingOptions } from '../readInput.js';
import { writeOutput } from '../writeOutput.js';

/** What the program ends with when accuracy is below `--fail-under`; the exit code is that of an error. */
export const EVALUATION_FAILED = 'kshot.evaluationFailed';

/** How often it is asked how far an evaluation is, in ms. */
const POLL_MS = 300;

interface Options extends ReadingOptions {
  readonly bot?: string;
  readonly test?: string;
  readonly folds?: number;
  readonly seed?: number;
  readonly name?: string;
  readonly version?: string;
  readonly markdown?: string;
  readonly html?: string;
  readonly failUnder?: number;
  readonly json?: true;
}

export function addEvaluateCommand(program: Command, context: Context): void {
  const command = program
    .command('evaluate')
    .summary('measure how good a bot is')
    .description(
      'Judge a bot on its own examples, each held out once (cross-validation), or on a file of labelled texts that it has not ' +
        'seen: accuracy with intervals, intents and what they are confused with, texts out of scope, whether confidence can be ' +
        'believed, and what other thresholds would give. A file is evaluated without a server.',
    )
    .argument('[file]', 'bot to evaluate, in any format that "kshot import" reads; "-" is standard input');
  addReadingOptions(addBotOption(command))
    .option('--test <file>', 'judge on these labelled texts; its counter-examples are out of scope')
    .option(
      '--folds <number>',
      `parts of a cross-validation, ${FOLDS.fewest} to ${FOLDS.most} (default: ${FOLDS.usual})`,
      folds,
    )
    .option('--seed <number>', 'what texts are dealt to the parts by (default: 0)', seed)
    .option('--name <name>', 'what the evaluation is to be called')
    .option('--version <name>', 'of --bot: judge this version, or this alias (default: the bot as it is now)')
    .option('--markdown <file>', 'write the whole report as Markdown')
    .option('--html <file>', 'write the whole report as a page, with diagrams')
    .option('--fail-under <share>', 'exit with 1 where accuracy is below this, such as 0.9', share)
    .option('--json', 'print the evaluation as a JSON object');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Exits with 0 when all is well, 1 when accuracy is below --fail-under or the
evaluation could not be made, 2 when the command line is wrong.

Examples:
  $ kshot evaluate data/demo.yml
  $ kshot evaluate data/demo.yml --test data/demo-heldout.csv --html report.html
  $ kshot evaluate bot.yml --fail-under 0.85
  $ kshot evaluate --bot demo --url http://localhost:8080 --name "before the merge"`,
  );
  command.action((file: string | undefined, options: Options) => evaluate(command, file, options, context));
}

/** @throws CommanderError EVALUATION_FAILED when accuracy is below `--fail-under`. */
async function evaluate(
  command: Command,
  file: string | undefined,
  options: Options,
  context: Context,
): Promise<void> {
  const { io } = context;
  if (options.test !== undefined && (options.folds ?? options.seed) !== undefined) {
    usageError(command, '--folds and --seed are for a cross-validation, which --test is none');
  }
  const isFile = file !== undefined;
  requireFileOrBot(command, file, options, context, { verb: 'evaluate', done: 'evaluated' });
  if (isFile && options.version !== undefined) usageError(command, '--version is for --bot');
  const test = options.test === undefined ? undefined : await read(options.test, {}, context);
  const work = (bench: Bench) => runOn(bench, options, test, context);
  let evaluation: Evaluation;
  if (isFile) {
    const document = await read(file, options, context);
    if (test !== undefined) warnOfUnknownIntents(document, test, context);
    // What does the work is loaded when it is needed: `kshot --help` shall not wait for the encoder's runtime.
    const { evaluateFile } = await import('../evaluateFile.js');
    evaluation = await evaluateFile(document, command.opts<Flags>(), io, work);
  } else {
    const bot = botOf(command, context);
    evaluation = await withClient(command, context, (client) =>
      work({
        crossValidate: (asked) => client.evaluations.crossValidate(bot, asked),
        evaluateTestSet: (document, asked) =>
          client.evaluations.testSet(bot, writeBot(document, 'jsonl'), { ...asked, format: 'jsonl' }),
        get: (id) => client.evaluations.get(bot, id),
        sleep: (milliseconds) => io.sleep(milliseconds),
      }),
    );
  }
  const subject = file === '-' ? 'standard input' : (file ?? `bot ${botOf(command, context)}`);
  await tell({ subject, evaluation, measures: evaluation.measures! }, options, context);
  const { share: accuracy } = evaluation.measures!.accuracy;
  if (options.failUnder !== undefined && accuracy < options.failUnder) {
    io.stderr.write(`kshot: accuracy is ${accuracy}, below ${options.failUnder}\n`);
    throw new CommanderError(1, EVALUATION_FAILED, 'accuracy is too low');
  }
}

async function read(file: string, options: ReadingOptions, context: Context): Promise<BotDocument> {
  const { document, notes } = await readInput(file, options, context);
  for (const note of notes) context.io.stderr.write(`note: ${note}\n`);
  return document;
}

/** Texts of an intent that the bot has not can only be misread: mostly a name is written otherwise. */
function warnOfUnknownIntents(bot: BotDocument, test: BotDocument, { io }: Context): void {
  const known = new Set(bot.intents.map(({ name }) => name));
  const unknown = test.intents.map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  io.stderr.write(`note: the bot has no ${unknown.join(', ')}, which the test set has texts of\n`);
}

/**
 * Has a bot evaluated, and waits until that is over.
 *
 * @returns an evaluation that is done.
 * @throws KshotError `cancelled` where it was given up, or has failed.
 */
async function runOn(
  bench: Bench,
  { folds, seed, name, version }: Options,
  test: BotDocument | undefined,
  { io }: Context,
): Promise<Evaluation> {
  const asked = { ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) };
  const { id, progress } =
    test === undefined
      ? await bench.crossValidate({
          ...asked,
          ...(folds === undefined ? {} : { folds }),
          ...(seed === undefined ? {} : { seed }),
        })
      : await bench.evaluateTestSet(test, asked);
  const bar = startProgress(io.stderr, 'Judging texts', progress.total);
  let evaluation = await bench.get(id);
  try {
    while (!isOver(evaluation)) {
      bar.update(evaluation.progress.done);
      await bench.sleep(POLL_MS);
      evaluation = await bench.get(id);
    }
  } finally {
    bar.stop();
  }
  if (evaluation.status === 'done') return evaluation;
  const why = evaluation.error === null ? `was ${evaluation.status}` : `has failed: ${evaluation.error}`;
  throw new KshotError('cancelled', `evaluation ${id} ${why}`);
}

async function tell(report: Report, { json, markdown, html }: Options, { io }: Context): Promise<void> {
  if (json === true) io.stdout.write(`${JSON.stringify(report.evaluation)}\n`);
  else io.stdout.write(terminalReport(report));
  for (const [output, content] of [
    [markdown, markdownReport],
    [html, htmlReport],
  ] as const) {
    if (output === undefined) continue;
    await writeOutput(output, content(report));
    io.stderr.write(`${output}: written\n`);
  }
}

function folds(value: string): number {
  const number = wholeNumber(FOLDS.most)(value);
  if (number < FOLDS.fewest) throw new InvalidArgumentError(`It must be at least ${FOLDS.fewest}.`);
  return number;
}

function seed(value: string): number {
  return value === '0' ? 0 : wholeNumber()(value);
}

function share(value: string): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (!(number >= 0 && number <= 1)) throw new InvalidArgumentError('It must be a share from 0 to 1.');
  return number;
}
