import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EVERYONE } from '../../src/keys/caller.js';
import { Keyring } from '../../src/keys/keyring.js';
import type { KeyRequest } from '../../src/keys/keyTypes.js';
import { MemoryKeyStore } from './memoryKeyStore.js';

const NONE = { readWrite: [], readOnly: [] };
const ADMIN: KeyRequest = { name: 'admin', access: 'write' };
const NOW = Date.parse('2026-01-02T03:04:05.000Z');

let store: MemoryKeyStore;
let now: number;
const warnings: string[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  store = new MemoryKeyStore();
  now = NOW;
  warnings.length = 0;
});
afterEach(() => {
  jest.useRealTimers();
});

const keyring = (settings: { readWrite: string[]; readOnly: string[] } = NONE) =>
  new Keyring({ settings, store, now: () => now, warn: (message) => warnings.push(message) });

/** One with a key that manages it. */
async function managed() {
  const keys = keyring();
  const { secret } = await keys.create(ADMIN, EVERYONE);
  return { keys, secret, admin: keys.find(secret)! };
}

describe('a key', () => {
  test('is 256 random bits, kept as a hash and told once', async () => {
    const { keys, secret } = await managed();
    expect(secret).toMatch(/^kshot_[\w-]{43}$/);
    expect(Buffer.from(secret.slice(6), 'base64url')).toHaveLength(32);
    const [record] = store.records;
    expect(Buffer.from(record!.hash)).toEqual(createHash('sha256').update(secret).digest());
    expect(secret.startsWith(record!.hint)).toBe(true);
    expect(record!.hint).toHaveLength(10);
    expect(JSON.stringify([record, await keys.list()])).not.toContain(secret.slice(10));
  });

  test('is in force at once, and out of force at once, without the store', async () => {
    const { keys, admin } = await managed();
    const { id, secret } = await keys.create({ name: 'chat', access: 'read', bots: ['bank'] }, admin);
    const calls = store.calls;
    const caller = keys.find(secret)!;
    expect([caller.id, caller.mayWrite, caller.sees('bank'), caller.sees('shop'), caller.seesAll]).toEqual([
      '2', false, true, false, false,
    ]); // prettier-ignore
    for (const other of ['', secret.slice(0, -1), `${secret}a`, secret.toLowerCase()]) {
      expect(keys.find(other)).toBeUndefined();
    }
    expect(store.calls).toBe(calls);
    expect(await keys.revoke(id, admin)).toMatchObject({ id, revoked_at: expect.any(String) });
    expect(keys.find(secret)).toBeUndefined();
  });

  test('of the settings is for all bots, and has a name in the log', () => {
    const keys = keyring({ readWrite: ['w'.repeat(16), 'v'.repeat(16)], readOnly: ['r'.repeat(16)] });
    const ids = ['w', 'v', 'r'].map((letter) => keys.find(letter.repeat(16))!);
    expect(ids.map(({ id, mayWrite, seesAll }) => [id, mayWrite, seesAll])).toEqual([
      ['settings-write-1', true, true],
      ['settings-write-2', true, true],
      ['settings-read-1', false, true],
    ]);
  });
});

describe('the first key', () => {
  test('closes the server, and says so', async () => {
    const keys = keyring();
    expect(keys.enabled).toBe(false);
    const { notice } = await keys.create(ADMIN, EVERYONE);
    expect(notice).toContain('From now on every request needs a key');
    expect([keys.enabled, keys.isManaged]).toEqual([true, true]);
  });

  test.each<[string, KeyRequest]>([
    ['reads', { ...ADMIN, access: 'read' }],
    ['is for one bot', { ...ADMIN, bots: ['bank'] }],
  ])('must not be one that %s: nobody could make another', async (_, request) => {
    const keys = keyring();
    await expect(keys.create(request, EVERYONE)).rejects.toMatchObject({ code: 'no_managing_key' });
    expect(keys.enabled).toBe(false);
  });

  test('is one, however many ask for it at once', async () => {
    const keys = keyring();
    const asked = await Promise.allSettled([1, 2, 3].map(() => keys.create(ADMIN, EVERYONE)));
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(asked[1]).toMatchObject({ reason: { code: 'unauthorized' } });
    expect(store.records).toHaveLength(1);
  });

  test('of another process is in force here as soon as this one asks for one', async () => {
    const here = keyring();
    const { secret } = await keyring().create(ADMIN, EVERYONE);
    await expect(here.create(ADMIN, EVERYONE)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(here.find(secret)?.id).toBe('1');
  });

  test('may be any where the settings have one that manages', async () => {
    const keys = keyring({ readWrite: ['w'.repeat(16)], readOnly: [] });
    const own = keys.find('w'.repeat(16))!;
    const { id, notice } = await keys.create({ name: 'chat', access: 'read', bots: ['bank'] }, own);
    expect(notice).toBeNull();
    const admin = await keys.create(ADMIN, own);
    await keys.revoke(admin.id, own);
    await keys.revoke(id, own);
  });
});

describe('the key of whoever started the process', () => {
  const OWN = 'o'.repeat(16);
  const own = () => new Keyring({ settings: NONE, ownKey: OWN, store, warn: () => undefined });

  test('makes the first key, which must be one that makes others', async () => {
    const keys = own();
    const caller = keys.find(OWN)!;
    expect([keys.enabled, keys.isManaged]).toEqual([true, false]);
    const chat: KeyRequest = { name: 'chat', access: 'read' };
    await expect(keys.create(chat, caller)).rejects.toMatchObject({ code: 'no_managing_key' });
    await keys.create(ADMIN, caller);
    expect(await keys.create(chat, caller)).toMatchObject({ id: 2 });
  });

  test('revokes the last one: the server is open again', async () => {
    await managed();
    const keys = own();
    await keys.reloadKeys();
    await keys.revoke(1, keys.find(OWN)!);
    const later = keyring();
    await later.reloadKeys();
    expect(later.enabled).toBe(false);
  });
});

describe('managing', () => {
  test('leaves the last key that may manage', async () => {
    const { keys, admin, secret } = await managed();
    await keys.create({ name: 'chat', access: 'read' }, admin);
    await expect(keys.revoke(1, admin)).rejects.toMatchObject({ code: 'no_managing_key' });
    await expect(keys.revoke(9, admin)).rejects.toMatchObject({ code: 'unknown_key' });
    const next = await keys.create(ADMIN, admin);
    await keys.revoke(1, keys.find(next.secret)!);
    expect(keys.find(secret)).toBeUndefined();
  });

  test('is refused to a key that went out of force on the way', async () => {
    const { keys, admin } = await managed();
    const other = keys.find((await keys.create(ADMIN, admin)).secret)!;
    const revoked = keys.revoke(1, other);
    await expect(keys.create(ADMIN, admin)).rejects.toMatchObject({ code: 'unauthorized' });
    await revoked;
  });

  test('by another process is taken over; keys that stay keep what is left of their rate', async () => {
    const { keys, admin, secret } = await managed();
    const slow = await keys.create({ name: 'slow', access: 'read', rate: 1 }, admin);
    const chat = await keys.create({ name: 'chat', access: 'read' }, admin);
    expect(keys.take(keys.find(slow.secret)!)).toBe(0);
    const there = keyring();
    await there.reloadKeys();
    const adminThere = there.find(secret)!;
    await there.revoke(chat.id, adminThere);
    const made = await there.create({ name: 'new', access: 'read' }, adminThere);
    await keys.reloadKeys();
    expect(keys.find(chat.secret)).toBeUndefined();
    expect(keys.find(made.secret)?.id).toBe(String(made.id));
    expect(keys.take(keys.find(slow.secret)!)).toBe(1000);
    now += 1000;
    expect(keys.take(keys.find(slow.secret)!)).toBe(0);
  });
});

describe('when a key was last used', () => {
  test('is listed at once, and written once a minute', async () => {
    const { keys, secret } = await managed();
    const calls = store.calls;
    for (let n = 0; n < 100; n++) keys.find(secret);
    expect(store.calls).toBe(calls);
    expect(await keys.list()).toMatchObject([{ last_used_at: '2026-01-02T03:04:05.000Z' }]);
    expect(store.records[0]!.lastUsedAt).toBeNull();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(store.records[0]!.lastUsedAt).toBe('2026-01-02T03:04:05.000Z');
    const written = store.calls;
    await jest.advanceTimersByTimeAsync(600_000);
    expect(store.calls).toBe(written);
  });

  test('is written at the end', async () => {
    const { keys, secret } = await managed();
    now += 5000;
    keys.find(secret);
    await keys.close();
    expect(store.records[0]!.lastUsedAt).toBe('2026-01-02T03:04:10.000Z');
  });

  test('is written later where the store fails, and a word is said', async () => {
    const { keys } = await managed();
    const note = jest.spyOn(store, 'noteKeyUses').mockRejectedValueOnce(new Error('disk full'));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(warnings).toEqual(['when API keys were last used could not be written down']);
    await keys.close();
    expect(note).toHaveBeenCalledTimes(2);
    expect(store.records[0]!.lastUsedAt).not.toBeNull();
  });
});
