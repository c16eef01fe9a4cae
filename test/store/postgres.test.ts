import { openPostgresStore } from '../../src/store/postgres.js';
import { describeStoreContract } from './contract.js';
import { describeEvaluationsContract } from './evaluationsContract.js';
import { describeOnPostgres, postgresPlace } from './postgresServer.js';
import { describeVersionsContract } from './versionsContract.js';

const place = postgresPlace();

/** No check falls into a test that does not wait for it. */
const NEVER_MS = 3_600_000;

const open = (url: string) => openPostgresStore({ url, connections: 4, checkEveryMs: NEVER_MS });

describeOnPostgres('PostgreSQL', () => {
  const createBackend = async () => {
    const schema = await place.schema();
    return { open: () => open(schema.url), destroy: () => schema.drop() };
  };
  for (const describeContract of [
    describeStoreContract,
    describeVersionsContract,
    describeEvaluationsContract,
  ]) {
    describeContract('A PostgreSQL schema', createBackend, { persistent: true });
  }
});
