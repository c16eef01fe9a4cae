import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const demo = fileURLToPath(new URL('../../../data/demo.yml', import.meta.url));

/** Runs the command as a process, for what only a process shows. */
function kshot(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: {},
  });
  return { status, stdout, stderr };
}

test('the process answers with exit code, standard output and standard error', () => {
  expect(kshot('import', demo, '--dry-run')).toEqual({
    status: 0,
    stdout:
      `${demo}: Rasa NLU YAML, 20 intents, 160 examples, 12 counter-examples\n` +
      'dry run: nothing was written; --bot says what would change\n',
    stderr: '',
  });
  expect(kshot('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(kshot('bots', '--url', 'http://127.0.0.1:1')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^kshot: no answer from http:\/\/127\.0\.0\.1:1 .*\n$/),
  });
  expect(kshot('bots', '--frob')).toMatchObject({ status: 2 });
});
