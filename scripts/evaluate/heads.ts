import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { wholeNumber } from '../../src/cli/numbers.js';
import { readSettings, settingOptions } from '../../src/config.js';
import { HEAD_NAMES, isHeadName } from '../../src/heads/registry.js';
import { initHeads } from '../../src/heads/runtime.js';
import { fillBenchmark } from '../../src/learn/evaluation/fill.js';
import { type Plan, planSchema } from '../../src/learn/evaluation/plan.js';
import { BENCHMARK_NAMES, type BenchmarkName } from '../../src/learn/evaluation/protocol.js';
import { ResultStore } from '../../src/learn/evaluation/resultStore.js';
import { resultsPage } from '../../src/learn/report/page.js';
import { Benches, reporting } from './bench.js';
import { type SetFlags, setOptions } from '../sets.js';

// Heads on one benchmark, beside the untrained prototypes on the same queries: a report with tables and charts.

interface Options extends SetFlags {
  readonly benchmark: BenchmarkName;
  readonly head: string[];
  readonly set?: string[];
  readonly split?: string;
  readonly episodes?: number;
  readonly draws?: number;
  readonly seed?: number;
  readonly entities?: true;
  readonly marked?: boolean;
  readonly names: boolean;
  readonly calibration?: string;
  readonly out: string;
}

const BASELINE = 'untrained prototypes';

/** Heads on a benchmark. */
export const heads = new Command('heads')
  .description('Accuracy of heads on a benchmark, beside untrained prototypes on the same queries.')
  .addOption(
    new Option('--benchmark <name>', 'what is measured').choices(BENCHMARK_NAMES).makeOptionMandatory(),
  )
  .requiredOption(
    '--head <names...>',
    `folders of checkpoints, or heads without any: ${HEAD_NAMES.join(', ')}`,
  )
  .option('--set <names...>', "the benchmark's sets (FewRel: splits); all by default")
  .option('--split <name>', 'queries of intent sets: valid or test (default: test)')
  .option('--episodes <n>', 'episodes of each setting of FewRel (default: 1000)', wholeNumber())
  .option('--draws <n>', 'support sets that accuracy by shots is drawn from (default: 5)', wholeNumber())
  .option('--seed <n>', 'of the episodes or draws (default: 1)', wholeNumber())
  .option('--entities', "FewRel: the entities' token states joined to the sentence's embedding")
  .option('--marked', 'FewRel: the entities between marks, as the encoder was trained')
  .option('--no-names', "without the intents' names as support rows")
  .option(
    '--calibration <file>',
    'temperatures and the detector of scope; without it logits are taken as they are',
  )
  .option(
    '--out <folder>',
    'where the report is written; what it holds already is not evaluated again',
    'report',
  )
  .addHelpText(
    'after',
    `
Benchmarks:
  fewrel   N-way K-shot episodes over FewRel: val_wiki and val_pubmed, 5 and 10 ways, 1 and 5 shots
  arsc     the 12 test tasks of ARSC
  intents  published 5- and 10-shot support sets of BANKING77, CLINC150 and HWU64, all intents at once
  oos      CLINC150 with queries out of scope
  shots    accuracy by the number of examples: 1, 2, 5, 10, 20, and 1 to 40 unevenly

Examples:
  $ npm run evaluate -- --benchmark fewrel --head models/heads/induction --set val_wiki --episodes 2000
  $ npm run evaluate -- --benchmark arsc --head data/heads/arsc/induction-seed1 data/heads/arsc/induction-seed2
  $ npm run evaluate -- --benchmark intents --head data/heads/without-banking77/relation --set banking77 \\
      --model encoders/without-banking77 --out report/relation`,
  );
for (const option of [...setOptions(), ...settingOptions(['encoder'])]) heads.addOption(option);

heads.action(async (options: Options) => {
  const settings = readSettings(heads.opts(), process.env, ['encoder']);
  const plan = planOf(options, settings.model);
  const [benchmark] = plan.benchmarks;
  const store = await ResultStore.open(join(options.out, 'results.json'));
  await initHeads();
  const benches = new Benches(options, settings);
  try {
    await fillBenchmark(benchmark!, store, {
      bench: (encoder, calibration) => benches.of(encoder, calibration),
      locate: (head) => head,
      missing: (error) => {
        throw error;
      },
      ...reporting,
    });
  } finally {
    await benches.close();
  }
  const { markdown, pictures } = await resultsPage(plan, new Map([[options.benchmark, store]]), {
    intro: '# Evaluation\n',
    pictures: '',
  });
  await mkdir(options.out, { recursive: true });
  await writeFile(join(options.out, 'report.md'), markdown);
  for (const [name, picture] of pictures) await writeFile(join(options.out, name), picture);
  process.stdout.write(markdown.replace(/^!\[.*\n\n?/gm, ''));
  process.stderr.write(`The report is ${join(options.out, 'report.md')}\n`);
});

function planOf({ benchmark, names: nameRows, marked = false, ...options }: Options, encoder: string): Plan {
  const showsNames = benchmark !== 'fewrel' && benchmark !== 'arsc';
  const rows = [
    { name: BASELINE, heads: ['prototypical-euclidean'], nameRows: false, marked },
    ...(showsNames && !options.head.includes('adapted') ? [rowOf('adapted')] : []),
    ...options.head.map(rowOf),
  ];
  return planSchema.parse({
    benchmarks: [
      {
        benchmark,
        title: TITLES[benchmark],
        about: `Seen by the heads: below.`,
        encoder,
        calibration: options.calibration,
        encoderSeen: `${basename(encoder)}; what it has seen its model card says.`,
        options: {
          sets: options.set,
          split: options.split,
          episodes: options.episodes,
          draws: options.draws,
          seed: options.seed,
          entities: options.entities,
        },
        rows: benchmark === 'oos' ? [...rows, ...detectorRows(options)] : rows,
        baselines: [BASELINE, ...(showsNames ? ['adapted'] : [])],
        featured: rows.at(-1)!.name,
      },
    ],
  });

  function rowOf(head: string) {
    return { name: isHeadName(head) ? head : basename(head), heads: [head], nameRows, marked };
  }
}

/** What tells scope without a head; the head beside it says the accuracy in scope. */
function detectorRows({ calibration }: Pick<Options, 'calibration'>) {
  const plain = { name: 'nearest prototype', heads: ['prototypical'], detector: 'prototype' };
  return calibration === undefined
    ? [plain]
    : [plain, { name: 'detector', heads: ['adapted'], detector: 'served' }];
}

const TITLES: Readonly<Record<BenchmarkName, string>> = {
  fewrel: 'FewRel',
  arsc: 'ARSC',
  intents: 'Intents, published support sets',
  oos: 'CLINC150, out of scope',
  shots: 'Intents by the number of examples',
};
