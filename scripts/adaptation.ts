import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { random } from '@jax-js/jax';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { readSettings, settingOptions } from '../src/config.js';
import { readCheckpointMetadata } from '../src/heads/checkpoint.js';
import { isHeadName } from '../src/heads/registry.js';
import { initHeads } from '../src/heads/runtime.js';
import { createTrainedHead } from '../src/heads/trained.js';
import type { HeadOptions } from '../src/heads/trainedHead.js';
import {
  type AdaptationPoint,
  type AdaptationSize,
  atSteps,
  madeUpSupport,
  meanAccuracy,
  stepsOf,
  timeAdaptation,
  timeLocally,
} from '../src/learn/adaptationStudy.js';
import { EvaluatedHead, findHead } from '../src/learn/evaluation/evaluatedHead.js';
import { accuracy, type Strata } from '../src/learn/evaluation/outcomes.js';
import { fillSet } from '../src/learn/evaluation/plan.js';
import { standardSettings } from '../src/learn/evaluation/protocol.js';
import { Random } from '../src/statistics/random.js';
import {
  adaptationChart,
  adaptationPage,
  type AdaptationResults,
} from '../src/learn/report/adaptationPage.js';
import { percent } from '../src/learn/report/markdown.js';
import { Benches } from './evaluate/bench.js';
import { type SetFlags, setOptions } from './sets.js';
import { runProgram } from './runProgram.js';
import { writeStudy } from './writeStudy.js';

/*
 * What an inner loop costs and what it brings: docs/results/adaptation.md. Accuracy by the number of inner steps, of every
 * head that adapts, and the time and memory that bots of several sizes take.
 */

const HERE = fileURLToPath(import.meta.url);
const DOCS = fileURLToPath(new URL('../../docs/results', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../models/heads', import.meta.url));
const DIMENSION = 384;

const rowSchema = z.array(
  z.strictObject({
    /** A head that learns nothing offline, or a folder of checkpoints without-<set>/<head>. */
    head: z.string(),
    /** Numbers of inner steps; its own where they are left out. */
    steps: z.array(z.int().nonnegative()).optional(),
    /** Of a trained head: as it is before it has learned anything, with these options. */
    untrained: z.record(z.string(), z.union([z.number(), z.boolean()])).optional(),
    /** How the table calls it. */
    name: z.string().optional(),
  }),
);
type Rows = z.infer<typeof rowSchema>;

/** As scripts/trainings.json has it. */
const CHOSEN = { steps: 10, rowRate: 700, bodyRate: 15000, sharpness: 60, cosine: true };
const ABLATION: readonly (readonly [name: string, options: Partial<typeof CHOSEN>])[] = [
  ['as chosen', {}],
  ['prototypes by distance', { cosine: false }],
  ['body still', { bodyRate: 0 }],
  ['body at 5', { bodyRate: 5000 }],
  ['rows at 0.2', { rowRate: 200 }],
  ['rows at 2', { rowRate: 2000 }],
  ['logits x 0.25', { sharpness: 25 }],
  ['logits x 1', { sharpness: 100 }],
  ['logits x 1, rows at 0.2', { sharpness: 100, rowRate: 200 }],
  ['20 steps', { steps: 20, rowRate: 400, bodyRate: 4000 }],
];

const ROWS: Rows = [
  { head: 'prototypical' },
  { head: 'adapted', steps: [1, 5, 10, 20, 40] },
  // As it is before it learns to weigh, which is worth 0.2 points (docs/defaults.md): the rest is its inner loop.
  { head: 'weighing', untrained: {}, steps: [1, 5, 20, 40] },
  { head: 'proto-maml', steps: [0, 1, 3, 5, 10] },
  // What decides how good it is, before anything is learned: the inner rates, the scale of the logits, the steps, the body.
  ...ABLATION.map(([name, options]) => ({
    head: 'proto-maml',
    name: `untrained, ${name}`,
    untrained: { ...CHOSEN, ...options },
  })),
  { head: 'maml' },
  { head: 'fomaml' },
  { head: 'reptile' },
  { head: 'meta-sgd' },
  { head: 'maml-plus-plus' },
  { head: 'anil' },
  { head: 'lstm-meta-learner' },
  { head: 'learned-optimiser' },
];
/** Intents and examples of the bots that an adaptation is timed on; of the larger ones in processes of their own. */
const TIMED = [
  [77, 5],
  [150, 10],
] as const;
const LARGER = { sizes: [TIMED[1], [1000, 10]], heads: ['adapted', 'weighing', 'proto-maml'] } as const;

interface Options extends SetFlags {
  readonly checkpoints: string;
  readonly encoders: string;
  readonly out: string;
  readonly rows?: string;
  readonly only?: 'accuracy' | 'sizes';
}

const program = new Command('adaptation').description(
  'Measures what the inner loops of the heads cost and bring, and writes docs/results/adaptation.md.',
);
const study = new Command('study')
  .description('the default')
  .option('--checkpoints <folder>', 'where the checkpoints without-<set>/<head> are', 'data/heads')
  .option('--encoders <folder>', 'the encoders without-<set>', 'data/encoders')
  .addOption(
    new Option('--only <part>', 'the other part stays as it is stored').choices(['accuracy', 'sizes']),
  )
  .option('--rows <json>', 'other rows, such as [{"head": "adapted", "steps": [1, 5]}]')
  .option('--out <folder>', 'where adaptation.md, .json and .svg go', DOCS)
  .action(run);
for (const option of [...setOptions(), ...settingOptions(['encoder'])]) study.addOption(option);
program.addCommand(study, { isDefault: true });
program.command('size', { hidden: true }).argument('<task>').action(measureSize);
await runProgram(program);

async function run(options: Options): Promise<void> {
  const rows = options.rows === undefined ? ROWS : rowSchema.parse(JSON.parse(options.rows));
  const file = join(options.out, 'adaptation.json');
  const stored = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Partial<AdaptationResults>;
  const machine = `${cpus().length} cores of ${cpus()[0]!.model.trim()}, Node.js ${process.version}.`;
  const found = (options.only === 'sizes' && stored.points) || (await points(rows, options));
  // What took long is kept, whatever becomes of the rest.
  await writeStudy(options.out, 'adaptation', { machine, points: found, sizes: stored.sizes ?? [] });
  const results: AdaptationResults = {
    machine,
    points: found,
    sizes: (options.only === 'accuracy' && stored.sizes) || (await sizes()),
  };
  await writeStudy(options.out, 'adaptation', results, {
    markdown: adaptationPage(results),
    charts: { adaptation: adaptationChart(results.points) },
  });
}

async function points(rows: Rows, options: Options): Promise<AdaptationPoint[]> {
  await initHeads();
  const benches = new Benches(options, readSettings({ ...options }, process.env));
  const found: AdaptationPoint[] = [];
  try {
    for (const row of rows) {
      for (const at of row.steps ?? [undefined]) {
        const point = await pointOf(row, at, benches, options);
        process.stderr.write(`${point.head}, ${point.steps} steps: ${percent(point.accuracy)} %\n`);
        found.push(point);
      }
    }
  } finally {
    await benches.close();
  }
  return found;
}

async function pointOf(
  { head, untrained, name = head }: Rows[number],
  steps: number | undefined,
  benches: Benches,
  { checkpoints, encoders }: Options,
): Promise<AdaptationPoint> {
  const bySetting: Record<string, Strata> = {};
  const milliseconds: Record<string, number> = {};
  let own = 0;
  for (const setting of standardSettings('intents', { split: 'valid' })) {
    const bench = await benches.of(fillSet(join(encoders, 'without-{set}'), setting), undefined);
    const source = isHeadName(head) ? head : join(checkpoints, fillSet('without-{set}', setting), head);
    const whole =
      untrained === undefined
        ? (await findHead(source, await bench.fingerprintOf(setting))).open(DIMENSION)
        : untrainedHead(head, untrained);
    const evaluated = steps === undefined ? whole : atSteps(whole, steps);
    const variant = { nameRows: true, detector: 'confidence', marked: false } as const;
    const { strata } = await bench.evaluator.evaluate(evaluated, setting.protocol, variant);
    bySetting[`${setting.name}, ${setting.group.split(' ')[0]}`] = strata!;
    if (Object.keys(milliseconds).length === 0) {
      for (const [intents, shots] of TIMED) {
        const support = madeUpSupport(intents, shots, DIMENSION, new Random(1));
        milliseconds[`${intents} x ${shots}`] = timeAdaptation(evaluated.runtime, support);
      }
    }
    own = steps ?? stepsOf(whole);
    whole.dispose();
    if (evaluated !== whole) evaluated.dispose();
  }
  const each = Object.entries(bySetting).map(([name, strata]) => [name, accuracy([strata])]);
  return {
    head: name,
    steps: own,
    accuracy: meanAccuracy(bySetting),
    bySetting: Object.fromEntries(each) as AdaptationPoint['bySetting'],
    milliseconds,
  };
}

function untrainedHead(name: string, options: HeadOptions): EvaluatedHead {
  const head = createTrainedHead(name, options);
  return new EvaluatedHead(head, DIMENSION, head.init(random.key(1), DIMENSION));
}

/** What a process of its own is asked to measure. */
interface SizeTask {
  /** A built-in head, or the folder of a checkpoint. */
  readonly source: string;
  readonly intents: number;
  readonly shots: number;
}

async function sizes(): Promise<AdaptationSize[]> {
  const measured: AdaptationSize[] = [];
  for (const [intents, shots] of LARGER.sizes) {
    for (const head of LARGER.heads) {
      const source = isHeadName(head) ? head : join(SHIPPED, head);
      const task: SizeTask = { source, intents, shots };
      const { stdout } = await promisify(execFile)(process.execPath, [HERE, 'size', JSON.stringify(task)]);
      measured.push({ head, intents, shots, ...(JSON.parse(stdout) as SizeFigures) });
      process.stderr.write(`${head}, ${intents} x ${shots}: ${stdout}`);
    }
  }
  return measured;
}

type SizeFigures = Pick<AdaptationSize, 'steps' | 'milliseconds' | 'megabytes' | 'localMilliseconds'>;

async function measureSize(json: string): Promise<void> {
  const { source, intents, shots } = JSON.parse(json) as SizeTask;
  await initHeads();
  const encoder = isHeadName(source) ? '' : (await readCheckpointMetadata(source)).encoder;
  const evaluated = (await findHead(source, encoder)).open(DIMENSION);
  const support = madeUpSupport(intents, shots, DIMENSION, new Random(1));
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const fits = adaptsWithinMemory(() => evaluated.runtime.adapt(support));
  const milliseconds = performance.now() - start;
  const figures: SizeFigures = {
    steps: stepsOf(evaluated),
    milliseconds: fits ? milliseconds : null,
    megabytes: fits ? (process.resourceUsage().maxRSS - before) / 1024 : null,
    localMilliseconds: timeLocally(evaluated.runtime),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Whether jax-js had memory enough. */
function adaptsWithinMemory(adapt: () => unknown): boolean {
  try {
    adapt();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
