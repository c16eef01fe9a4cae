import { checkBot } from './checks/checkBot.js';
import type { CheckedBot } from './checks/checkedBot.js';
import { mapBot } from './map/mapBot.js';

/** What bots are looked at for, each from a copy of the bot; may take seconds. */
export const INSPECTIONS = {
  check: checkBot,
  map: mapBot,
} as const satisfies Record<string, (bot: CheckedBot) => unknown>;

export type Inspection = keyof typeof INSPECTIONS;

export type Inspected<I extends Inspection> = ReturnType<(typeof INSPECTIONS)[I]>;
