import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { readSettings, settingOptions } from '../src/config.js';
import { KshotError } from '../src/errors.js';
import { isHeadName } from '../src/heads/registry.js';
import { initHeads } from '../src/heads/runtime.js';
import { fillBenchmark } from '../src/learn/evaluation/fill.js';
import { type Plan, planSchema } from '../src/learn/evaluation/plan.js';
import { ResultStore } from '../src/learn/evaluation/resultStore.js';
import { type Page, resultsPage } from '../src/learn/report/page.js';
import { Benches, reporting } from './evaluate/bench.js';
import { type SetFlags, setOptions } from './sets.js';
import { runProgram } from './runProgram.js';

// The results page: evaluates what scripts/results.json plans and docs/results/ does not hold yet, and writes the page of it.

const PACKAGE = new URL('../../', import.meta.url);
const PLAN = fileURLToPath(new URL('scripts/results.json', PACKAGE));
const DOCS = fileURLToPath(new URL('docs', PACKAGE));
const SHIPPED_ENCODER = fileURLToPath(new URL('models/encoder', PACKAGE));

const INTRO = `# Results

This page is written by \`npm run results\`, from the plan in [scripts/results.json](../scripts/results.json) and from what was
measured, query by query, in [docs/results](results): do not edit it by hand. Bold is the best of a column.
`;

interface Options extends SetFlags {
  readonly checkpoints: string;
  readonly encoders: string;
  readonly only?: string[];
  readonly rows?: string[];
  readonly check?: true;
  readonly pageOnly?: true;
  readonly docs: string;
  readonly plan: string;
}

const program = new Command('results')
  .description('Evaluates what the plan lists and was not evaluated yet, and writes docs/results.md.')
  .option('--only <benchmarks...>', 'evaluate these benchmarks alone')
  .option('--rows <names...>', 'evaluate these rows alone, besides the baselines')
  .option('--checkpoints <folder>', "where the plan's checkpoints and calibrations are", 'data/heads')
  .option('--encoders <folder>', "where the plan's encoders are, besides the shipped one", 'data/encoders')
  .option('--page-only', 'evaluate nothing: write the page of what is stored')
  .option('--check', 'write nothing: say whether the page is what the stored results give')
  .option('--plan <file>', 'the plan', PLAN)
  .option('--docs <folder>', 'where results.md and results/ are', DOCS)
  .addHelpText(
    'after',
    `
Examples:
  $ npm run results -- --datasets ~/datasets --encoders ~/encoders
  $ npm run results -- --only fewrel arsc --rows induction
  $ npm run results -- --check`,
  );
for (const option of [...setOptions(), ...settingOptions(['encoder'])]) program.addOption(option);

program.action(async (options: Options) => {
  const plan = await readPlan(options.plan);
  const stores = new Map<string, ResultStore>();
  for (const { benchmark } of plan.benchmarks) {
    stores.set(benchmark, await ResultStore.open(join(options.docs, 'results', `${benchmark}.json`)));
  }
  if (options.check !== true && options.pageOnly !== true) await evaluate(plan, stores, options);
  const page = await resultsPage(plan, stores, { intro: INTRO, pictures: 'results' });
  const benchmarks = plan.benchmarks.map(({ benchmark }) => benchmark);
  if (options.check !== true) return write(page, options.docs, benchmarks);
  const stale = await staleFiles(page, options.docs, benchmarks);
  if (stale.length === 0) return;
  throw new KshotError(
    'invalid_file',
    `${stale.join(', ')}: not what the stored results give; run npm run results -- --page-only`,
  );
});

await runProgram(program);

async function readPlan(file: string): Promise<Plan> {
  return planSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

async function evaluate(
  plan: Plan,
  stores: ReadonlyMap<string, ResultStore>,
  options: Options,
): Promise<void> {
  await initHeads();
  const benches = new Benches(options, readSettings(program.opts(), process.env, ['encoder']));
  const say = (message: string) => void process.stderr.write(`${message}\n`);
  try {
    for (const benchmark of plan.benchmarks) {
      if (options.only?.includes(benchmark.benchmark) === false) continue;
      const wanted = (name: string) =>
        options.rows === undefined || options.rows.includes(name) || benchmark.baselines.includes(name);
      await fillBenchmark(benchmark, stores.get(benchmark.benchmark)!, {
        bench: (encoder, calibration, trained) =>
          benches.of(
            encoder === 'shipped'
              ? SHIPPED_ENCODER
              : join(trained ? options.checkpoints : options.encoders, encoder),
            calibration && join(options.checkpoints, calibration),
          ),
        locate: (head) => (isHeadName(head) ? head : join(options.checkpoints, head)),
        wanted: ({ name }) => wanted(name),
        missing: ({ message }) => say(`left out: ${message}`),
        ...reporting,
      }).catch((error: unknown) => {
        // Of one benchmark the data or the encoder may be absent; the others can be evaluated.
        if (!(error instanceof KshotError)) throw error;
        say(`${benchmark.title} is left out: ${error.message}`);
      });
    }
  } finally {
    await benches.close();
  }
}

function filesOf({ markdown, pictures }: Page): [path: string, content: string][] {
  return [
    ['results.md', markdown],
    ...[...pictures].map(([name, picture]): [string, string] => [join('results', name), picture]),
  ];
}

async function write(page: Page, docs: string, benchmarks: readonly string[]): Promise<void> {
  await mkdir(join(docs, 'results'), { recursive: true });
  const files = filesOf(page);
  for (const [path, content] of files) await writeFile(join(docs, path), content);
  const kept = new Set(files.map(([path]) => path));
  for (const picture of await pictures(docs, benchmarks))
    if (!kept.has(picture)) await rm(join(docs, picture));
}

/** Files that are not what they should be, or should not be. */
async function staleFiles(page: Page, docs: string, benchmarks: readonly string[]): Promise<string[]> {
  const files = new Map(filesOf(page));
  const all = new Set([...files.keys(), ...(await pictures(docs, benchmarks))]);
  const stale: string[] = [];
  for (const path of all) {
    const content = await readFile(join(docs, path), 'utf8').catch(() => undefined);
    if (content !== files.get(path)) stale.push(path);
  }
  return stale;
}

/** The page's own pictures, by the names that it gives them; other pages have theirs in the same folder. */
async function pictures(docs: string, benchmarks: readonly string[]): Promise<string[]> {
  const names = await readdir(join(docs, 'results')).catch(() => []);
  return names
    .filter((name) => name.endsWith('.svg') && benchmarks.some((own) => name.startsWith(`${own}-`)))
    .map((name) => join('results', name));
}
