import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describeClass } from '../src/classify/text.js';
import { lateProgress, startProgress } from '../src/cli/progress.js';
import { table } from '../src/cli/table.js';
import { readSettings, settingOptions } from '../src/config.js';
import { KshotError } from '../src/errors.js';
import { initHeads } from '../src/heads/runtime.js';
import { EmbeddingCache } from '../src/learn/embeddingCache.js';
import { loadOnce, trainHead } from '../src/learn/headTraining.js';
import type { SetLoader } from '../src/learn/setLoader.js';
import type { Proportion } from '../src/statistics/measures.js';
import { readTrainingConfig, type TrainingConfig } from '../src/learn/trainingConfig.js';
import {
  runTraining,
  type TrainingObserver,
  type TrainingResult,
  type TrainingRunOptions,
} from '../src/learn/trainingRun.js';
import { encoderTrainee, type InterpolationPoint } from '../src/learn/transformer/encoderTraining.js';
import { startingEncoder } from '../src/learn/transformer/startingEncoder.js';
import { openSetLoader, type SetFlags, setOptions } from './sets.js';
import { trainingOptions, withFlags } from './train/flags.js';
import { runProgram } from './runProgram.js';

// Trains a head over episodes and writes its checkpoint: flags, progress and the summary; what happens is src/learn's.

interface Options extends SetFlags {
  readonly config?: string;
  readonly run?: string;
  readonly restart?: true;
}

const program = new Command('train')
  .description(
    'Trains a head over episodes and writes its checkpoint. Ended by Ctrl-C or otherwise, the same command goes on where it stopped.',
  )
  .option('--config <file>', 'a configuration as JSON; flags go before it')
  .option('--run <folder>', 'where the state of the training is kept (default: data/runs/<out>)')
  .option('--restart', 'begin anew, whatever state there is')
  .addHelpText(
    'after',
    `
Sets are named as set[:split][+marked][+entities][+limit][@encoder]; the split is train by default, a number limits
the texts of each class. The encoder, a folder or hub
id, embeds the set instead of the run's own: one that has not seen the set shows the head intents as it will meet them. Of
relations the entities can be marked in the text, or their token states joined to the embedding. A set may also be a file
that ends in .csv, .tsv or .jsonl.

Examples:
  $ npm run train -- --head induction --data fewrel --way 5 --shot 5 --query 5 --out models/heads/induction
  $ npm run train -- --head projected --data clinc150@encoders/without-clinc150 hwu64@encoders/without-hwu64 \\
      --exclude banking77:train banking77:test --way 5-40 --shot 1-10 --validation 0.2
  $ npm run train -- --head relation --option hidden=256 --data intents.csv --seed 2
  $ npm run train -- --config models/heads/induction/config.json
  $ npm run train -- --unfreeze 2 --model encoders/all-MiniLM-L6-v2 --head projected --option map=false leaveOneOut=true \\
      --data clinc150 hwu64 banking77 --way 32 --shot 3 --query 1 --confusable 0.5 --out encoders/mine`,
  );
for (const option of [...trainingOptions(), ...setOptions(), ...settingOptions(['encoder'])]) {
  program.addOption(option);
}

program.action(async (options: Options) => {
  const config = await readConfig(options);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

  await initHeads();
  const out = config.out ?? join('models', 'heads', config.head);
  const run: TrainingRunOptions = {
    out,
    folder: options.run ?? join('data', 'runs', out.replace(/[^\w.]+/g, '-')),
    restart: options.restart === true,
    signal: stop.signal,
    observer: progressOf(config),
  };
  const cache = new EmbeddingCache(options.cache);
  const result =
    config.unfreeze === undefined
      ? await trainHead(config, cache, openLoader(options, cache, config.encoder), run)
      : await trainEncoder(config, options, cache, run);
  process.stdout.write(summary(config, out, result));
});

await runProgram(program);

async function readConfig({ config: file }: Options): Promise<TrainingConfig> {
  const given = withFlags(file === undefined ? {} : await readJson(file), program.opts());
  const encoder = namedEncoder(given['encoder']);
  if (encoder !== undefined) given['encoder'] = encoder;
  return readTrainingConfig(given, file ?? 'the training');
}

/** The encoder that flag, file or environment names; undefined where it is the bundled one. */
function namedEncoder(inFile: unknown): unknown {
  const flags = program.opts<{ model?: string }>();
  if (flags.model !== undefined) return flags.model;
  const { model } = readSettings({}, process.env, ['encoder']);
  return inFile ?? (model === readSettings({}, {}, ['encoder']).model ? undefined : model);
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return content as Record<string, unknown>;
    }
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? `is no JSON: ${cause.message}` : 'cannot be read';
    throw new KshotError('invalid_configuration', `the configuration ${file} ${reason}`, { cause });
  }
  throw new KshotError('invalid_configuration', `the configuration ${file} is no object`);
}

/** A head, and the upper layers of the encoder with it. */
async function trainEncoder(
  config: TrainingConfig,
  options: Options,
  cache: EmbeddingCache,
  run: TrainingRunOptions,
): Promise<TrainingResult> {
  if (config.encoder === undefined) {
    throw new KshotError(
      'invalid_configuration',
      'the bundled encoder has no weights that can be trained: name a folder with config.json, tokenizer.json and model.safetensors by --model',
    );
  }
  const folder = join(run.folder, 'start');
  const encoder = await startingEncoder(config.encoder, folder, config.unfreeze!.maxTokens);
  try {
    const data = await loadOnce(config, openLoader(options, cache, encoder.folder));
    const trainee = await encoderTrainee(config, data, encoder, {
      out: run.out,
      cache,
      describe: describeClass,
      threads: readSettings(program.opts(), process.env, ['encoder']).threads,
      progress: (label) => lateProgress(process.stderr, label),
      ...(run.signal === undefined ? {} : { signal: run.signal }),
      interpolated: sayInterpolation,
    });
    try {
      return await runTraining(config, data, run, trainee);
    } finally {
      await trainee.close();
    }
  } finally {
    cache.close();
  }
}

function openLoader(options: Options, cache: EmbeddingCache, encoder: string | undefined): SetLoader {
  const settings = readSettings(
    { ...program.opts(), ...(encoder === undefined ? {} : { model: encoder }) },
    process.env,
    ['encoder'],
  );
  return openSetLoader(settings.model, options, cache, settings);
}

function sayInterpolation(points: readonly InterpolationPoint[], { share }: InterpolationPoint): void {
  const rows = points.map((point) => [
    point.share.toFixed(2),
    percent(point),
    point.share === share ? 'taken' : '',
  ]);
  const headings = ['share of the way from the start', 'validation accuracy, % (95 % interval)', ''];
  process.stderr.write(`\n${table(headings, rows, [0])}`);
}

/** A bar on a terminal, a line for every validation elsewhere. */
function progressOf({ head }: TrainingConfig): TrainingObserver {
  let bar: ReturnType<typeof startProgress> | undefined;
  let now = '';
  const say = (line: string) => {
    if (process.stderr.isTTY !== true) process.stderr.write(`${line}\n`);
  };
  return {
    begun: ({ episodes, of, data, start, baseline }) => {
      process.stderr.write(data.map((line) => `  ${line}\n`).join(''));
      if (episodes > 0) process.stderr.write(`going on after ${episodes} of ${of} episodes\n`);
      say(`untrained: validation accuracy ${percent(start)}; prototypical ${percent(baseline)}`);
      now = `accuracy ${short(start)}`;
      bar = startProgress(process.stderr, `training ${head}`, of);
      bar.update(episodes);
    },
    learned: ({ episodes, loss }) => bar?.update(episodes, `loss ${loss.toFixed(4)}, ${now}`),
    validated: (point, { episodes, best }) => {
      now = `accuracy ${short(point)}, best ${short(best)}`;
      say(`episode ${episodes}: loss ${point.loss!.toFixed(4)}, validation ${now}`);
    },
    ended: () => bar?.stop(),
  };
}

function summary(config: TrainingConfig, out: string, result: TrainingResult): string {
  const { start, best, baseline, episodes, seconds } = result;
  const rows = [
    ['prototypical, untrained', percent(baseline), ''],
    [`${config.head}, untrained`, percent(start), ''],
    [`${config.head}, best`, percent(best), `after ${best.step * config.batch} episodes`],
  ];
  const headings = ['head', 'validation accuracy, % (95 % interval)', ''];
  const verdict =
    best.value > baseline.value
      ? ''
      : 'The training was not worth it: the untrained prototypes are as good or better.\n';
  return [
    `\n${table(headings, rows, [])}`,
    verdict,
    `${episodes} episodes in ${seconds.toFixed(0)} s; the checkpoint is ${out}\n`,
  ].join('');
}

function percent({ value, low, high }: Proportion): string {
  return `${short({ value })} (${short({ value: low })} to ${short({ value: high })})`;
}

function short({ value }: Pick<Proportion, 'value'>): string {
  return (value * 100).toFixed(2);
}
