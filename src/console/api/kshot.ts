import { Kshot } from '../../client/index.js';
import { apiKey } from '../state/session.js';

/** What a person would wait for without being told; beyond it the banner says what is the matter. */
const RETRIES = 2;
const MAX_WAIT_MS = 3000;

let made: { readonly key: string | undefined; readonly client: Kshot } | undefined;

/** The server that the page came from, with the key that it has now. */
export function kshot(): Kshot {
  const key = apiKey.get();
  if (made === undefined || made.key !== key) {
    const client = new Kshot({
      url: location.origin,
      apiKey: key,
      retries: RETRIES,
      maxWaitMs: MAX_WAIT_MS,
      retryConnections: false,
      fetch: (...request) => fetch(...request),
    });
    made = { key, client };
  }
  return made.client;
}
