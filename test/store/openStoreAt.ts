import { isPostgresUrl } from '../../src/store/location.js';
import { openPostgresStore } from '../../src/store/postgres.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';

/** A store in a SQLite file or a PostgreSQL database, by what its location looks like. */
export function openStoreAt(location: string): Promise<Store> {
  return isPostgresUrl(location)
    ? openPostgresStore({ url: location, connections: 2, checkEveryMs: 60_000 })
    : openSqliteStore(location);
}
