import type { Command } from 'commander';
import type { ImportResult } from '../../classify/service.js';
import type { BotDocument } from '../../formats/document.js';
import { FORMAT_WORDS, writeBot } from '../../formats/formats.js';
import { changeList, changesInWords } from '../changeList.js';
import { addBotOption, addConnectionOptions, botOf, usageError, withClient } from '../connect.js';
import { importInParts, type ImportOutcome } from '../importDocument.js';
import type { Context } from '../io.js';
import { startProgress } from '../progress.js';
import { addReadingOptions, readInput, type ReadingOptions } from '../readInput.js';
import { count } from '../table.js';

interface Options extends ReadingOptions {
  readonly bot?: string;
  readonly dryRun?: true;
  readonly prune?: true;
  readonly inParts?: true;
  readonly json?: true;
}

export function addImportCommand(program: Command, context: Context): void {
  const command = program
    .command('import')
    .summary('add intents from a file to a bot')
    .description(
      'Create or replace the intents that a file holds, all or nothing; the bot is created if need be. Intents that the ' +
        'file does not name stay. If it holds counter-examples, they replace those of the bot.\n\n' +
        'Formats: a kshot document; CSV with a header "intent,text"; JSON lines {"intent": …, "text": …}; Rasa NLU YAML; ' +
        "agents of Dialogflow ES and CX (ZIP); projects of Azure's conversational language understanding; workspaces and " +
        'CSV of Watson Assistant; routes of semantic-router. The content tells the format.',
    )
    .argument('<file>', 'file to read; "-" is standard input');
  addReadingOptions(addBotOption(command))
    .option(
      '--dry-run',
      'write nothing: say what would change in the bot, or without --bot what the file holds',
    )
    .option('--prune', 'delete what the bot has and the file has not, so that the bot is what the file says')
    .option('--in-parts', 'write a file that is too long for one import in several; not all or nothing')
    .option('--json', 'print the outcome as a JSON object');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
One import takes 20,000 examples, or as many as the server's
--max-examples-per-write says. A longer file is written with --in-parts, 1000
examples at a time; if that breaks off, import it again.

Examples:
  $ kshot import data/demo.yml --bot demo
  $ kshot import agent.zip --bot bank --language de --dry-run
  $ kshot export --bot bank | kshot import - --bot bank-copy`,
  );
  command.action((file: string, options: Options) => importFile(command, file, options, context));
}

async function importFile(command: Command, file: string, options: Options, context: Context): Promise<void> {
  const { io } = context;
  const dryRun = options.dryRun === true;
  const prune = options.prune === true;
  if (dryRun && options.inParts === true) usageError(command, '--dry-run and --in-parts do not go together');
  // Without a bot a dry run only reads the file, so that it can be checked before anything is decided.
  const named = options.bot ?? io.env['KSHOT_BOT'] ?? '';
  const bot = dryRun && named === '' ? undefined : botOf(command, context);

  const reading = await readInput(file, options, context);
  const summary = summaryOf(reading);
  if (options.json !== true) {
    io.stdout.write(`${file}: ${FORMAT_WORDS[reading.format]}, ${inWords(summary)}\n`);
    for (const note of reading.notes) io.stderr.write(`note: ${note}\n`);
  }
  let result: ImportResult | undefined;
  let outcome: ImportOutcome | undefined;
  if (bot !== undefined) {
    const { document } = reading;
    await withClient(command, context, async (client) => {
      if (options.inParts !== true) {
        result = await client.import(bot, writeBot(document, 'jsonl'), { format: 'jsonl', prune, dryRun });
      } else {
        const progress = (total: number) => startProgress(io.stderr, 'Importing texts', total);
        outcome = await importInParts(client, bot, document, { prune, progress });
      }
    });
  }
  if (options.json === true) {
    const { format, notes, language, languagesLeftOut } = reading;
    const read = { format, language: language ?? null, languages_left_out: languagesLeftOut ?? [] };
    const told = { bot: bot ?? null, dry_run: dryRun, ...read, file: summary, notes, ...result, ...outcome };
    io.stdout.write(`${JSON.stringify(told)}\n`);
    return;
  }
  if (result !== undefined && dryRun) io.stdout.write(changeList(result));
  if (result !== undefined) {
    io.stdout.write(`bot ${result.bot}, revision ${result.revision}: ${changesInWords(result)}\n`);
  }
  if (bot !== undefined && outcome !== undefined) io.stdout.write(told(bot, outcome));
  if (dryRun)
    io.stdout.write(
      `dry run: nothing was written${bot === undefined ? '; --bot says what would change' : ''}\n`,
    );
}

interface Summary {
  readonly intents: number;
  readonly examples: number;
  readonly counterexamples: number;
}

export function summaryOf({ document }: { readonly document: BotDocument }): Summary {
  return {
    intents: document.intents.length,
    examples: document.intents.reduce((sum, { examples }) => sum + examples.length, 0),
    counterexamples: document.counterexamples.length,
  };
}

export function inWords({ intents, examples, counterexamples }: Summary): string {
  return [
    count(intents, 'intent'),
    count(examples, 'example'),
    count(counterexamples, 'counter-example'),
  ].join(', ');
}

function told(bot: string, { revision, added, removed, pruned_intents: pruned }: ImportOutcome): string {
  const parts = [`${count(added, 'text')} added`, `${removed} removed`];
  if (pruned.length > 0) parts.push(`${count(pruned.length, 'intent')} deleted (${pruned.join(', ')})`);
  return `bot ${bot}, revision ${revision}: ${parts.join(', ')}\n`;
}
