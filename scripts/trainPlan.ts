import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { readTrainingConfig, type TrainingConfigInput } from '../src/learn/trainingConfig.js';

/*
 * Trains every head of the results page that is not there yet, one after the other: scripts/trainings.json says, benchmark
 * by benchmark, what on, and head by head, how. Each training is one of `npm run train`, and its folder holds the
 * configuration that repeats it alone.
 */

const PLAN = new URL('../../scripts/trainings.json', import.meta.url);
const TRAIN = fileURLToPath(new URL('./train.js', import.meta.url));

const partial = z.record(z.string(), z.json());
const planSchema = z.strictObject({
  defaults: partial,
  heads: z.record(z.string(), partial),
  benchmarks: z.record(
    z.string(),
    z.strictObject({
      /** Where checkpoints go: {head} is the head's name, {seed} the training's seed. */
      out: z.string(),
      seeds: z.array(z.int().nonnegative()).min(1).default([1]),
      /** The heads that are trained for it; all by default. */
      only: z.array(z.string()).optional(),
      /** Heads that are not trained for it: too large, or too slow. */
      without: z.array(z.string()).default([]),
      config: partial,
      /** What is different for a head in this benchmark. */
      heads: z.record(z.string(), partial).default({}),
    }),
  ),
});

interface Options {
  readonly benchmarks?: string[];
  readonly heads?: string[];
  readonly encoders: string;
  readonly checkpoints: string;
  readonly datasets?: string;
  readonly cache?: string;
  readonly list?: true;
}

const program = new Command('train-plan')
  .description('Trains the heads of the results page and those that are shipped: what is not there yet.')
  .option('--benchmarks <names...>', 'those of scripts/trainings.json alone')
  .option('--heads <names...>', 'these heads alone')
  .addOption(
    new Option(
      '--encoders <folder>',
      'the encoders that have not seen a set, without-banking77 and so on, and the base that layers are trained of',
    ).default('data/encoders'),
  )
  .option('--checkpoints <folder>', 'where checkpoints go that are not shipped', 'data/heads')
  .addOption(
    new Option('--datasets <folder>', 'the data sets, as `npm run train` takes them').env('KSHOT_DATASETS'),
  )
  .option('--cache <folder>', 'where embeddings are kept, as `npm run train` takes it')
  .option('--list', 'only say what is there and what is not')
  .action(run);

await program.parseAsync();

async function run(options: Options): Promise<void> {
  const plan = planSchema.parse(JSON.parse(await readFile(PLAN, 'utf8')));
  const { checkpoints, encoders } = options;
  for (const [benchmark, { out: pattern, seeds, only, without, config, heads }] of Object.entries(
    plan.benchmarks,
  )) {
    if (options.benchmarks?.includes(benchmark) === false) continue;
    for (const [head, ofHead] of Object.entries(plan.heads)) {
      if (options.heads?.includes(head) === false || without.includes(head)) continue;
      if (only?.includes(head) === false) continue;
      for (const seed of seeds) {
        const out = filled(pattern, { head, checkpoints, seed: String(seed) });
        const layers = [plan.defaults, ofHead, config, heads[head] ?? {}, { head, out, seed }];
        const training = JSON.parse(
          filled(JSON.stringify(layers.reduce(merged)), { encoders }),
        ) as TrainingConfigInput;
        await trainUnlessThere(training, `${benchmark}, ${head}`, options);
      }
    }
  }
}

async function trainUnlessThere(
  training: TrainingConfigInput,
  name: string,
  options: Options,
): Promise<void> {
  readTrainingConfig(training, name);
  const out = training.out!;
  const there = existsSync(join(out, 'metadata.json'));
  process.stdout.write(`${name}: ${there ? 'is there' : 'to be trained'} (${out})\n`);
  if (!there && options.list !== true) await train(training, options);
}

/** Runs `npm run train` on the configuration; what it says is passed on. */
async function train(training: TrainingConfigInput, { datasets, cache }: Options): Promise<void> {
  const file = join('data', 'runs', `${training.out!.replace(/[^\w.]+/g, '-')}.json`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(training, null, 2)}\n`);
  const flags = Object.entries({ datasets, cache }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
  const child = spawn(process.execPath, [TRAIN, '--config', file, ...flags], { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`${file}: the training ended with ${String(code)}`);
}

type Json = z.infer<ReturnType<typeof z.json>>;

/** Objects into one another, the later before the earlier; anything else, and a {min, max}, as a whole. */
function merged(under: Record<string, Json>, over: Record<string, Json>): Record<string, Json> {
  const result = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const old = result[key];
    result[key] = isPart(old) && isPart(value) ? merged(old, value) : value;
  }
  return result;
}

function isPart(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('min' in value);
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
