import { CommanderError, Option, type Command } from 'commander';
import { type CheckedText, withCompared } from '../../classify/checks/checkedBot.js';
import { type Checks, type Finding, SEVERITIES, type Severity } from '../../classify/checks/finding.js';
import { normaliseText } from '../../classify/text.js';
import { type Flags, readSettings } from '../../config.js';
import type { BotDocument } from '../../formats/document.js';
import { addBotOption, addConnectionOptions, botOf, withClient } from '../connect.js';
import { requireFileOrBot } from '../fileOrBot.js';
import type { Context } from '../io.js';
import { startProgress } from '../progress.js';
import { count, pad, table } from '../table.js';
import { addReadingOptions, readInput, type ReadingOptions } from '../readInput.js';
import { inWords, summaryOf } from './import.js';

/** What the program ends with when something was found; the exit code is that of an error. */
export const CHECK_FAILED = 'kshot.checkFailed';

/** Texts of a file that are encoded between two steps of the progress bar. */
const TEXTS_A_STEP = 512;

interface Options extends ReadingOptions {
  readonly bot?: string;
  readonly failOn: Severity;
  readonly json?: true;
}

export function addCheckCommand(program: Command, context: Context): void {
  const command = program
    .command('check')
    .summary("check a bot's examples")
    .description(
      "Find what in a bot's examples makes its answers worse: the same text in two intents, near-duplicates, intents that " +
        'overlap, examples that are nearer to another intent, too few examples and more; each with what to do. A file is ' +
        'checked without a server.',
    )
    .argument('[file]', 'file to check, in any format that "kshot import" reads; "-" is standard input');
  addReadingOptions(addBotOption(command))
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 when something so grave is found, or graver')
        .choices(SEVERITIES)
        .default('error'),
    )
    .option('--json', 'print a JSON object');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Exits with 0 when all is well, 1 when something was found or the check could not
be made, 2 when the command line is wrong.

Examples:
  $ kshot check data/demo.yml
  $ kshot check bot.yml --fail-on warning
  $ kshot check --bot demo --url http://localhost:8080 --json`,
  );
  command.action((file: string | undefined, options: Options) => check(command, file, options, context));
}

/** @throws CommanderError CHECK_FAILED when something as grave as `--fail-on` was found. */
async function check(
  command: Command,
  file: string | undefined,
  options: Options,
  context: Context,
): Promise<void> {
  const { io } = context;
  requireFileOrBot(command, file, options, context, { verb: 'check', done: 'checked' });
  let checks: Checks;
  let what: string;
  if (file === undefined) {
    const bot = botOf(command, context);
    checks = await withClient(command, context, (client) => client.check(bot));
    what = `bot ${bot}: ${count(checks.texts, 'text')}`;
  } else {
    const { document, notes } = await readInput(file, options, context);
    for (const note of notes) io.stderr.write(`note: ${note}\n`);
    checks = await checkDocument(document, command, context);
    what = `${file}: ${inWords(summaryOf({ document }))}`;
  }
  io.stdout.write(options.json === true ? `${JSON.stringify(checks)}\n` : report(what, checks));

  const grave = SEVERITIES.slice(0, SEVERITIES.indexOf(options.failOn) + 1);
  if (grave.some((severity) => checks.counts[severity] > 0)) {
    throw new CommanderError(1, CHECK_FAILED, 'something was found');
  }
}

/**
 * Checks a document with the encoder that a server would load, as the server would have stored its texts.
 *
 * @throws KshotError what the encoder throws.
 */
async function checkDocument(
  { intents, counterexamples }: BotDocument,
  command: Command,
  { io }: Context,
): Promise<Checks> {
  const settings = readSettings(command.opts<Flags>(), io.env, ['encoder']);
  // What does the work is loaded when it is needed: `kshot --help` shall not wait for the encoder's runtime.
  const [{ checkBot }, { embedTexts }, { loadEncoder }, { encoderOptions }] = await Promise.all([
    import('../../classify/checks/checkBot.js'),
    import('../../classify/embedTexts.js'),
    import('../../encoder/load.js'),
    import('../../serve.js'),
  ]);
  const warn = (message: string) => void io.stderr.write(`note: ${message}\n`);
  const encoder = await loadEncoder({ ...encoderOptions(settings), warn });
  const { dimension: D } = encoder;
  try {
    const look = (texts: readonly string[]) =>
      [...new Set(texts.map(normaliseText))].map((text) => ({ text, isCut: !encoder.readsWhole(text) }));
    const embed = async (texts: readonly CheckedText[]) => {
      const rows = new Float32Array(texts.length * D);
      const bar = startProgress(io.stderr, 'Encoding texts', texts.length);
      for (let from = 0; from < texts.length; from += TEXTS_A_STEP) {
        const step = texts.slice(from, from + TEXTS_A_STEP);
        const byText = await embedTexts(
          encoder,
          step.map(({ text }) => text),
        );
        step.forEach(({ text }, i) => rows.set(byText.get(text)!, (from + i) * D));
        bar.update(from + step.length);
      }
      bar.stop();
      return rows;
    };
    const bot = {
      intents: intents.map(({ name, description, examples }) => ({
        name,
        hasDescription: description !== undefined,
        examples: look(examples),
      })),
      counterexamples: look(counterexamples),
    };
    return checkBot(await withCompared(bot, D, embed));
  } finally {
    await encoder.close();
  }
}

/** A table of the findings, what to do about them, and how many there are. */
function report(what: string, { counts, checks, texts, compared, left_out: leftOut }: Checks): string {
  const lines: string[] = [];
  if (checks.length > 0) {
    lines.push(table(['SEVERITY', 'CODE', 'FINDING'], checks.flatMap(rowsOf), []), '\n');
    const advice = new Map(checks.map(({ code, advice }) => [code, advice]));
    const width = Math.max(...[...advice.keys()].map(({ length }) => length));
    lines.push(
      'What to do:\n',
      ...[...advice].map(([code, told]) => `  ${pad(code, width)}  ${told}\n`),
      '\n',
    );
  }
  if (leftOut > 0) lines.push(`… and ${leftOut} more\n`);
  if (compared < texts) lines.push(`compared: the newest of each intent, ${compared} of ${texts} texts\n`);
  const found = [count(counts.error, 'error'), count(counts.warning, 'warning'), `${counts.info} info`];
  return [...lines, `${what}: ${found.join(', ')}\n`].join('');
}

/** One row, and one for each pair of texts that is not in the message. */
function rowsOf({ severity, code, message, examples, pairs }: Finding): string[][] {
  const shown = code === 'overlapping_intents' ? pairs : [];
  const named = (at: number) => `"${examples[at]!.text}" (${examples[at]!.intent ?? 'counter-example'})`;
  return [
    [severity, code, message],
    ...shown.map(({ first, second, similarity }) => {
      return ['', '', `  ${similarity.toFixed(2)}  ${named(first)} and ${named(second)}`];
    }),
  ];
}
