import { navigate as push, usePathname } from 'wouter/use-browser-location';

/** The screens of no bot, in the order of the navigation; each is an address. */
export const SERVER_SCREENS = ['bots', 'jobs', 'keys'] as const;
export type ServerScreen = (typeof SERVER_SCREENS)[number];

/** The screens of a bot, in the order of the navigation; each is a segment of the address. */
export const BOT_SCREENS = [
  'intents',
  'try',
  'map',
  'review',
  'files',
  'checks',
  'evaluations',
  'versions',
  'settings',
] as const;
export type BotScreen = (typeof BOT_SCREENS)[number];

/** An address of the console. `item` is an intent of `intents`, the id of an evaluation, a version. */
export type Place =
  | { readonly screen: ServerScreen }
  | { readonly screen: BotScreen; readonly bot: string; readonly item?: string }
  | { readonly screen: 'counterexamples'; readonly bot: string }
  | { readonly screen: 'nowhere' };

export function hrefOf(place: Exclude<Place, { screen: 'nowhere' }>): string {
  if (!('bot' in place)) return `/${place.screen}`;
  const segments = ['bots', place.bot, place.screen, ...('item' in place && place.item ? [place.item] : [])];
  return `/${segments.map(encodeURIComponent).join('/')}`;
}

/** The inverse of `hrefOf`. Segments are decoded one by one: a slash or a per cent sign may be part of an intent's name. */
export function placeOf(pathname: string): Place {
  let segments: string[];
  try {
    segments = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return { screen: 'nowhere' };
  }
  const [root, bot, screen = 'intents', item, ...rest] = segments;
  if (root === undefined) return { screen: 'bots' };
  const ofServer = SERVER_SCREENS.find((name) => name === root);
  if (ofServer !== undefined && bot === undefined) return { screen: ofServer };
  if (root !== 'bots' || bot === undefined || rest.length > 0) return { screen: 'nowhere' };
  if (screen === 'counterexamples' && item === undefined) return { screen, bot };
  const known = BOT_SCREENS.find((name) => name === screen);
  if (known === undefined) return { screen: 'nowhere' };
  return item === undefined ? { screen: known, bot } : { screen: known, bot, item };
}

export function usePlace(): Place {
  return placeOf(usePathname());
}

export function go(to: string, options: { readonly replace?: boolean } = {}): void {
  push(to, options);
}
