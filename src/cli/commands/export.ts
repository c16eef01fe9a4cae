import { Option, type Command } from 'commander';
import type { Kshot } from '../../client/index.js';
import { type BotDocument, documentOf } from '../../formats/document.js';
import { EXPORT_FORMATS, exportLosses, readBot, writeBot, type ExportFormat } from '../../formats/formats.js';
import { addBotOption, addConnectionOptions, botOf, withClient } from '../connect.js';
import { formatOfName } from '../importExport.js';
import type { Context } from '../io.js';
import { writeOutput } from '../writeOutput.js';
import { inWords, summaryOf } from './import.js';

interface Options {
  readonly format?: ExportFormat;
  readonly language?: string;
  readonly output?: string;
  readonly version?: string;
}

export function addExportCommand(program: Command, context: Context): void {
  const command = program
    .command('export')
    .summary("write a bot's intents to a file")
    .description(
      'Write the intents, examples, descriptions and counter-examples of a bot as a file that "kshot import" ' +
        'reads. The settings of the bot (head, threshold) are not part of it.',
    );
  addBotOption(command)
    .addOption(
      new Option('--format <name>', "format (default: what the file's name tells, else jsonl)").choices(
        EXPORT_FORMATS,
      ),
    )
    .option('--language <tag>', 'language of the texts, which a CLU project names (default: en-us)')
    .option('--version <name>', 'this version of the bot, or alias of it (default: the bot as it is now)')
    .option('--output <file>', 'file to write, replaced if it is there (default: standard output)');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Examples:
  $ kshot export --bot demo --output demo.csv
  $ kshot export --bot demo --format rasa
  $ kshot export --bot demo --version v1 --output demo-v1.jsonl
  $ kshot export --bot demo --format clu --language de-de --output demo.json`,
  );
  command.action(async (options: Options) => {
    const { io } = context;
    const bot = botOf(command, context);
    const { output, language, version } = options;
    const format = options.format ?? (output === undefined ? undefined : formatOfName(output)) ?? 'jsonl';
    const document = await withClient(command, context, (client) => readDocument(client, bot, version));
    const text = writeBot(document, format, language === undefined ? {} : { language });
    for (const loss of exportLosses(document, format)) io.stderr.write(`note: ${loss}\n`);
    if (output === undefined) io.stdout.write(text);
    else {
      await writeOutput(output, text);
      io.stderr.write(`${output}: ${inWords(summaryOf({ document }))}\n`);
    }
  });
}

async function readDocument(client: Kshot, bot: string, version: string | undefined): Promise<BotDocument> {
  if (version !== undefined) {
    const content = await client.export(bot, { format: 'jsonl', version });
    return (await readBot(Buffer.from(content), { format: 'jsonl' })).document;
  }
  return documentOf(
    await client.intents.list(bot, { examples: true }),
    await client.counterexamples.list(bot),
  );
}
