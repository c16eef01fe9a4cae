import type { IconName } from '../parts/icons.js';
import type { BotScreen, ServerScreen } from '../routes.js';

/** How screens are called, and the key that after `g` leads to each. */
export const SCREENS: Readonly<
  Record<ServerScreen | BotScreen, { readonly name: string; readonly icon: IconName; readonly key: string }>
> = {
  bots: { name: 'Bots', icon: 'intents', key: 'b' },
  jobs: { name: 'Jobs', icon: 'evaluations', key: 'j' },
  keys: { name: 'API keys', icon: 'key', key: 'k' },
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
