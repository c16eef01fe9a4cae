import type { Command } from 'commander';
import { addConnectionOptions, usageError, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { table } from '../table.js';

export function addBotsCommand(program: Command, context: Context): void {
  const bots = program
    .command('bots')
    .summary('list or delete bots')
    .description('List the bots, or delete one.');
  addListCommand(bots, context);
  addDeleteCommand(bots, context);
  bots.addHelpText(
    'after',
    `
Examples:
  $ kshot bots
  $ kshot bots --json
  $ kshot bots delete demo --yes`,
  );
}

function addListCommand(bots: Command, context: Context): void {
  const command = bots
    .command('list', { isDefault: true })
    .description('List the bots.')
    .option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async (options: { json?: true }) => {
    const { stdout } = context.io;
    const list = await withClient(command, context, (client) => client.bots.list());
    if (options.json === true) {
      stdout.write(`${JSON.stringify(list)}\n`);
      return;
    }
    if (list.length === 0) {
      stdout.write('There are no bots yet; "kshot import FILE --bot NAME" makes one.\n');
      return;
    }
    const headings = ['BOT', 'INTENTS', 'EXAMPLES', 'COUNTER-EXAMPLES', 'REVISION', 'UPDATED'];
    const rows = list.map((bot) => [
      bot.name,
      String(bot.intents),
      String(bot.examples),
      String(bot.counterexamples),
      String(bot.revision),
      bot.updated_at,
    ]);
    stdout.write(table(headings, rows, [1, 2, 3, 4]));
  });
}

function addDeleteCommand(bots: Command, context: Context): void {
  const command = bots
    .command('delete')
    .description('Delete a bot with all its intents and examples, for good.')
    .argument('<name>', 'the bot')
    .option('--yes', 'really');
  addConnectionOptions(command, context);
  command.action(async (name: string, options: { yes?: true }) => {
    if (options.yes !== true) {
      usageError(
        command,
        `this deletes the bot "${name}" for good; add --yes, after "kshot export --bot ${name}"`,
      );
    }
    await withClient(command, context, (client) => client.bots.delete(name));
    context.io.stdout.write(`bot ${name} is deleted\n`);
  });
}
