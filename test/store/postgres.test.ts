import { openPostgresStore } from '../../src/store/postgres.js';
import { describeStoreContract } from './contract.js';
import { describeOnPostgres, postgresPlace } from './postgresServer.js';

const place = postgresPlace();

/** No check falls into a test that does not wait for it. */
const NEVER_MS = 3_600_000;

const open = (url: string) => openPostgresStore({ url, connections: 4, checkEveryMs: NEVER_MS });

describeOnPostgres('PostgreSQL', () => {
  describeStoreContract(
    'A PostgreSQL schema',
    async () => {
      const schema = await place.schema();
      return { open: () => open(schema.url), destroy: () => schema.drop() };
    },
    { persistent: true },
  );
});
