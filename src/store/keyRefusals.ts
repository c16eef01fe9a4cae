import { KshotError } from '../errors.js';
import { MAX_KEYS } from './store.js';

// What every backend refuses of API keys.

/** @throws KshotError `too_many_keys`. */
export function checkKeyCount(inForce: number): void {
  if (inForce < MAX_KEYS) return;
  throw new KshotError('too_many_keys', `There are ${MAX_KEYS} API keys in force; revoke some first`);
}

export function unknownKey(id: number): KshotError {
  return new KshotError('unknown_key', `There is no API key ${id}; GET /v1/keys lists them`);
}

export function lastManagingKey(id: number): KshotError {
  return new KshotError(
    'no_managing_key',
    `The API key ${id} is the last that may manage keys; make another one that writes to all bots first`,
  );
}
