import { type ChildProcess, spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readSettings } from '../../src/config.js';
import { KshotError } from '../../src/errors.js';
import type { JobRun } from '../../src/jobs/jobRun.js';
import { trainingInput, trainingRunner, type TrainingRunnerOptions } from '../../src/jobs/training.js';
import type { TrainingConfigInput } from '../../src/learn/trainingConfig.js';
import { encoderOptions } from '../../src/serve.js';
import { writeThings } from '../learn/thingsTable.js';

// Processes as they are forked, and the script as it is run: the encoder that ships, a table of anybody's.

const SCRIPT = fileURLToPath(new URL('../../scripts/train.js', import.meta.url));
const EPISODES = 240;
const CONFIG: TrainingConfigInput = {
  head: 'projected',
  options: { width: 16 },
  data: [{ set: 'mine.csv' }],
  validation: { classes: 0.25 },
  episode: { ways: { min: 2, max: 4 }, shots: { min: 1, max: 2 }, queries: 2 },
  validationEpisode: { ways: 2, shots: 2 },
  validationEpisodes: 10,
  episodes: EPISODES,
  validateEvery: 20,
  patience: 100,
};

let directory: string;
/** The name of the file has the hash of what is in it. */
let weights: string;
let children: ChildProcess[] = [];
const noteChild = (message: unknown) => children.push((message as { process: ChildProcess }).process);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-jobs-'));
  mkdirSync(join(directory, 'sets'));
  mkdirSync(join(directory, 'encoders'));
  writeThings(join(directory, 'sets', 'mine.csv'));
  writeFileSync(join(directory, 'config.json'), JSON.stringify(CONFIG));
  const args = ['--config', '../config.json', '--out', '../script', '--cache', '../cache'];
  const script = spawn(process.execPath, [SCRIPT, ...args], {
    cwd: join(directory, 'sets'),
    stdio: 'ignore',
  });
  expect(await new Promise((resolve) => script.once('close', resolve))).toBe(0);
  weights = weightsIn('script');
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  children = [];
  subscribe('child_process', noteChild);
});
afterEach(() => {
  unsubscribe('child_process', noteChild);
});

/** A server in small: it begins the training `interrupted`, and says so when some of it is saved. */
const ORPHANING = `
  const { trainingRunner } = await import(${JSON.stringify(new URL('../../src/jobs/training.js', import.meta.url).href)});
  const [options, config] = JSON.parse(process.argv[1]);
  const { signal } = new AbortController();
  const progress = (done) => done > 20 && process.stdout.write('saved\\n');
  await trainingRunner(options)({ name: 'interrupted', config }, { id: 'interrupted', signal, progress });
`;

function weightsIn(...folder: string[]): string {
  return readdirSync(join(directory, ...folder)).find((name) => name.endsWith('.safetensors'))!;
}

function optionsOf() {
  return {
    datasets: join(directory, 'sets'),
    encoders: join(directory, 'encoders'),
    heads: join(directory, 'heads'),
    work: join(directory, 'work'),
    // As a server has it: an embedding's last digits depend on what a batch may hold.
    encoder: encoderOptions(readSettings({}, process.env, ['encoder'])),
  };
}

function runnerOf(options: Partial<TrainingRunnerOptions> = {}) {
  const warn = (message: string) => {
    throw new Error(message);
  };
  return trainingRunner({ ...optionsOf(), warn, ...options });
}

function train(name: string, run: Partial<JobRun> = {}, options: Partial<TrainingRunnerOptions> = {}) {
  const input = trainingInput.parse({ name, config: CONFIG });
  const { signal } = new AbortController();
  return runnerOf(options)(input, { id: name, signal, progress: () => undefined, ...run });
}

/** What is left of states. */
function states(): string[] {
  return readdirSync(join(directory, 'work'));
}

test('a job trains the very weights that the script does, at low priority, and leaves nothing else', async () => {
  const told: [number, number][] = [];
  const priorities: number[] = [];
  const progress = (done: number, total: number) => {
    told.push([done, total]);
    if (done === 20) priorities.push(getPriority(children[0]!.pid));
  };
  const result = await train('mine', { progress });
  expect(weightsIn('heads', 'mine')).toBe(weights);
  expect(result).toEqual({
    head: 'mine',
    files: ['config.json', 'metadata.json', weights],
    episodes: EPISODES,
    seconds: expect.any(Number),
    validation: {
      untrained: expect.objectContaining({ step: 0 }),
      best: expect.objectContaining({ value: expect.any(Number) }),
      prototypical: expect.objectContaining({ low: expect.any(Number) }),
    },
  });
  const metadata = (folder: string) =>
    JSON.parse(readFileSync(join(directory, folder, 'metadata.json'), 'utf8')) as {
      results: Record<string, unknown>;
    };
  const { results, ...rest } = metadata('heads/mine');
  const { results: ofScript, ...restOfScript } = metadata('script');
  expect(rest).toEqual(restOfScript);
  expect({ ...results, seconds: 0 }).toEqual({ ...ofScript, seconds: 0 });
  expect(told[0]).toEqual([0, EPISODES]);
  expect(told.at(-1)).toEqual([EPISODES, EPISODES]);
  expect(priorities).toContain(constants.priority.PRIORITY_BELOW_NORMAL);
  expect(states()).toEqual([]);
});

test('however it is interrupted, it goes on from what was saved, to the same weights', async () => {
  // By the end of the process that has forked it.
  const parent = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    ORPHANING,
    JSON.stringify([optionsOf(), CONFIG]),
  ]);
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  // The training's process has its standard error from it.
  await once(parent, 'close');
  expect(states()).toEqual([expect.stringMatching(/^interrupted-/)]);
  const isThere = () => existsSync(join(directory, 'heads', 'interrupted'));
  expect(isThere()).toBe(false);

  // By its own end, at once after which another goes on; and by being given back.
  children = [];
  const begun: number[] = [];
  const shuttingDown = new KshotError('not_ready', 'the process is shutting down');
  const stop = new AbortController();
  const interrupt = (done: number) => {
    if (begun.length < children.length) begun.push(done);
    // What is saved, is every twenty episodes.
    if (done <= begun.at(-1)! + 20) return;
    if (begun.length === 1) children[0]!.kill('SIGKILL');
    else stop.abort(shuttingDown);
  };
  const run = train('interrupted', { signal: stop.signal, progress: interrupt });
  await expect(run).rejects.toBe(shuttingDown);
  expect(begun).toHaveLength(2);
  const [orphaned, killed] = begun as [number, number];
  expect(orphaned).toBeGreaterThanOrEqual(20);
  expect(killed).toBeGreaterThanOrEqual(orphaned + 20);
  const ends = children.map(({ exitCode, signalCode }) => signalCode ?? exitCode);
  expect(ends).toEqual(['SIGKILL', 0]);
  expect(states()).toEqual([expect.stringMatching(/^interrupted-/)]);
  expect(isThere()).toBe(false);

  const told: number[] = [];
  await train('interrupted', { progress: (done) => told.push(done) });
  expect(told[0]).toBeGreaterThanOrEqual(killed + 20);
  expect(weightsIn('heads', 'interrupted')).toBe(weights);
  expect(states()).toEqual([]);
});

test('killed wherever it begins, it fails, and says by what', async () => {
  const killed = train('hopeless', { progress: () => children.at(-1)!.kill('SIGKILL') });
  await expect(killed).rejects.toMatchObject({
    code: 'process_killed',
    message: expect.stringContaining('SIGKILL'),
  });
  expect(children).toHaveLength(2);
  expect(states()).toEqual([]);
});

test('cancelled, nothing is left', async () => {
  const stop = new AbortController();
  const cancelled = new KshotError('cancelled', 'the job was cancelled');
  const progress = (done: number) => {
    if (done >= 20) stop.abort(cancelled);
  };
  await expect(train('cancelled', { signal: stop.signal, progress })).rejects.toBe(cancelled);
  expect([children[0]!.exitCode, children[0]!.signalCode]).toEqual([0, null]);
  expect(states()).toEqual([]);
  expect(readdirSync(join(directory, 'heads'))).not.toContain('cancelled');
});

test('cancelled before it begins, no process is made', async () => {
  const reason = new KshotError('cancelled', 'the job was cancelled');
  await expect(train('never', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(children).toEqual([]);
});

test.each([
  ['datasets', CONFIG, '--datasets (KSHOT_DATASETS)'],
  ['encoders', { ...CONFIG, encoder: 'other' }, '--encoders (KSHOT_ENCODERS)'],
] as const)('without --%s it says which setting is missing', async (setting, config, message) => {
  const input = trainingInput.parse({ name: 'mine', config });
  const run = runnerOf({ [setting]: undefined });
  const { signal } = new AbortController();
  const outcome = run(input, { id: '1', signal, progress: () => undefined });
  await expect(outcome).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining(message),
  });
});

test('an encoder, or a table, that is not there is named', async () => {
  const run = (config: TrainingConfigInput) =>
    runnerOf()(trainingInput.parse({ name: 'mine', config }), {
      id: '1',
      signal: new AbortController().signal,
      progress: () => undefined,
    });
  await expect(run({ ...CONFIG, encoder: 'other' })).rejects.toMatchObject({
    code: 'encoder_unavailable',
    message: expect.stringContaining('"other"'),
  });
  await expect(run({ ...CONFIG, data: [{ set: 'absent.csv' }] })).rejects.toMatchObject({
    code: 'invalid_file',
    message: expect.stringContaining('absent.csv'),
  });
}, 30_000);

test.each([
  '../mine',
  '/etc/mine',
  'a/../../mine',
  '..',
  './mine',
  'a//mine',
  'a\\..\\mine',
  'C:mine',
  '.mine',
])('"%s" is no name of anything, for it may reach outside', (name) => {
  const fields = (input: unknown) =>
    trainingInput.safeParse(input).error?.issues.map(({ path }) => path.join('.'));
  const set = { set: `${name}.csv` };
  const config = {
    ...CONFIG,
    encoder: name,
    data: [{ ...set, encoder: name }],
    exclude: [set],
    validation: [set],
  };
  expect(fields({ name: 'mine', config })).toEqual([
    'config.encoder',
    'config.data.0.set',
    'config.data.0.encoder',
    'config.exclude.0.set',
    'config.validation.0.set',
  ]);
  expect(fields({ name, config: CONFIG })).toEqual(['name']);
});

test('what a configuration file holds is taken, but for an encoder that learns and a built-in name', () => {
  const file = fileURLToPath(new URL('../../../models/heads/weighing/config.json', import.meta.url));
  const config = JSON.parse(readFileSync(file, 'utf8')) as TrainingConfigInput;
  const taken = trainingInput.parse({ name: 'weighing', config });
  // As a queue keeps it.
  expect(trainingInput.parse(JSON.parse(JSON.stringify(taken)))).toEqual(taken);
  const wrong = {
    name: 'adapted',
    config: { ...CONFIG, unfreeze: { layers: 1 } },
  };
  const messages = trainingInput.safeParse(wrong).error?.issues.map(({ message }) => message);
  expect(messages).toEqual([expect.stringContaining('built-in'), expect.stringContaining('npm run train')]);
});
