import { wrapBotMethods } from './botMethods.js';
import type { ClassifyService } from './service.js';

/** What looks into a bot, so that it has to be in memory. The others ask the store, or what is known of all bots. */
const LOOKS_INTO = [
  'classify',
  'getBot',
  'putBot',
  'listIntents',
  'getIntent',
  'putIntents',
  'importBot',
  'deleteIntent',
  'addExamples',
  'removeExample',
  'editExample',
  'renameIntent',
  'getCounterexamples',
  'putCounterexamples',
  'addCounterexamples',
  'removeCounterexample',
  'addUnlabelled',
  'listUnlabelled',
  'removeUnlabelled',
  'clearUnlabelled',
  'labelUnlabelled',
  'suggest',
  'check',
  'map',
  'crossValidate',
  'evaluateTestSet',
  'listVersions',
  'getVersion',
  'saveVersion',
  'deleteVersion',
  'getVersionContents',
  'versionChanges',
  'restoreVersion',
  'listAliases',
  'putAlias',
  'rollBackAlias',
  'deleteAlias',
] as const satisfies readonly (keyof ClassifyService)[];

/**
 * Has the methods of a service find the bot that they are about in memory, from their beginning to their end.
 *
 * @param hold runs work with a bot in memory until it is over, where there is such a bot.
 */
export function holdBots(
  service: ClassifyService,
  hold: (bot: string, work: () => Promise<unknown>) => Promise<unknown>,
): void {
  wrapBotMethods(
    service,
    LOOKS_INTO,
    (method) =>
      (bot, ...rest) =>
        hold(bot, () => method(bot, ...rest)),
  );
}
