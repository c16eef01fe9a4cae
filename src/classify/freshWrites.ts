import { KshotError } from '../errors.js';
import { wrapBotMethods } from './botMethods.js';
import type { ClassifyService } from './service.js';

/** What a bot's writes name, and may not be known here yet. */
const UNKNOWN = ['unknown_bot', 'unknown_intent', 'unknown_version', 'unknown_alias'];

/** Writes to something that there must be. */
const WRITES = [
  'deleteBot',
  'addExamples',
  'editExample',
  'renameIntent',
  'putCounterexamples',
  'addCounterexamples',
  'addUnlabelled',
  'clearUnlabelled',
  'labelUnlabelled',
  'saveVersion',
  'deleteVersion',
  'restoreVersion',
  'putAlias',
  'rollBackAlias',
  'deleteAlias',
  'crossValidate',
  'evaluateTestSet',
] as const satisfies readonly (keyof ClassifyService)[];

/**
 * Has the writes of a service look at what other processes have made before they refuse something as unknown: whoever has been
 * told by one of them that a bot is there, may write to it at the next. A write that is refused so has written nothing.
 *
 * @param catchUp takes over what the store has of a bot.
 */
export function lookBeforeRefusing(service: ClassifyService, catchUp: (bot: string) => Promise<void>): void {
  wrapBotMethods(service, WRITES, (write) => async (bot, ...rest) => {
    try {
      return await write(bot, ...rest);
    } catch (error) {
      if (!(error instanceof KshotError && UNKNOWN.includes(error.code))) throw error;
      await catchUp(bot);
      return write(bot, ...rest);
    }
  });
}
