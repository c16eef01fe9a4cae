import { Option, type Command } from 'commander';
import type { SuggestedText } from '../../classify/service.js';
import {
  DEFAULT_STRATEGY,
  SUGGESTION_STRATEGIES,
  type SuggestionStrategy,
} from '../../classify/suggestionStrategies.js';
import { addBotOption, addConnectionOptions, botOf, withClient } from '../connect.js';
import type { Context } from '../io.js';
import { wholeNumber } from '../numbers.js';
import { table } from '../table.js';

interface Options {
  readonly strategy: SuggestionStrategy;
  readonly limit: number;
  readonly json?: true;
}

export function addSuggestCommand(program: Command, context: Context): void {
  const command = program
    .command('suggest')
    .summary('say which texts to label next')
    .description(
      "List the bot's unlabelled texts that are most worth a label, best first, with what the bot takes them for.",
    );
  addBotOption(command)
    .addOption(
      new Option('--strategy <name>', 'what makes a text worth a label')
        .choices(SUGGESTION_STRATEGIES)
        .default(DEFAULT_STRATEGY),
    )
    .option('--limit <number>', 'how many', wholeNumber(100), 10)
    .option('--json', 'print a JSON object');
  addConnectionOptions(command, context);
  command.addHelpText(
    'after',
    `
Examples:
  $ kshot suggest --bot demo
  $ kshot suggest --bot demo --strategy committee --limit 50
  $ kshot label 1042 card_lost --bot demo`,
  );
  command.action(async ({ strategy, limit, json }: Options) => {
    const { stdout } = context.io;
    const bot = botOf(command, context);
    const found = await withClient(command, context, (client) => client.suggest(bot, { strategy, limit }));
    if (json === true) {
      stdout.write(`${JSON.stringify(found)}\n`);
    } else if (found.suggestions.length === 0) {
      stdout.write(
        `Bot ${bot} has no unlabelled texts; "kshot unlabelled add FILE --bot ${bot}" adds some.\n`,
      );
    } else {
      const headings = ['ID', 'SCORE', 'IN SCOPE', 'BEST GUESS', 'TEXT'];
      stdout.write(table(headings, found.suggestions.map(rowOf), [0, 1, 2]));
    }
  });
}

function rowOf({ id, score, in_scope, ranking, text }: SuggestedText): string[] {
  const [best] = ranking;
  const guess = best === undefined ? '' : `${best.intent} ${best.confidence.toFixed(2)}`;
  return [String(id), score.toFixed(3), in_scope.toFixed(2), guess, text];
}
