import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../src/cli/numbers.js';
import { startProgress } from '../src/cli/progress.js';
import { table } from '../src/cli/table.js';
import { readSettings, settingOptions } from '../src/config.js';
import { KshotError } from '../src/errors.js';
import { type Calibration, readCalibration, writeCalibration } from '../src/heads/calibration.js';
import { readCheckpointMetadata } from '../src/heads/checkpoint.js';
import { HEAD_NAMES, isHeadName } from '../src/heads/registry.js';
import { initHeads } from '../src/heads/runtime.js';
import type { CalibrationSet } from '../src/learn/calibration/bots.js';
import { CALIBRATION_SETS, loadCalibrationSet } from '../src/learn/calibration/sources.js';
import {
  type CalibratedHead,
  type CalibrationResults,
  trainCalibration,
} from '../src/learn/calibration/train.js';
import { EmbeddingCache } from '../src/learn/embeddingCache.js';
import { findHead, type FoundHead } from '../src/learn/evaluation/evaluatedHead.js';
import { openSetLoader, type SetFlags, setOptions } from './sets.js';
import { runProgram } from './runProgram.js';

// Trains the detector of what is out of scope and the temperatures of the heads: flags, progress and the tables.

const PACKAGE = new URL('../../', import.meta.url);

interface Options extends SetFlags {
  readonly encoders: string;
  readonly sets: string[];
  readonly heads: string[];
  readonly out: string;
  readonly seed: number;
  readonly episodes: number;
  readonly headEpisodes: number;
  readonly inScopeWeight: number;
  readonly add?: true;
}

/** A set, and what makes its embeddings. */
interface Loaded {
  readonly set: CalibrationSet;
  readonly encoder: { readonly name: string; readonly fingerprint: string };
}

const program = new Command('calibrate')
  .description(
    'Trains the detector of what is out of scope, and the temperatures of heads, over sampled bots. Each set is embedded by an encoder that has not seen it.',
  )
  .requiredOption('--encoders <folder>', 'holds without-banking77, without-clinc150 and so on')
  .addOption(
    new Option('--sets <sets...>', 'sets to train on, two at least')
      .choices(CALIBRATION_SETS)
      .default(CALIBRATION_SETS),
  )
  .addOption(
    new Option(
      '--heads <heads...>',
      'names of built-in heads and folders of checkpoints; of a checkpoint that was trained several times, each time ' +
        'without one set and for its encoder: name=folder,folder',
    ).default(HEAD_NAMES, 'the built-in ones'),
  )
  .addOption(
    new Option('--out <file>', 'what is written').default(
      fileURLToPath(new URL('models/heads/calibration.json', PACKAGE)),
      'models/heads/calibration.json',
    ),
  )
  .option('--seed <number>', 'of the bots', wholeNumber(), 1)
  .option('--episodes <number>', 'bots of each set that the detector is trained on', wholeNumber(), 240)
  .option('--head-episodes <number>', 'bots of each set that a temperature is fitted to', wholeNumber(), 72)
  .option(
    '--in-scope-weight <number>',
    'what a query in scope weighs against one out of scope',
    positive,
    2.5,
  )
  .option('--add', 'keep the detector and the other heads of the file that is there')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run calibrate -- --datasets data/downloads --encoders encoders --heads adapted prototypical models/heads/relation
  $ npm run calibrate -- --encoders encoders --heads models/heads/mine --add`,
  );

for (const option of [...setOptions(), ...settingOptions(['encoder'])]) program.addOption(option);

program.action(async (options: Options) => {
  if (options.sets.length < 2)
    throw new KshotError('invalid_configuration', 'two --sets are needed at least');
  const { loaded, servedBy } = await loadSets(options);
  await initHeads();
  const heads = await Promise.all(options.heads.map((argument) => findCalibrated(argument, loaded)));
  const { results, ...model } = trainCalibration({
    ...options,
    sets: loaded.map(({ set }) => set),
    heads,
    progress: progressBars(),
  });
  const { seed, episodes, inScopeWeight } = options;
  const calibration: Calibration = {
    ...model,
    encoder: servedBy,
    training: {
      data: loaded.map(({ set, encoder }) => `${set.name} train, embedded by ${encoder.name}`),
      seed,
      episodes: episodes * loaded.length,
      inScopeWeight,
    },
    results: JSON.parse(JSON.stringify(results)) as Calibration['results'],
  };
  await writeCalibration(
    options.out,
    options.add ? added(await readCalibration(options.out), calibration) : calibration,
  );
  process.stdout.write(`${tables(results, calibration)}\nThe calibration is ${options.out}\n`);
});

await runProgram(program);

/** What is there, and the heads that are new. */
function added(there: Calibration, { sharpness, results }: Calibration): Calibration {
  const temperature = { ...(there.results['temperature'] as object), ...(results['temperature'] as object) };
  return {
    ...there,
    sharpness: { ...there.sharpness, ...sharpness },
    results: { ...there.results, temperature },
  };
}

/** @returns with the fingerprint of the encoder that the calibration is for. */
async function loadSets(options: Options): Promise<{ loaded: Loaded[]; servedBy: string }> {
  const { encoders, sets } = options;
  const cache = new EmbeddingCache(options.cache);
  const encoderOf = (set: string) => join(encoders, `without-${set}`);
  const settings = readSettings(program.opts(), process.env, ['encoder']);
  const loader = openSetLoader(encoderOf(sets[0]!), options, cache, settings);
  try {
    const loaded: Loaded[] = [];
    for (const set of sets) {
      const encoder = await loader.encoderOf({ set, encoder: encoderOf(set) });
      loaded.push({ set: await loadCalibrationSet(loader, set, encoderOf(set)), encoder });
    }
    const { fingerprint } = await loader.encoderOf({ set: sets[0]!, encoder: settings.model });
    return { loaded, servedBy: fingerprint };
  } finally {
    await loader.close();
    cache.close();
  }
}

/**
 * A head as the command line names it. For each set the checkpoint that was made for the set's encoder is taken, which has
 * not seen the set; where there is none, the first: temperatures are then of intents that it may have seen.
 */
async function findCalibrated(argument: string, loaded: readonly Loaded[]): Promise<CalibratedHead> {
  const [given, rest] = argument.includes('=') ? argument.split('=', 2) : [undefined, argument];
  const folders = rest.split(',');
  const name = given ?? basename(folders[0]!);
  const found = new Map<string, FoundHead>();
  if (isHeadName(rest)) {
    for (const { set } of loaded) found.set(set.name, await findHead(rest, ''));
  } else {
    const checkpoints = await Promise.all(
      folders.map(async (folder) => {
        const { encoder } = await readCheckpointMetadata(folder);
        return { encoder, head: await findHead(folder, encoder) };
      }),
    );
    for (const { set, encoder } of loaded) {
      const own = checkpoints.find((checkpoint) => checkpoint.encoder === encoder.fingerprint);
      if (own === undefined) {
        process.stderr.write(
          `${name}: no checkpoint is for the encoder without ${set.name}; ${folders[0]} is used\n`,
        );
      }
      found.set(set.name, (own ?? checkpoints[0]!).head);
    }
  }
  const dimension = loaded[0]!.set.embedded.dimension;
  return { name, open: (set) => found.get(set)!.open(dimension) };
}

/** One bar after the other, each for a label; a line at the end of each where there is no terminal. */
function progressBars(): (label: string, done: number, total: number) => void {
  let shown: { readonly label: string; readonly bar: ReturnType<typeof startProgress> } | undefined;
  return (label, done, total) => {
    if (shown?.label !== label) shown = { label, bar: startProgress(process.stderr, label, total) };
    shown.bar.update(done);
    if (done < total) return;
    shown.bar.stop();
    if (process.stderr.isTTY !== true) process.stderr.write(`${label}: ${total} done\n`);
  };
}

function tables(results: CalibrationResults, { sharpness }: Calibration): string {
  const percent = (value: number) => (value * 100).toFixed(1);
  const area = (value: number) => (value * 100).toFixed(2);
  const far = (values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${area(value)}`)
      .join(', ');
  const scope = Object.entries(results.scope).map(([set, result]) => [
    set,
    area(results.nearestPrototype[set]!.near),
    area(result.near),
    percent(result.accepted),
    percent(result.nearRefused),
    percent(result.farRefused),
    percent(result.balancedAccuracy),
  ]);
  const areas = Object.entries(results.scope).flatMap(([set, result]) => [
    [set, 'nearest prototype', far(results.nearestPrototype[set]!.far)],
    ['', 'trained', far(result.far)],
  ]);
  const temperature = Object.entries(results.temperature).flatMap(([head, bySet]) =>
    Object.entries(bySet).map(([set, { ece, eceUncalibrated, loss, lossUncalibrated }], i) => [
      i === 0 ? head : '',
      i === 0 ? formula(sharpness[head]!) : '',
      set,
      (ece * 100).toFixed(2),
      (eceUncalibrated * 100).toFixed(2),
      loss.toFixed(4),
      lossUncalibrated.toFixed(4),
    ]),
  );
  return [
    'In scope or out, each set judged by what was trained on the others, in %:\n',
    table(
      [
        'set',
        'AUROC near: prototype',
        'trained',
        'accepted',
        'near refused',
        'far refused',
        'balanced accuracy',
      ],
      scope,
      [1, 2, 3, 4, 5, 6],
    ),
    '\nAUROC against what is far:\n',
    table(['set', 'by', ''], areas, []),
    '\nConfidence, likewise; expected calibration error in points, loss in nats a query:\n',
    table(
      ['head', '1 / T', 'set', 'error', 'uncalibrated', 'loss', 'uncalibrated'],
      temperature,
      [3, 4, 5, 6],
    ),
  ].join('\n');
}

function formula({ base, lnIntents, lnRows }: Calibration['sharpness'][string]): string {
  return `${base.toFixed(3)} + ${lnIntents.toFixed(3)} ln N + ${lnRows.toFixed(3)} L`;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('A positive number is needed.');
  return value;
}
