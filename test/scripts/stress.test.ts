import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';

jest.setTimeout(120_000);

const run = promisify(execFile);
const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}.js`, import.meta.url));

test('npm run faults prints what became of the requests', async () => {
  const { stdout } = await run(process.execPath, [script('faults'), '--only', 'leave']);
  expect(stdout).toMatch(/^fault +sent +answered +refused +neither +tried again +acknowledged writes lost/m);
  expect(stdout).toMatch(
    /^clients that leave mid-batch +21 +1 +0 +20 .*0 requests and no text are left over$/m,
  );
});

// It has both cores to itself for some ten seconds, which all tests beside it wait for; test/e2e/overload.test.ts has the server's part.
const testStress = process.env['KSHOT_TEST_STRESS'] === undefined ? test.skip : test;

testStress(
  'npm run overload measures goodput, refusals and recovery (skipped without KSHOT_TEST_STRESS)',
  async () => {
    const { stdout } = await run(process.execPath, [
      script('overload'),
      ...['--seconds', '4', '--capacity-seconds', '1'],
    ]);
    for (const line of [
      /^goodput +\d+\/s/m,
      /^refused \(503\) +\d+ %/m,
      /^neither +0 /m,
      /^after the load.* s /m,
    ]) {
      expect(stdout).toMatch(line);
    }
  },
);

test('npm run fuzz says how to get schemathesis', async () => {
  const missing = run(process.execPath, [script('fuzz'), '--venv', join(tmpdir(), 'kshot-no-venv')]);
  await expect(missing).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('npm run fuzz -- --install'),
  });
});
