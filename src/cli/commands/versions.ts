import type { Command } from 'commander';
import { changeList, changesInWords } from '../changeList.js';
import { addBotOption, addConnectionOptions, botOf, usageError, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { count, table } from '../table.js';

export function addVersionsCommand(program: Command, context: Context): void {
  const versions = program
    .command('versions')
    .summary('save, compare or restore versions of a bot')
    .description(
      'A version is a bot as it was, under a name: it never changes, and "kshot classify --version" asks it. "kshot aliases" ' +
        'gives it a second name that can be moved.',
    );
  addListCommand(versions, context);
  addSaveCommand(versions, context);
  addShowCommand(versions, context);
  addChangesCommand(versions, context);
  addRestoreCommand(versions, context);
  addDeleteCommand(versions, context);
  versions.addHelpText(
    'after',
    `
Where a command reads a version, the name of an alias will do.

Examples:
  $ kshot versions --bot demo
  $ kshot versions save v1 --bot demo --note "before the new card intents"
  $ kshot versions changes v1 --bot demo
  $ kshot versions changes v1 --to v2 --bot demo
  $ kshot versions restore v1 --bot demo --yes`,
  );
}

function addListCommand(versions: Command, context: Context): void {
  const command = versions
    .command('list', { isDefault: true })
    .description("List a bot's versions, newest first.");
  addBotOption(command).option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async (options: { json?: true }) => {
    const { stdout } = context.io;
    const bot = botOf(command, context);
    const list = await withClient(command, context, (client) => client.versions.list(bot));
    if (options.json === true) stdout.write(`${JSON.stringify(list)}\n`);
    else if (list.length === 0) {
      stdout.write(`Bot ${bot} has none; "kshot versions save NAME --bot ${bot}" saves it as it is now.\n`);
    } else {
      const headings = ['VERSION', 'REVISION', 'INTENTS', 'EXAMPLES', 'SAVED', 'ALIASES', 'NOTE'];
      const rows = list.map((version) => [
        version.name,
        String(version.revision),
        String(version.intents),
        String(version.examples),
        version.created_at,
        version.aliases.join(', '),
        version.note ?? '',
      ]);
      stdout.write(table(headings, rows, [1, 2, 3]));
    }
  });
}

function addSaveCommand(versions: Command, context: Context): void {
  const command = versions
    .command('save')
    .description('Save a bot as it is now; saving the same revision again changes nothing.')
    .argument('<version>', 'name of the version');
  addBotOption(command)
    .option('--note <text>', 'what is to be said of it')
    .option('--json', 'print the version as a JSON object');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { note?: string; json?: true }) => {
    const bot = botOf(command, context);
    const version = await withClient(command, context, (client) =>
      client.versions.save(bot, name, { note: options.note }),
    );
    print(context, options, version, `bot ${bot}: revision ${version.revision} is saved as ${version.name}`);
  });
}

function addShowCommand(versions: Command, context: Context): void {
  const command = versions
    .command('show')
    .description('Show a version.')
    .argument('<version>', 'the version, or an alias of it');
  addBotOption(command).option('--json', 'print a JSON object');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { json?: true }) => {
    const bot = botOf(command, context);
    const version = await withClient(command, context, (client) => client.versions.get(bot, name));
    const { intents, examples, counterexamples, aliases, note } = version;
    const lines = [
      `bot ${bot}, version ${version.name}: revision ${version.revision}, saved ${version.created_at}`,
      `  ${count(intents, 'intent')}, ${count(examples, 'example')}, ${count(counterexamples, 'counter-example')}`,
      `  head ${version.head}`,
      ...(aliases.length > 0 ? [`  aliases ${aliases.join(', ')}`] : []),
      ...(note === null ? [] : [`  ${note}`]),
    ];
    print(context, options, version, lines.join('\n'));
  });
}

function addChangesCommand(versions: Command, context: Context): void {
  const command = versions
    .command('changes')
    .description('Show what has changed since a version; settings are not compared.')
    .argument('<version>', 'the version, or an alias of it');
  addBotOption(command)
    .option('--to <version>', 'what it is compared with (default: the bot as it is now)')
    .option('--json', 'print a JSON object');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { to?: string; json?: true }) => {
    const { stdout } = context.io;
    const bot = botOf(command, context);
    const changes = await withClient(command, context, (client) =>
      client.versions.changes(bot, name, { to: options.to }),
    );
    if (options.json === true) {
      stdout.write(`${JSON.stringify(changes)}\n`);
      return;
    }
    stdout.write(changeList(changes));
    stdout.write(`bot ${bot}, ${changes.from} to ${changes.to ?? 'now'}: ${changesInWords(changes)}\n`);
  });
}

function addRestoreCommand(versions: Command, context: Context): void {
  const command = versions
    .command('restore')
    .description('Make the bot what a version is, settings included. What it has now is lost unless saved.')
    .argument('<version>', 'the version, or an alias of it');
  addBotOption(command)
    .option('--yes', 'really')
    .option('--json', 'print what the write changed as a JSON object');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { yes?: true; json?: true }) => {
    const bot = botOf(command, context);
    if (options.yes !== true) {
      usageError(
        command,
        `this replaces what the bot "${bot}" has now; add --yes, after "kshot versions save NAME --bot ${bot}"`,
      );
    }
    const result = await withClient(command, context, (client) => client.versions.restore(bot, name));
    const { revision, added, removed } = result;
    const texts = `${count(added.length, 'text')} added, ${removed.length} removed`;
    print(context, options, result, `bot ${bot}, revision ${revision}: as in ${name}, ${texts}`);
  });
}

function addDeleteCommand(versions: Command, context: Context): void {
  const command = versions
    .command('delete')
    .description('Delete a version, for good. One that an alias points at stays.')
    .argument('<version>', 'the version');
  addBotOption(command).option('--yes', 'really');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { yes?: true }) => {
    const bot = botOf(command, context);
    if (options.yes !== true) {
      usageError(command, `this deletes the version "${name}" of the bot "${bot}" for good; add --yes`);
    }
    await withClient(command, context, (client) => client.versions.delete(bot, name));
    context.io.stdout.write(`bot ${bot}: version ${name} is deleted\n`);
  });
}

/** What came of a command: as JSON where that was asked for, else in words. */
function print({ io }: Context, { json }: { readonly json?: true }, outcome: object, words: string): void {
  io.stdout.write(`${json === true ? JSON.stringify(outcome) : words}\n`);
}
