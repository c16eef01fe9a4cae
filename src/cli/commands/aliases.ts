import type { Command } from 'commander';
import type { AliasSummary } from '../../classify/versionTypes.js';
import { addBotOption, addConnectionOptions, botOf, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { table } from '../table.js';

export function addAliasesCommand(program: Command, context: Context): void {
  const aliases = program
    .command('aliases')
    .summary('point names such as "production" at versions of a bot')
    .description(
      'An alias is a name that points at a version, and can be moved in one step: requests that name it are answered by the ' +
        'one version or the other, and by none in between.',
    );
  addListCommand(aliases, context);
  addSetCommand(aliases, context);
  addRollbackCommand(aliases, context);
  addDeleteCommand(aliases, context);
  aliases.addHelpText(
    'after',
    `
Examples:
  $ kshot aliases --bot demo
  $ kshot aliases set production v2 --bot demo
  $ kshot aliases rollback production --bot demo
  $ kshot classify --bot demo --version production "i lost my card"`,
  );
}

function addListCommand(aliases: Command, context: Context): void {
  const command = aliases.command('list', { isDefault: true }).description("List a bot's aliases.");
  addBotOption(command).option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async (options: { json?: true }) => {
    const { stdout } = context.io;
    const bot = botOf(command, context);
    const list = await withClient(command, context, (client) => client.aliases.list(bot));
    if (options.json === true) stdout.write(`${JSON.stringify(list)}\n`);
    else if (list.length === 0) {
      stdout.write(`Bot ${bot} has none; "kshot aliases set NAME VERSION --bot ${bot}" makes one.\n`);
    } else {
      const rows = list.map(({ name, version, moved_at: at, history }) => [
        name,
        version,
        at,
        history[0]?.version ?? '',
      ]);
      stdout.write(table(['ALIAS', 'VERSION', 'MOVED', 'BEFORE'], rows, []));
    }
  });
}

function addSetCommand(aliases: Command, context: Context): void {
  const command = aliases
    .command('set')
    .description('Have an alias point at a version; it is made where there is none.')
    .argument('<alias>', 'name of the alias')
    .argument('<version>', 'the version, or an alias of it');
  addBotOption(command).option('--json', 'print the alias as a JSON object');
  addConnectionOptions(command, context);
  command.action(async (name: string, version: string, options: { json?: true }) => {
    const bot = botOf(command, context);
    const alias = await withClient(command, context, (client) => client.aliases.set(bot, name, version));
    print(context, bot, alias, options);
  });
}

function addRollbackCommand(aliases: Command, context: Context): void {
  const command = aliases
    .command('rollback')
    .description('Have an alias point where it pointed before it was last moved.')
    .argument('<alias>', 'the alias');
  addBotOption(command).option('--json', 'print the alias as a JSON object');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { json?: true }) => {
    const bot = botOf(command, context);
    const alias = await withClient(command, context, (client) => client.aliases.rollback(bot, name));
    print(context, bot, alias, options);
  });
}

function addDeleteCommand(aliases: Command, context: Context): void {
  const command = aliases
    .command('delete')
    .description('Delete an alias; the versions stay.')
    .argument('<alias>', 'the alias');
  addBotOption(command);
  addConnectionOptions(command, context);
  command.action(async (name: string) => {
    const bot = botOf(command, context);
    await withClient(command, context, (client) => client.aliases.delete(bot, name));
    context.io.stdout.write(`bot ${bot}: alias ${name} is deleted\n`);
  });
}

function print(context: Context, bot: string, alias: AliasSummary, { json }: { readonly json?: true }): void {
  const words = `bot ${bot}: ${alias.name} points at ${alias.version}`;
  context.io.stdout.write(`${json === true ? JSON.stringify(alias) : words}\n`);
}
