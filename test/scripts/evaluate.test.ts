import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}.js`, import.meta.url));

async function call(name: string, ...args: string[]): Promise<{ out: string; error: string; code: number }> {
  const env = { PATH: process.env['PATH'] ?? '' };
  return run(process.execPath, [script(name), ...args], { env }).then(
    ({ stdout, stderr }) => ({ out: stdout, error: stderr, code: 0 }),
    ({ stdout, stderr, code }: { stdout: string; stderr: string; code: number }) => ({
      out: stdout,
      error: stderr,
      code,
    }),
  );
}

describe('npm run evaluate', () => {
  test('helps with both of what it can do', async () => {
    const [all, heads, served] = await Promise.all([
      call('evaluate', '--help'),
      call('evaluate', 'heads', '--help'),
      call('evaluate', 'served', '--help'),
    ]);
    expect(all.out).toContain('npm run evaluate -- --benchmark fewrel');
    expect(heads.out).toContain('--benchmark <name>');
    expect(heads.out).toContain('Examples:');
    expect(served.out).toContain('--folder <path>');
  });

  test('without a benchmark is the served path, which needs its folder', async () => {
    const { error, code } = await call('evaluate', '--data', 'banking77', '--shots', '10');
    expect(error).toContain("'--folder <path>' not specified");
    expect(code).toBe(1);
  });

  test('with a benchmark is of heads, and says which there are', async () => {
    const { error, code } = await call('evaluate', '--benchmark', 'mnist', '--head', 'adapted');
    expect(error).toContain('Allowed choices are fewrel, arsc, intents, oos, shots');
    expect(code).toBe(1);
  });
});

describe('npm run results', () => {
  test('the page is what the stored results give', async () => {
    expect(await call('results', '--check')).toEqual({ out: '', error: '', code: 0 });
  });
});
