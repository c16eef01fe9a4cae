import type { Command } from 'commander';
import { addBotOption, addConnectionOptions, botOf, usageError, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { wholeNumber } from '../numbers.js';
import { printable } from '../table.js';

export function addLabelCommand(program: Command, context: Context): void {
  const command = program
    .command('label')
    .summary('say what an unlabelled text means')
    .description(
      'Make an unlabelled text an example of an intent, which must exist, or a counter-example. The next text is ' +
        'classified against it.',
    )
    .argument('<id>', 'the text, as "kshot suggest" lists it', wholeNumber(Number.MAX_SAFE_INTEGER))
    .argument('[intent]', 'what it means');
  addBotOption(command).option('--out-of-scope', "it is none of the bot's business");
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Examples:
  $ kshot label 1042 card_lost --bot demo
  $ kshot label 1043 --out-of-scope --bot demo`,
  );
  command.action(async (id: number, intent: string | undefined, options: { outOfScope?: true }) => {
    const bot = botOf(command, context);
    if ((intent === undefined) === (options.outOfScope === undefined)) {
      usageError(command, 'either an intent or --out-of-scope');
    }
    const { revision, added } = await withClient(command, context, (client) =>
      client.unlabelled.label(bot, id, intent ?? null),
    );
    const text = printable(added[0]?.text ?? '');
    const what = intent === undefined ? 'a counter-example' : `an example of ${printable(intent)}`;
    context.io.stdout.write(`bot ${bot}, revision ${revision}: "${text}" is ${what}\n`);
  });
}
