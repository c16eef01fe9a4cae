import { Option, type Command } from 'commander';
import { addBotOption, addConnectionOptions, botOf, withClient } from '../connect.js';
import {
  FORMAT_NAMES,
  readBot,
  readBotFile,
  readBounded,
  type FileReading,
  type FormatName,
} from '../importExport.js';
import { importDocument, type ImportOutcome } from '../importDocument.js';
import type { Context } from '../io.js';
import { startProgress } from '../progress.js';
import { count } from '../table.js';

interface Options {
  readonly format?: FormatName;
  readonly dryRun?: true;
  readonly prune?: true;
  readonly json?: true;
}

const FORMAT_WORDS: Record<FormatName, string> = { csv: 'CSV', jsonl: 'JSON lines', rasa: 'Rasa NLU YAML' };

export function addImportCommand(program: Command, context: Context): void {
  const command = program
    .command('import')
    .summary('add intents from a file to a bot')
    .description(
      'Create or replace the intents that a file holds; the bot is created if need be. Intents that the file ' +
        'does not name stay. If it holds counter-examples, they replace those of the bot.\n\n' +
        'Formats: CSV with a header "intent,text"; JSON lines {"intent": …, "text": …}; Rasa NLU YAML. The ' +
        'content tells the format.',
    )
    .argument('<file>', 'file to read; "-" is standard input');
  addBotOption(command)
    .addOption(new Option('--format <name>', 'read the file as this').choices(FORMAT_NAMES))
    .option('--dry-run', 'read and check the file, write nothing')
    .option('--prune', 'delete what the bot has and the file has not, so that the bot is what the file says')
    .option('--json', 'print the outcome as a JSON object');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Up to 1000 examples are one transaction. A longer file is written in several; if
that breaks off, import it again.

Examples:
  $ kshot import data/demo.yml --bot demo
  $ kshot import nlu.yml --bot bank --dry-run
  $ kshot export --bot bank | kshot import - --bot bank-copy`,
  );
  command.action(async (file: string, options: Options) => {
    const { io } = context;
    // A dry run needs no bot, so that a file can be checked before anything is decided.
    const bot = options.dryRun === true ? undefined : botOf(command, context);
    const reading = await readInput(file, options.format, context);
    const summary = summaryOf(reading);
    if (options.json !== true) {
      io.stdout.write(`${file}: ${FORMAT_WORDS[reading.format]}, ${inWords(summary)}\n`);
      for (const note of reading.notes) io.stderr.write(`note: ${note}\n`);
    }
    let outcome: ImportOutcome | undefined;
    if (bot !== undefined) {
      outcome = await withClient(command, context, (client) =>
        importDocument(client, bot, reading.document, {
          prune: options.prune === true,
          progress: (total) => startProgress(io.stderr, 'Importing texts', total),
        }),
      );
    }
    if (options.json === true) {
      const { format, notes } = reading;
      const result = { bot: bot ?? null, dry_run: bot === undefined, format, ...summary, notes, ...outcome };
      io.stdout.write(`${JSON.stringify(result)}\n`);
    } else io.stdout.write(bot === undefined ? 'dry run: nothing was written\n' : told(bot, outcome));
  });
}

async function readInput(
  file: string,
  format: FormatName | undefined,
  { io }: Context,
): Promise<FileReading> {
  const override = format === undefined ? {} : { format };
  if (file !== '-') return readBotFile(file, override);
  return readBot(await readBounded(io.stdin), { ...override, file: 'standard input' });
}

interface Summary {
  readonly intents: number;
  readonly examples: number;
  readonly counterexamples: number;
}

export function summaryOf({ document }: Pick<FileReading, 'document'>): Summary {
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

function told(bot: string, outcome: ImportOutcome | undefined): string {
  if (outcome === undefined) return '';
  const { revision, added, removed, pruned_intents: pruned } = outcome;
  const parts = [`${count(added, 'text')} added`, `${removed} removed`];
  if (pruned.length > 0) parts.push(`${count(pruned.length, 'intent')} deleted (${pruned.join(', ')})`);
  return `bot ${bot}, revision ${revision}: ${parts.join(', ')}\n`;
}
