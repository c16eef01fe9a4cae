import { Option, type Command } from 'commander';
import type { Kshot } from '../../client/index.js';
import { addBotOption, addConnectionOptions, botOf, usageError, withClient } from '../connect.js';
import { slices } from '../importDocument.js';
import type { Context } from '../io.js';
import { wholeNumber } from '../numbers.js';
import { startProgress, type Progress } from '../progress.js';
import { count, table } from '../table.js';
import { readTextFile, TEXT_FORMAT_NAMES, type TextFormatName } from '../textFile.js';

export function addUnlabelledCommand(program: Command, context: Context): void {
  const unlabelled = program
    .command('unlabelled')
    .summary('add, list or clear texts without an intent')
    .description(
      'A bot\'s texts whose intent is not known. "kshot suggest" says which of them are most worth a label.',
    );
  addAddCommand(unlabelled, context);
  addListCommand(unlabelled, context);
  addClearCommand(unlabelled, context);
  unlabelled.addHelpText(
    'after',
    `
Examples:
  $ kshot unlabelled add questions.txt --bot demo
  $ kshot unlabelled list --bot demo
  $ kshot unlabelled clear --bot demo --yes`,
  );
}

function addAddCommand(unlabelled: Command, context: Context): void {
  const command = unlabelled
    .command('add')
    .description(
      'Add texts from a file; those that the bot has already are passed over.\n\n' +
        'Formats: a text a line; CSV with a column "text"; JSON lines {"text": …}. The file\'s name tells the format.',
    )
    .argument('<file>', 'file to read; "-" is standard input');
  addBotOption(command)
    .addOption(new Option('--format <name>', 'read the file as this').choices(TEXT_FORMAT_NAMES))
    .option('--json', 'print the outcome as a JSON object');
  addConnectionOptions(command, context);
  command.action(async (file: string, options: { format?: TextFormatName; json?: true }) => {
    const { io } = context;
    const bot = botOf(command, context);
    const texts = await readTextFile(file, io.stdin, options.format);
    const outcome = await withClient(command, context, (client) =>
      addAll(client, bot, texts, startProgress(io.stderr, 'Adding texts', texts.length)),
    );
    if (options.json === true) {
      io.stdout.write(`${JSON.stringify({ bot, ...outcome })}\n`);
      return;
    }
    const { added, known, dropped, total } = outcome;
    const gone = dropped > 0 ? `, ${dropped} older dropped` : '';
    io.stdout.write(
      `bot ${bot}: ${count(added, 'text')} added, ${known} known${gone}; ${total} unlabelled\n`,
    );
  });
}

async function addAll(client: Kshot, bot: string, texts: readonly string[], bar: Progress) {
  const sum = { added: 0, known: 0, dropped: 0, total: 0 };
  try {
    for (const part of slices(texts)) {
      const { added, known, dropped, total } = await client.unlabelled.add(bot, part);
      sum.added += added;
      sum.known += known;
      sum.dropped += dropped;
      sum.total = total;
      bar.update(sum.added + sum.known);
    }
  } finally {
    bar.stop();
  }
  return sum;
}

function addListCommand(unlabelled: Command, context: Context): void {
  const command = unlabelled.command('list').description('List the texts, in the order in which they came.');
  addBotOption(command)
    .option('--limit <number>', 'how many', wholeNumber(1000), 100)
    .option('--after <id>', 'only those after this one', wholeNumber(Number.MAX_SAFE_INTEGER))
    .option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async ({ limit, after, json }: { limit: number; after?: number; json?: true }) => {
    const { stdout, stderr } = context.io;
    const bot = botOf(command, context);
    const page = await withClient(command, context, (client) =>
      client.unlabelled.list(bot, { limit, after }),
    );
    if (json === true) {
      stdout.write(`${JSON.stringify(page.texts)}\n`);
    } else if (page.total === 0) {
      stdout.write(`Bot ${bot} has none; "kshot unlabelled add FILE --bot ${bot}" adds some.\n`);
    } else {
      const rows = page.texts.map(({ id, source, text }) => [String(id), source, text]);
      stdout.write(table(['ID', 'SOURCE', 'TEXT'], rows, [0]));
    }
    if (page.next !== null) stderr.write(`note: of ${page.total}; go on with --after ${page.next}\n`);
  });
}

function addClearCommand(unlabelled: Command, context: Context): void {
  const command = unlabelled.command('clear').description('Delete all of them, for good.');
  addBotOption(command).option('--yes', 'really');
  addConnectionOptions(command, context);
  command.action(async (options: { yes?: true }) => {
    const bot = botOf(command, context);
    if (options.yes !== true) {
      usageError(command, `this deletes all unlabelled texts of the bot "${bot}" for good; add --yes`);
    }
    const { removed } = await withClient(command, context, (client) => client.unlabelled.deleteAll(bot));
    context.io.stdout.write(`bot ${bot}: ${count(removed, 'text')} deleted\n`);
  });
}
