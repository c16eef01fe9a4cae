import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { parseSet, trainingOptions, withFlags } from '../../scripts/train/flags.js';

// The command as it is run: a table of anybody's, the encoder that ships, processes that are killed.

const SCRIPT = fileURLToPath(new URL('../../scripts/train.js', import.meta.url));

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-train-'));
  const things = ['card', 'loan', 'pin', 'transfer', 'account', 'cheque', 'mortgage', 'refund'];
  const texts = [
    'i lost my',
    'where is the',
    'open a new',
    'please cancel the',
    'what about my',
    'help with a',
  ];
  const rows = things.flatMap((thing) => texts.map((text) => `${text} ${thing},about_${thing}`));
  writeFileSync(join(directory, 'mine.csv'), ['text,label', ...rows, ''].join('\n'));
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param killAt the first line of stderr that has it ends the process at once, as kill -9 does. */
async function train(args: readonly string[], killAt?: RegExp): Promise<Finished> {
  const cache = ['--cache', join(directory, 'cache')];
  const child = spawn(process.execPath, [SCRIPT, ...args, ...cache], { cwd: directory });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stderr })) {
    stderr += `${line}\n`;
    if (killAt?.test(line)) child.kill('SIGKILL');
  }
  return { code: await ended, stdout, stderr };
}

const ARGS = [
  ...['--head', 'projected', '--option', 'width=16', '--data', 'mine.csv', '--validation', '0.25'],
  ...['--way', '2-4', '--shot', '1-2', '--query', '2', '--validation-way', '2', '--validation-shot', '2'],
  ...['--episodes', '120', '--validate-every', '20', '--validation-episodes', '10', '--patience', '100'],
];

test('killed and run again, it goes on and gives the weights of a run that was not', async () => {
  const whole = await train([...ARGS, '--out', 'whole']);
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.stdout).toMatch(/projected, best +\d+\.\d\d \(.* to .*\)/);

  const killed = await train([...ARGS, '--out', 'parts'], /^episode 60:/);
  expect(killed.code).toBeNull();
  const rest = await train([...ARGS, '--out', 'parts']);
  expect(rest.stderr).toMatch(/^going on after \d+ of 120 episodes$/m);
  expect(rest.code).toBe(0);

  const again = await train(['--config', 'whole/config.json', '--out', 'again']);
  expect(again.code).toBe(0);
  // The name of the file has the hash of what is in it.
  const weights = ['whole', 'parts', 'again'].map((out) =>
    readdirSync(join(directory, out)).filter((name) => name.endsWith('.safetensors')),
  );
  expect(weights).toEqual([weights[0], weights[0], weights[0]]);
}, 60_000);

test.each([
  ['a number that is none', ['--head', 'projected', '--data', 'mine.csv', '--rate', 'fast'], '--rate'],
  ['a configuration that is not there', ['--config', 'nothing.json'], 'nothing.json cannot be read'],
])(
  '%s: a message and no stack',
  async (_, args, message) => {
    const { code, stderr } = await train(args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  },
  30_000,
);

test('flags go before the file, field by field', () => {
  const command = new Command();
  for (const option of trainingOptions()) command.addOption(option);
  const flags = [
    '--way',
    '5-40',
    '--option',
    'width=8',
    '--data',
    'a.csv',
    'clinc150:valid+marked@e/f@v1',
    '--validation',
    '0.3',
  ];
  command.parse(flags, { from: 'user' });
  const file = { episode: { ways: 3, shots: 2 }, options: { iterations: 2 }, names: false, rate: 0.5 };
  expect(withFlags(file, command.opts())).toEqual({
    episode: { ways: { min: 5, max: 40 }, shots: 2 },
    options: { iterations: 2, width: 8 },
    names: false,
    rate: 0.5,
    data: [{ set: 'a.csv' }, { set: 'clinc150', split: 'valid', marked: true, encoder: 'e/f@v1' }],
    validation: { classes: 0.3 },
  });
  expect(
    withFlags(
      {},
      new Command()
        .addOption(trainingOptions().find(({ long }) => long === '--no-names')!)
        .parse(['--no-names'], { from: 'user' })
        .opts(),
    ),
  ).toEqual({ names: false });
});

test.each(['', 'clinc150:', 'clinc150@', 'fewrel+x', ':train'])('"%s" names no set', (text) => {
  expect(() => parseSet(text)).toThrow('It must be set[:split]');
});
