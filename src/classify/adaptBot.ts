import { type CalibrationModel, sharpnessOf } from '../heads/calibration.js';
import type { HeadVersion } from '../heads/version.js';
import type { Adapter } from './adapter.js';
import type { LiveBot } from './liveBot.js';
import type { BotSupport } from './supportSet.js';

export interface Adaptable {
  /** What the adapter knows the bot by. */
  readonly name: string;
  readonly bot: LiveBot;
  readonly adapter: Adapter;
  readonly model: CalibrationModel;
  /** The support set as a head is to adapt to it: with unlabelled texts, where it reads them. */
  readonly beside: (support: BotSupport, head: HeadVersion) => Promise<BotSupport>;
  /** Whether anybody still wants to know. */
  readonly isWanted: () => boolean;
  /** Told when the bot has taken over what was learned. */
  readonly adapted: (milliseconds: number) => void;
}

/**
 * Has a worker adapt a bot's head to its support set, then fit its calibration. A write that comes between begins anew, and
 * what was learned until then is kept for the intents that it leaves alone.
 *
 * @returns whether nothing more is to be learned from the bot as it is.
 * @throws what the head throws.
 */
export async function adaptBot(adaptable: Adaptable): Promise<boolean> {
  const { name, bot, adapter, model, beside, isWanted } = adaptable;
  const adaptation = bot.adaptation();
  if (adaptation === undefined) return true;
  const { head } = bot;
  const job = { head, support: await beside(adaptation.support, head) };

  if (!isWanted()) return false;
  const adapted = await adapter.run(name, { ...job, task: 'adapt' });
  if (adapted === undefined || !isWanted()) return false;
  if (adapted.state !== undefined) {
    bot.adopt(adapted.state, adaptation);
    adaptable.adapted(adapted.milliseconds);
  }
  if (!bot.isBasedOn(adaptation)) return false;
  const sharpness = sharpnessOf(model, head.name);
  const calibrated = await adapter.run(name, { ...job, task: 'calibrate', sharpness });
  if (calibrated === undefined || !isWanted()) return false;
  if (calibrated.calibration !== undefined) bot.calibrate(calibrated.calibration, adaptation);
  return bot.isBasedOn(adaptation);
}
