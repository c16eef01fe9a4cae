import { Store } from './store.js';

/** Why the server cannot answer at the moment; undefined while it can. */
export const outage = new Store<string | undefined>(undefined);
