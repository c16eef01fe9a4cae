import { expect, jest, test } from '@jest/globals';
import * as crypto from 'node:crypto';
import { MemoryKeyStore } from './memoryKeyStore.js';

test('digests are compared in constant time', async () => {
  const timingSafeEqual = jest.fn(crypto.timingSafeEqual);
  jest.unstable_mockModule('node:crypto', () => ({ ...crypto, timingSafeEqual }));
  const { Keyring } = await import('../../src/keys/keyring.js');
  const secret = 's'.repeat(16);
  const settings = { readWrite: [secret], readOnly: [] };
  const keys = new Keyring({ settings, store: new MemoryKeyStore(), warn: () => undefined });
  expect(keys.find(secret)?.id).toBe('settings-write-1');
  expect(timingSafeEqual).toHaveBeenCalledTimes(1);
  // What is looked up is a digest, of which an attacker does not choose a single bit.
  timingSafeEqual.mockReturnValue(false);
  expect(keys.find(secret)).toBeUndefined();
});
