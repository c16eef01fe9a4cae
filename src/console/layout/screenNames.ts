import type { IconName } from '../parts/icons.js';
import type { BotScreen } from '../routes.js';

/** How the screens of a bot are called, and the key that after `g` leads to each. */
export const SCREENS: Readonly<
  Record<BotScreen, { readonly name: string; readonly icon: IconName; readonly key: string }>
> = {
  intents: { name: 'Intents', icon: 'intents', key: 'i' },
  try: { name: 'Try it', icon: 'try', key: 't' },
  map: { name: 'Map', icon: 'map', key: 'm' },
  review: { name: 'Review', icon: 'review', key: 'r' },
  files: { name: 'Import / Export', icon: 'files', key: 'f' },
  checks: { name: 'Checks', icon: 'checks', key: 'c' },
  evaluations: { name: 'Evaluations', icon: 'evaluations', key: 'e' },
  versions: { name: 'Versions', icon: 'versions', key: 'v' },
  settings: { name: 'Settings', icon: 'settings', key: 's' },
};
