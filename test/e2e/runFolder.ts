import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VARIABLE = 'KSHOT_TEST_RUN';

/** Before the tests: a folder that all of Jest's processes know. */
export default async function makeRunFolder(): Promise<void> {
  process.env[VARIABLE] = await mkdtemp(join(tmpdir(), 'kshot-run-'));
}

/** What the tests of one run share; gone when it is over. */
export function runFolder(): string {
  return process.env[VARIABLE]!;
}

export async function removeRunFolder(): Promise<void> {
  await rm(runFolder(), { recursive: true, force: true });
}
