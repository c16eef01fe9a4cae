import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { parseSet, trainingOptions, withFlags } from '../../scripts/train/flags.js';
import { readTrainingConfig } from '../../src/learn/trainingConfig.js';
import { writeThings } from '../learn/thingsTable.js';
import { tinyTexts } from '../learn/transformer/tinyBert.js';
import { writeExactBert } from '../learn/transformer/tinyLayers.js';

// The command as it is run: a table of anybody's, the encoder that ships, processes that are killed.

const SCRIPT = fileURLToPath(new URL('../../scripts/train.js', import.meta.url));

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-train-'));
  writeThings(join(directory, 'mine.csv'));
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

test('an encoder learns with the head, and both are written', async () => {
  await writeExactBert(join(directory, 'bert'), 1);
  const rows = tinyTexts(1, 48).map((text, i) => `${text},class_${i % 8}`);
  writeFileSync(join(directory, 'words.csv'), ['text,label', ...rows, ''].join('\n'));
  const { code, stdout, stderr } = await train([
    ...[
      '--unfreeze',
      '1',
      '--model',
      'bert',
      '--head',
      'projected',
      '--option',
      'map=false',
      'leaveOneOut=true',
    ],
    ...['--data', 'words.csv', '--validation', '0.25', '--way', '2', '--shot', '2', '--query', '2'],
    ...['--episodes', '6', '--validate-every', '3', '--validation-episodes', '5', '--out', 'learned'],
  ]);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  expect(stderr).toMatch(/^share of the way from the start +validation accuracy/m);
  expect(stderr).toMatch(/^ +0\.20 +\d+\.\d\d \(.*\)/m);
  expect(stderr.match(/taken$/gm)).toHaveLength(1);
  expect(stdout).toContain('the checkpoint is learned');
  expect(readdirSync(join(directory, 'learned')).sort()).toEqual([
    'config.json',
    'encoder',
    'metadata.json',
    expect.stringMatching(/^weights-/),
  ]);
  expect(readdirSync(join(directory, 'learned', 'encoder')).sort()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
    'onnx',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const written: unknown = JSON.parse(readFileSync(join(directory, 'learned', 'config.json'), 'utf8'));
  expect(written).toMatchObject({ encoder: 'bert', unfreeze: { layers: 1, rate: 5e-5, maxTokens: 128 } });
  expect(readTrainingConfig(written, 'config.json')).toEqual(written);
}, 60_000);

test.each([
  ['a number that is none', ['--head', 'projected', '--data', 'mine.csv', '--rate', 'fast'], '--rate'],
  ['a configuration that is not there', ['--config', 'nothing.json'], 'nothing.json cannot be read'],
  [
    'an encoder that cannot learn',
    ['--head', 'projected', '--data', 'mine.csv', '--unfreeze', '1'],
    'the bundled encoder has no weights that can be trained: name a folder with config.json, tokenizer.json and model.safetensors',
  ],
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

test('flags of an encoder that learns', () => {
  const given = (...flags: string[]) => {
    const command = new Command();
    for (const option of trainingOptions()) command.addOption(option);
    return withFlags(
      { head: 'projected', data: [{ set: 'a.csv' }] },
      command.parse(flags, { from: 'user' }).opts(),
    );
  };
  const read = (...flags: string[]) => readTrainingConfig(given(...flags), 'flags').unfreeze;
  expect(read()).toBeUndefined();
  expect(read('--unfreeze', '2')).toEqual({
    layers: 2,
    rate: 5e-5,
    maxTokens: 128,
    interpolation: [0, 0.2, 0.4, 0.6, 0.8, 1],
  });
  const all = [
    '--unfreeze',
    '3',
    '--encoder-rate',
    '1e-4',
    '--max-tokens',
    '64',
    '--interpolation',
    '0',
    '0.5',
  ];
  expect(read(...all)).toEqual({ layers: 3, rate: 1e-4, maxTokens: 64, interpolation: [0, 0.5] });
  expect(() => read('--encoder-rate', '1e-4')).toThrow('unfreeze.layers');
});

test.each(['', 'clinc150:', 'clinc150@', 'fewrel+x', ':train'])('"%s" names no set', (text) => {
  expect(() => parseSet(text)).toThrow('It must be set[:split]');
});
