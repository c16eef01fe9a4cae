import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { KshotError } from '../src/errors.js';
import { runProgram } from './runProgram.js';
import { report, Stage } from './stress/stage.js';

// Requests that are made up from the OpenAPI document, by schemathesis: no answer is a fault, has a status that the document
// does not announce, or is off its schema; what the schema forbids is refused; nothing is answered without a key.

interface Options {
  readonly seconds?: number;
  readonly examples: number;
  readonly seed?: number;
  readonly venv: string;
  readonly install?: boolean;
}

const SCHEMATHESIS = 'schemathesis>=4.32,<5';
const CONFIG = fileURLToPath(new URL('../../scripts/stress/schemathesis.toml', import.meta.url));

const program = new Command('fuzz')
  .description('Made-up requests against the OpenAPI document, by schemathesis (PyPI).')
  .option('--examples <n>', 'requests that are made up for each operation, at most', Number, 50)
  .option('--seconds <n>', 'goes on making up others until these are over', Number)
  .option('--seed <n>', 'of what is made up', Number)
  .option(
    '--venv <folder>',
    'Python environment of schemathesis',
    join(homedir(), '.cache/kshot/schemathesis'),
  )
  .option('--install', 'makes that environment: needs Python 3.10 or newer, and PyPI')
  .action((options: Options) => Stage.run((stage) => fuzz(stage, options)));

await runProgram(program);

async function fuzz(stage: Stage, options: Options): Promise<void> {
  const tool = resolve(options.venv, 'bin/schemathesis');
  if (options.install === true) install(options.venv);
  if (!existsSync(tool)) {
    throw new KshotError(
      'invalid_configuration',
      `schemathesis is not in ${options.venv}: have it installed there with npm run fuzz -- --install, or name where it is with --venv`,
    );
  }
  const key = randomBytes(16).toString('hex');
  const { url, process: server } = await stage.serve(await stage.folder(), ['--api-keys', key]);
  // It keeps what it needs to replay a request in the folder where it runs.
  const { code, output } = await run(tool, options.venv, [
    ...['--config-file', CONFIG, 'run', `${url}/openapi.json`, '--no-color', '--continue-on-failure'],
    ...['--header', `Authorization: Bearer ${key}`, '--max-examples', String(options.examples)],
    // How long it takes to make a request up says nothing about the server.
    '--suppress-health-check=too_slow',
    ...(options.seconds === undefined ? [] : ['--max-time', String(options.seconds)]),
    ...(options.seed === undefined ? [] : ['--seed', String(options.seed)]),
  ]);
  const figure = (pattern: RegExp) => pattern.exec(output)?.[1] ?? '?';
  report(
    'Made-up requests',
    ['what', ''],
    [
      ['operations', figure(/Tested: (\d+)/)],
      ['requests', figure(/(\d+) generated/)],
      ['failures', code === 0 ? '0' : figure(/(\d+) unique failures?/)],
      ['lines of the server at warning or above', String(server.log.length)],
      ['seed', figure(/Seed: (\d+)/)],
    ],
  );
  if (code !== 0) process.exitCode = 1;
}

function install(venv: string): void {
  try {
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  } catch (cause) {
    throw new KshotError(
      'invalid_configuration',
      'there is no Python 3 with venv here; install python3-venv',
      {
        cause,
      },
    );
  }
  execFileSync(join(venv, 'bin/pip'), ['install', '--quiet', SCHEMATHESIS], { stdio: 'inherit' });
}

/** Runs a program, shows its output as it comes, and returns it. */
function run(
  file: string,
  cwd: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((done, reject) => {
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    child.once('error', reject);
    child.once('close', (code) => done({ code, output }));
  });
}
