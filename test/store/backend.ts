import { afterEach, beforeEach } from '@jest/globals';
import type { Store } from '../../src/store/store.js';

export interface Backend {
  /** Opens the store, again after it was closed. */
  open(): Promise<Store>;
  /** Removes all that was stored. */
  destroy(): Promise<void>;
}

/**
 * Opens the store of a new backend before each test, and removes it after. To be called in a `describe`, before its own hooks.
 *
 * @param take is given the store whenever it is opened.
 * @returns `reopen`, which closes it and opens it again.
 */
export function useBackend(
  createBackend: () => Promise<Backend>,
  take: (store: Store) => void,
): { readonly reopen: () => Promise<void> } {
  let backend: Backend;
  let store: Store;
  const open = async () => {
    store = await backend.open();
    take(store);
  };
  beforeEach(async () => {
    backend = await createBackend();
    await open();
  });
  afterEach(async () => {
    await store.close();
    await backend.destroy();
  });
  return {
    reopen: async () => {
      await store.close();
      await open();
    },
  };
}
