import { type Command, Option } from 'commander';
import type { KeyAccess, KeySummary } from '../../keys/keyTypes.js';
import { addConnectionOptions, usageError, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { positiveNumber, wholeNumber } from '../numbers.js';
import { table } from '../table.js';

export function addKeysCommand(program: Command, context: Context): void {
  const keys = program
    .command('keys')
    .summary('list, create or revoke API keys')
    .description(
      'API keys that the store has, besides those of the settings. A key that writes to all bots manages keys. Without a running ' +
        'server whoever has the data folder may, which is the way back in.',
    );
  addListCommand(keys, context);
  addCreateCommand(keys, context);
  addRevokeCommand(keys, context);
  keys.addHelpText(
    'after',
    `
The first key closes a server that was open: it must be one with --access write
and for all bots. The secret is on standard output, once.

Examples:
  $ kshot keys create admin --access write
  $ kshot keys create "support chat" --bots bank,shop --rate 20
  $ kshot keys
  $ kshot keys revoke 2 --yes`,
  );
}

function addListCommand(keys: Command, context: Context): void {
  const command = keys
    .command('list', { isDefault: true })
    .description('List the keys, without their secrets.')
    .option('--json', 'print a JSON array');
  addConnectionOptions(command, context);
  command.action(async (options: { json?: true }) => {
    const { stdout } = context.io;
    const list = await withClient(command, context, (client) => client.keys.list());
    if (options.json === true) stdout.write(`${JSON.stringify(list)}\n`);
    else if (list.length === 0) stdout.write('There are none; "kshot keys create" makes one.\n');
    else {
      const headings = ['ID', 'NAME', 'KEY', 'ACCESS', 'BOTS', 'RATE', 'CREATED', 'LAST USED', 'REVOKED'];
      const rows = list.map((key) => [
        String(key.id),
        key.name,
        `${key.hint}…`,
        key.access,
        botsOf(key),
        key.rate === null ? '' : `${key.rate}/s`,
        key.created_at,
        key.last_used_at ?? '',
        key.revoked_at ?? '',
      ]);
      stdout.write(table(headings, rows, [0, 5]));
    }
  });
}

function addCreateCommand(keys: Command, context: Context): void {
  const command = keys
    .command('create')
    .description('Create a key, and print its secret.')
    .argument('<name>', 'what it is for')
    .addOption(
      new Option('--access <access>', 'read covers classifying, write covers read')
        .choices(['read', 'write'])
        .default('read'),
    )
    .option('--bots <names>', 'comma-separated bots that it is for (default: all)')
    .option('--rate <number>', 'requests a second (default: as many as come)', positiveNumber)
    .option('--json', 'print the key as a JSON object');
  addConnectionOptions(command, context);
  command.action(
    async (name: string, options: { access: KeyAccess; bots?: string; rate?: number; json?: true }) => {
      const { stdout, stderr } = context.io;
      const request = {
        name,
        access: options.access,
        bots: options.bots?.split(',').map((bot) => bot.trim()),
        rate: options.rate,
      };
      const key = await withClient(command, context, (client) => client.keys.create(request));
      if (options.json === true) stdout.write(`${JSON.stringify(key)}\n`);
      else {
        stdout.write(`${key.secret}\n`);
        stderr.write(`key ${key.id}, ${key.name}: ${key.access}, ${botsOf(key)}; it cannot be shown again\n`);
      }
      if (key.notice !== null) stderr.write(`note: ${key.notice}\n`);
    },
  );
}

function addRevokeCommand(keys: Command, context: Context): void {
  const command = keys
    .command('revoke')
    .description('Put a key out of force, at once and for good.')
    .argument('<id>', 'its id, as "kshot keys" lists it', wholeNumber())
    .option('--yes', 'really');
  addConnectionOptions(command, context);
  command.action(async (id: number, options: { yes?: true }) => {
    if (options.yes !== true) usageError(command, `this puts the key ${id} out of force for good; add --yes`);
    const key = await withClient(command, context, (client) => client.keys.revoke(id));
    context.io.stdout.write(`key ${key.id}, ${key.name}: revoked\n`);
  });
}

function botsOf({ bots }: KeySummary): string {
  return bots === null ? 'all bots' : bots.join(', ');
}
