import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  type KeyInput,
  type KeyRecord,
  MAX_KEYS,
  MAX_REVOKED_KEYS,
  type Store,
} from '../../src/store/store.js';
import { type Backend, useBackend } from './backend.js';

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();
const keyOf = (name: string, changes: Partial<KeyInput> = {}): KeyInput => ({
  name,
  hash: hashOf(name),
  hint: name.slice(0, 4),
  access: 'write',
  bots: null,
  rate: null,
  ...changes,
});

/** What every store has to do with API keys. */
export function describeKeysContract(
  name: string,
  makeBackend: () => Promise<Backend>,
  { persistent }: { readonly persistent: boolean },
): void {
  describe(`${name} keeps API keys`, () => {
    let store: Store;
    const { reopen } = useBackend(makeBackend, (opened) => (store = opened));
    const add = async (key: KeyInput) => (await store.addKey(key, false))!;

    test('as they are given, in the order in which they come', async () => {
      expect(await store.listKeys()).toEqual([]);
      const chat = keyOf('chat', { access: 'read', bots: ['bank', 'ünï'], rate: 0.5 });
      const first = await add(chat);
      const second = await add(keyOf('admin'));
      expect(first).toMatchObject({ ...chat, hash: expect.anything(), lastUsedAt: null, revokedAt: null });
      expect(Buffer.from(first.hash).equals(hashOf('chat'))).toBe(true);
      expect(first.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(second).toMatchObject({ name: 'admin', bots: null, rate: null });
      expect(second.id).toBeGreaterThan(first.id);
      expect(await store.listKeys()).toEqual([first, second]);
    });

    test('the first one only where it is the first', async () => {
      const both = await Promise.all([store.addKey(keyOf('one'), true), store.addKey(keyOf('two'), true)]);
      expect(both.filter((key) => key !== undefined)).toHaveLength(1);
      const [{ id, name }] = (await store.listKeys()) as unknown as [KeyRecord];
      await store.revokeKey(id, true);
      const other = name === 'one' ? 'two' : 'one';
      expect(await store.addKey(keyOf(other), true)).toMatchObject({ name: other });
    });

    test('puts one out of force, once', async () => {
      const { id } = await add(keyOf('chat', { access: 'read' }));
      const revoked = await store.revokeKey(id, false);
      expect(revoked.revokedAt).not.toBeNull();
      expect(await store.revokeKey(id, false)).toEqual(revoked);
      expect(await store.listKeys()).toEqual([revoked]);
      await expect(store.revokeKey(id + 1, false)).rejects.toMatchObject({ code: 'unknown_key' });
    });

    test('keeps the last that may manage keys in force, unless it may go', async () => {
      const { id } = await add(keyOf('admin'));
      await add(keyOf('reader', { access: 'read' }));
      await add(keyOf('writer', { bots: ['bank'] }));
      const gone = await add(keyOf('gone'));
      await store.revokeKey(gone.id, false);
      await expect(store.revokeKey(id, false)).rejects.toMatchObject({ code: 'no_managing_key' });
      expect((await store.listKeys())[0]?.revokedAt).toBeNull();
      expect((await store.revokeKey(id, true)).revokedAt).not.toBeNull();
    });

    test('notes later uses, and no earlier ones', async () => {
      const { id } = await add(keyOf('chat'));
      const usedAt = async (at: string) => {
        await store.noteKeyUses(new Map([[id, at], [id + 1, at]])); // prettier-ignore
        return (await store.listKeys()).map(({ lastUsedAt }) => lastUsedAt);
      };
      expect(await usedAt('2026-01-02T00:00:00.000Z')).toEqual(['2026-01-02T00:00:00.000Z']);
      expect(await usedAt('2026-01-01T00:00:00.000Z')).toEqual(['2026-01-02T00:00:00.000Z']);
      expect(await usedAt('2026-01-03T00:00:00.000Z')).toEqual(['2026-01-03T00:00:00.000Z']);
    });

    test('in bounds', async () => {
      const ids: number[] = [];
      for (let n = 0; n < MAX_KEYS; n++) ids.push((await add(keyOf(`key ${n}`))).id);
      await expect(add(keyOf('one more'))).rejects.toMatchObject({ code: 'too_many_keys' });
      const [first, live, ...others] = ids as [number, number, ...number[]];
      for (const id of [first, ...others]) await store.revokeKey(id, true);
      const later: number[] = [];
      while (later.length < MAX_REVOKED_KEYS + 1 - (MAX_KEYS - 1)) {
        const { id } = await add(keyOf(`later ${later.length}`));
        await store.revokeKey(id, true);
        later.push(id);
      }
      // One more than are kept: the oldest of those that are revoked is gone, and not the one that is as old and in force.
      expect((await store.listKeys()).map(({ id }) => id)).toEqual([live, ...others, ...later]);
    }, 60_000);

    (persistent ? test : test.skip)('across restarts', async () => {
      const key = await add(keyOf('chat', { bots: ['bank'], rate: 2 }));
      await reopen();
      expect(await store.listKeys()).toEqual([key]);
    });
  });
}
