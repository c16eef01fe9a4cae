import { readFile, writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { latencies, machine } from './bench/figures.js';
import { placesOf, twoCores } from './bench/pin.js';
import { type Holding, measureMemory, type MemoryRow } from './capacity/memory.js';
import { LOAD_SHARE, planFor, ZONES } from './capacity/plan.js';
import { measureRates, type RateOptions, type RateRow } from './capacity/rates.js';
import { runProgram } from './runProgram.js';
import { Stage } from './stress/stage.js';

// What one core answers within a bound, and what examples take in memory: the figures that docs/capacity.md plans from.

interface Options extends RateOptions {
  readonly holdings: readonly Holding[];
  readonly only: readonly Section[];
  readonly output?: string;
}

const SECTIONS = ['rates', 'memory'] as const;
type Section = (typeof SECTIONS)[number];

const PLANNED = { perSecond: 100_000, examples: 1_000_000 };
const GIBIBYTE = 2 ** 30;

const program = new Command('capacity')
  .description(
    'Requests a second of one core at a bound of their p99, and the memory of a million examples, as Markdown. ' +
      'Some 15 minutes and 10 GiB by default; on two cores that have nothing else to do.',
  )
  .addOption(new Option('--only <sections...>', 'what to measure').choices(SECTIONS).default(SECTIONS))
  .option('--bound <ms>', 'rates: p99 to be kept', Number, 50)
  .option('--seconds <n>', 'rates: of each step of a search', Number, 10)
  .option('--repeats <list>', 'rates: shares of requests whose text is in the cache', numbers, [0, 0.5, 0.9])
  .option('--holdings <list>', 'memory: bots x examples, comma-separated', holdings, [
    { bots: 1000, examples: 1000 },
    { bots: 1, examples: 100_000 },
  ])
  .option('--output <file>', 'a page whose part between "<!-- measured -->" and "<!-- end -->" is replaced')
  .addHelpText('after', '\nExample:\n  $ npm run capacity -- --only rates --seconds 5')
  .action((options: Options) => Stage.run((stage) => capacity(stage, options)));

await runProgram(program);

async function capacity(stage: Stage, { only, holdings, output, ...options }: Options): Promise<void> {
  const cores = await twoCores();
  const progress = (what: string) => process.stderr.write(`${what}\n`);
  const rates = only.includes('rates') ? await measureRates(stage, cores, options, progress) : [];
  const memory = only.includes('memory') ? await measureMemory(stage, holdings, progress) : undefined;
  const when = new Date().toISOString().slice(0, 10);
  const parts = [
    `Measured on ${when}, ${machine()}; ${placesOf(cores)}, steps of ${options.seconds} s.`,
    ...(rates.length > 0 ? [ratesTable(rates, options.bound)] : []),
    ...(memory === undefined ? [] : [memoryTable(memory.rows)]),
    ...(rates.length > 0 && memory !== undefined ? [planTable(rates, memory)] : []),
  ];
  const page = `${parts.join('\n\n')}\n`;
  process.stdout.write(`\n${page}`);
  if (output !== undefined) await replaceMeasured(output, page);
}

function ratesTable(rates: readonly RateRow[], bound: number): string {
  return markdown(
    ['bot', 'repeated texts', `requests/s a core at p99 ≤ ${bound} ms`],
    rates.map(({ bot, repeats, perSecond }) => [bot, percent(repeats), perSecond.toFixed(0)]),
  );
}

function memoryTable(rows: readonly MemoryRow[]): string {
  return markdown(
    [
      'bots × examples',
      'memory',
      'of a million examples',
      'first start',
      'next start',
      'first answer of a bot: p50, p99',
      'later ones',
    ],
    rows.map(({ bots, examples, bytes, startSeconds, restartSeconds, firstAnswers, answers }) => [
      `${bots} × ${examples}`,
      gibibytes(bytes),
      gibibytes((bytes / (bots * examples)) * 1e6),
      `${startSeconds.toFixed(1)} s`,
      `${restartSeconds.toFixed(1)} s`,
      bots > 1 ? latencies(firstAnswers, [0.5, 0.99], 1) : '',
      latencies(answers, [0.5, 0.99], 1),
    ]),
  );
}

/** For the first of the holdings, and the bot with the lower rates. */
function planTable(rates: readonly RateRow[], { baseBytes, rows: [held] }: MemoryOutcome): string {
  const shares = [...new Set(rates.map(({ repeats }) => repeats))];
  const bytesPerMillion = (held!.bytes / (held!.bots * held!.examples)) * 1e6;
  const rows = shares.map((share) => {
    const perSecond = Math.min(
      ...rates.filter(({ repeats }) => repeats === share).map((row) => row.perSecond),
    );
    const { cores, coresWithSpare, bytes } = planFor(PLANNED, { perSecond, baseBytes, bytesPerMillion });
    return [percent(share), perSecond.toFixed(0), String(cores), String(coresWithSpare), gibibytes(bytes)];
  });
  const title = `For ${PLANNED.perSecond} requests/s, a million examples on every server, ${percent(LOAD_SHARE)} of the measured rate, one of ${ZONES} zones lost:`;
  const headings = [
    'repeated texts',
    'requests/s a core',
    'cores',
    'cores with a spare zone',
    'memory of all',
  ];
  return `${title}\n\n${markdown(headings, rows)}`;
}

type MemoryOutcome = Awaited<ReturnType<typeof measureMemory>>;

function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

async function replaceMeasured(file: string, measured: string): Promise<void> {
  const page = await readFile(file, 'utf8');
  const part = /(<!-- measured -->\n)[^]*(<!-- end -->)/;
  if (!part.test(page)) throw new Error(`${file} has no "<!-- measured -->" before an "<!-- end -->"`);
  await writeFile(
    file,
    page.replace(part, (_, begin, end) => `${begin}\n${measured}\n${end}`),
  );
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}

function holdings(list: string): Holding[] {
  return list.split(',').map((one) => {
    const [bots = NaN, examples = NaN] = one.split('x').map(Number);
    return { bots, examples };
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(bytes < 10 * GIBIBYTE ? 2 : 0)} GiB`;
}
