import type { Command } from 'commander';
import type { ClassifyResult } from '../../classify/service.js';
import { type Kshot, KshotApiError } from '../../client/index.js';
import { addBotOption, addConnectionOptions, botOf, usageError, withClient } from '../connect.js';
import type { Context, Io } from '../io.js';
import { batchesOfLines, MAX_BATCH, type Batch } from '../lines.js';
import { wholeNumber } from '../numbers.js';
import { ResultPrinter } from '../resultPrinter.js';
import { reworded } from '../serverErrors.js';

interface Options {
  readonly top: number;
  readonly explain?: true;
  readonly json?: true;
  readonly version?: string;
}

export function addClassifyCommand(program: Command, context: Context): void {
  const command = program
    .command('classify')
    .summary('classify texts')
    .description('Classify texts: those given, or the lines of standard input.')
    .argument('[text...]', 'texts; none or "-" reads standard input, a text a line');
  addBotOption(command)
    .option('--top <number>', 'intents in the ranking', wholeNumber(9999), 3)
    .option('--explain', 'say why')
    .option('--version <name>', 'ask this version of the bot, or this alias (default: the bot as it is now)')
    .option('--json', 'print a JSON object a text');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Examples:
  $ kshot classify --bot demo "i lost my card"
  $ kshot classify --bot demo --json < questions.txt
  $ kshot classify --bot demo --version production "i lost my card"
  $ kshot classify --bot demo -- "--is this a text? yes, after --"`,
  );
  command.action(async (texts: string[], options: Options) => {
    const bot = botOf(command, context);
    const { io } = context;
    if (texts.includes('-') && texts.length > 1) {
      usageError(command, 'either texts or "-" for standard input, not both');
    }
    const fromStdin = texts.length === 0 || texts[0] === '-';
    if (fromStdin && io.stdin.isTTY === true) {
      io.stderr.write('Reading standard input, a text a line; Ctrl-D ends it.\n');
    }
    const batches = fromStdin ? batchesOfLines(io.stdin) : batchesOf(texts);
    await withClient(command, context, (client) => classifyAll(client, bot, batches, options, io));
  });
}

async function classifyAll(
  client: Kshot,
  bot: string,
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  options: Options,
  io: Io,
): Promise<void> {
  const printer = new ResultPrinter(io.stdout);
  let emptyLines = 0;
  for await (const batch of batches) {
    emptyLines += batch.emptyLines;
    if (batch.texts.length === 0) continue;
    const results = await classifyBatch(client, bot, batch, options);
    for (const result of results) {
      if (options.json === true) io.stdout.write(`${JSON.stringify(result)}\n`);
      else printer.print(result);
    }
  }
  if (emptyLines > 0) io.stderr.write(`note: skipped ${emptyLines} empty line${emptyLines > 1 ? 's' : ''}\n`);
}

async function classifyBatch(
  client: Kshot,
  bot: string,
  batch: Batch,
  { top, explain, version }: Options,
): Promise<ClassifyResult[]> {
  try {
    return await client.classify(bot, batch.texts, {
      top,
      explain: explain === true,
      ...(version && { version }),
    });
  } catch (error) {
    // A place in the request means nothing to somebody who wrote a file.
    const at = error instanceof KshotApiError ? /^texts\.(\d+)$/.exec(error.fields[0]?.field ?? '') : null;
    const line = at === null ? undefined : batch.lines?.[Number(at[1])];
    if (!(error instanceof KshotApiError) || line === undefined) throw error;
    throw reworded(error, `line ${line} of standard input ${error.fields[0]?.message ?? error.message}`);
  }
}

function* batchesOf(texts: readonly string[]): Iterable<Batch> {
  for (let at = 0; at < texts.length; at += MAX_BATCH) {
    yield { texts: texts.slice(at, at + MAX_BATCH), emptyLines: 0 };
  }
}
