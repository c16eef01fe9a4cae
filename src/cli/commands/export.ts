import { writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { KshotError } from '../../errors.js';
import { type BotDocument, documentOf } from '../../formats/document.js';
import { EXPORT_FORMATS, exportLosses, readBot, writeBot, type ExportFormat } from '../../formats/formats.js';
import type { KshotClient } from '../client.js';
import { addBotOption, addConnectionOptions, botOf, withClient } from '../connect.js';
import { formatOfName, isSystemError, systemReason } from '../importExport.js';
import type { Context } from '../io.js';
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

async function readDocument(
  client: KshotClient,
  bot: string,
  version: string | undefined,
): Promise<BotDocument> {
  if (version !== undefined) {
    const content = await client.exportVersion(bot, version);
    return (await readBot(Buffer.from(content), { format: 'jsonl' })).document;
  }
  return documentOf(await client.listIntents(bot), await client.listCounterexamples(bot));
}

async function writeOutput(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const message = `${file} cannot be written: ${systemReason(error)}`;
    throw new KshotError('invalid_file', message, { cause: error });
  }
}
