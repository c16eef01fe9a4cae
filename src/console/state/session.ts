import { Store } from './store.js';

const PLACE = 'kshot-api-key';

/**
 * The API key, for as long as the tab is open: it is in no address, in no log and in no storage that outlives the tab.
 */
export const apiKey = new Store<string | undefined>(sessionStorage.getItem(PLACE) ?? undefined);

/** Set while the server wants a key that it has not got; says why. */
export const keyWanted = new Store<string | undefined>(undefined);

/** Whether the server has said that the key may read only. */
export const readOnly = new Store(false);

export function takeKey(key: string): void {
  sessionStorage.setItem(PLACE, key);
  apiKey.set(key);
  keyWanted.set(undefined);
  readOnly.set(false);
}

export function forgetKey(): void {
  sessionStorage.removeItem(PLACE);
  apiKey.set(undefined);
  readOnly.set(false);
  keyWanted.set('The key is forgotten. Give one to go on.');
}
