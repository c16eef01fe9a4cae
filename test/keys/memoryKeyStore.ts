import { checkKeyCount, lastManagingKey, unknownKey } from '../../src/store/refusals.js';
import type { KeyInput, KeyRecord } from '../../src/store/store.js';
import type { KeyStore } from '../../src/keys/keyring.js';

/** Keys as a store keeps them, in memory. */
export class MemoryKeyStore implements KeyStore {
  readonly records: KeyRecord[] = [];
  /** How often it was asked for anything. */
  calls = 0;

  listKeys(): Promise<KeyRecord[]> {
    this.calls++;
    return Promise.resolve([...this.records]);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is a rejection
  async addKey(key: KeyInput, onlyFirst: boolean): Promise<KeyRecord | undefined> {
    this.calls++;
    const inForce = this.records.filter(({ revokedAt }) => revokedAt === null).length;
    if (onlyFirst && inForce > 0) return undefined;
    checkKeyCount(inForce);
    const createdAt = new Date().toISOString();
    const record = { ...key, id: this.records.length + 1, createdAt, lastUsedAt: null, revokedAt: null };
    this.records.push(record);
    return record;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is a rejection
  async revokeKey(id: number, mayBeLast: boolean): Promise<KeyRecord> {
    this.calls++;
    const at = this.records.findIndex((record) => record.id === id);
    const record = this.records[at];
    if (record === undefined) throw unknownKey(id);
    const isManaging = (one: KeyRecord) =>
      one.revokedAt === null && one.access === 'write' && one.bots === null;
    if (!mayBeLast && isManaging(record) && this.records.filter(isManaging).length === 1) {
      throw lastManagingKey(id);
    }
    return (this.records[at] = { ...record, revokedAt: record.revokedAt ?? new Date().toISOString() });
  }

  noteKeyUses(uses: ReadonlyMap<number, string>): Promise<void> {
    this.calls++;
    for (const [at, record] of this.records.entries()) {
      const lastUsedAt = uses.get(record.id);
      if (lastUsedAt !== undefined) this.records[at] = { ...record, lastUsedAt };
    }
    return Promise.resolve();
  }
}
