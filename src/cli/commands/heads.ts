import type { Command } from 'commander';
import type { HeadSummary } from '../../classify/service.js';
import { addConnectionOptions, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { count, table } from '../table.js';

export function addHeadsCommand(program: Command, context: Context): void {
  const heads = program
    .command('heads')
    .summary('list heads, or reload trained ones')
    .description(
      'List the heads that bots may choose from, or have a running server read the trained ones anew.',
    );
  addListCommand(heads, context);
  addReloadCommand(heads, context);
  heads.addHelpText(
    'after',
    `
Examples:
  $ kshot heads
  $ kshot heads --json
  $ kshot heads reload`,
  );
}

function addListCommand(heads: Command, context: Context): void {
  const command = heads
    .command('list', { isDefault: true })
    .description('List the heads.')
    .option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async (options: { json?: true }) => {
    const { stdout } = context.io;
    const list = await withClient(command, context, (client) => client.heads.list());
    if (options.json === true) {
      stdout.write(`${JSON.stringify(list)}\n`);
      return;
    }
    const rows = list.map((head) => [
      head.default ? `${head.name} (default)` : head.name,
      head.kind,
      String(head.bots),
      head.training?.weights?.slice(0, 12) ?? '',
      stateOf(head),
    ]);
    stdout.write(table(['HEAD', 'KIND', 'BOTS', 'WEIGHTS', 'STATE'], rows, [2]));
  });
}

function stateOf({ available, reason }: HeadSummary): string {
  if (reason === null) return 'available';
  return available ? `former weights: ${reason}` : `not available: ${reason}`;
}

function addReloadCommand(heads: Command, context: Context): void {
  const command = heads
    .command('reload')
    .description(
      'Have a running server read the trained heads anew; it answers by the former ones until then.',
    )
    .option('--json', 'print a JSON object');
  addConnectionOptions(command, context);
  command.action(async (options: { json?: true }) => {
    const { stdout } = context.io;
    const reload = await withClient(command, context, (client) => client.heads.reload());
    if (options.json === true) {
      stdout.write(`${JSON.stringify(reload)}\n`);
      return;
    }
    for (const { head, change, reason } of reload.changes) {
      stdout.write(`${head}: ${change}${reason === null ? '' : `: ${reason}`}\n`);
    }
    if (reload.changes.length === 0) stdout.write('nothing has changed\n');
    stdout.write(`${count(reload.bots_renewed, 'bot')} renewed\n`);
  });
}
