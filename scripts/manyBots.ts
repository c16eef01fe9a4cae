import { Agent } from 'node:http';
import { join } from 'node:path';
import { Command } from 'commander';
import { startProgress } from '../src/cli/progress.js';
import { Random } from '../src/statistics/random.js';
import { json, metric, send, settled } from '../test/e2e/api.js';
import type { Server } from '../test/e2e/kshot.js';
import { latencies } from './bench/figures.js';
import { inSchema } from './bench/schema.js';
import { runProgram } from './runProgram.js';
import { fillStore, questionTo } from './stress/botFill.js';
import { BOT, demoTexts, report, Stage } from './stress/stage.js';

// More bots than memory has room for: how soon does the server start, how long does the first answer of a bot take that is not
// in memory, and does the limit hold?

interface Options {
  readonly bots: number;
  readonly intents: number;
  readonly examples: number;
  readonly botMemoryMb: number;
  readonly requests?: number;
  readonly samples: number;
  readonly store?: string;
  readonly flags: string[];
}

/** Requests at a time while bots are swept over: as many as two cores are kept busy by. */
const CLIENTS = 4;
const QUANTILES = [0.5, 0.95, 0.99];

const program = new Command('many-bots')
  .description('Fills a store with bots, and measures start, first answers and memory under a limit.')
  .option('--bots <n>', 'bots', Number, 10_000)
  .option('--intents <n>', 'intents of each', Number, 20)
  .option('--examples <n>', 'examples of each intent', Number, 5)
  .option('--bot-memory-mb <n>', 'the limit, in MiB', Number, 1024)
  .option('--requests <n>', 'texts of each sweep (default: as many as bots)', Number)
  .option('--samples <n>', 'bots whose first answers are timed', Number, 500)
  .option('--store <url>', 'a PostgreSQL database, in a schema that is dropped at the end (default: SQLite)')
  .argument('[flags...]', 'flags of the server, after --', [])
  .action((flags: string[], options: Omit<Options, 'flags'>) =>
    Stage.run(async (stage) => {
      const { store } = options;
      if (store === undefined) await manyBots(stage, { ...options, flags });
      else await inSchema(store, (url) => manyBots(stage, { ...options, store: url, flags }));
    }),
  );

await runProgram(program);

async function manyBots(stage: Stage, options: Options): Promise<void> {
  const { bots, intents, examples, botMemoryMb, store, flags } = options;
  const folder = await stage.folder();
  const utterances = await demoTexts();
  const filled = await fillStore({
    bots,
    intents,
    examples,
    utterances,
    url: store,
    file: join(folder, 'kshot.db'),
  });

  const empty = await stage.serve(await stage.folder(), ['--threads', '1']);
  await ask(empty.url, BOT, utterances[0]!);
  await settled(empty.url);
  const bare = await rss(empty.url);
  await empty.process.end('SIGTERM');

  const started = performance.now();
  const server = await stage.serve(folder, [
    ...['--no-demo', '--bot-memory-mb', String(botMemoryMb)],
    ...(store === undefined ? [] : ['--store', store]),
    ...flags,
  ]);
  const startSeconds = (performance.now() - started) / 1000;
  const ready = await figures(server);

  const random = new Random(1);
  const names = random.sample(filled.names, filled.names.length);
  const agent = new Agent({ keepAlive: true });
  const question = (bot: string) => questionTo(bot, filled, random);
  const first: number[] = [];
  const again: number[] = [];
  const bar = startProgress(process.stderr, 'First answers', options.samples);
  for (const [i, bot] of names.slice(0, options.samples).entries()) {
    first.push(await ask(server.url, bot, question(bot), agent));
    again.push(await ask(server.url, bot, question(bot), agent));
    bar.update(i + 1);
  }
  bar.stop();

  const requests = options.requests ?? bots;
  const zipf = zipfOf(names.length, random);
  const sweep = async (label: string, next: (n: number) => string) => {
    const before = await figures(server);
    const times: number[] = [];
    const progress = startProgress(process.stderr, label, requests);
    let sent = 0;
    const client = async () => {
      while (sent < requests) {
        const bot = next(sent++);
        times.push(await ask(server.url, bot, question(bot), agent));
        progress.update(times.length);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    progress.stop();
    const after = await figures(server);
    return { times, after, loads: after.loads - before.loads, letGos: after.letGos - before.letGos };
  };
  const skewed = await sweep('Zipf', () => names[zipf()]!);
  const even = await sweep('Uniform', (n) => names[n % names.length]!);
  agent.destroy();

  const memory = ({ rss, estimate, inMemory }: Figures) => [
    `${mib(rss)} MiB`,
    `${mib(rss - bare)} MiB`,
    `${mib(estimate)} MiB`,
    String(inMemory),
  ];
  const what = store === undefined ? 'SQLite' : 'PostgreSQL';
  report(
    `Many bots: ${bots} of ${intents} intents of ${examples} examples, ${what}, --bot-memory-mb ${botMemoryMb}`,
    ['what', 'measured'],
    [
      ['filling the store', `${filled.seconds.toFixed(0)} s`],
      ['start until ready', `${startSeconds.toFixed(1)} s`],
      ['first answer of a bot: p50, p95, p99', latencies(first, QUANTILES)],
      ['the next answer', latencies(again, QUANTILES)],
      [`Zipf-like use, ${requests} texts, ${CLIENTS} at a time`, latencies(skewed.times, QUANTILES)],
      ['  loads, let go', `${skewed.loads}, ${skewed.letGos}`],
      [`uniform use, ${requests} texts, ${CLIENTS} at a time`, latencies(even.times, QUANTILES)],
      ['  loads, let go', `${even.loads}, ${even.letGos}`],
    ],
  );
  report(
    'Memory',
    ['when', 'resident', 'beyond a server with one bot', 'estimated', 'bots in memory'],
    [
      ['ready', ...memory(ready)],
      ['after Zipf-like use', ...memory(skewed.after)],
      ['after uniform use', ...memory(even.after)],
    ],
    [1, 2, 3, 4],
  );
}

interface Figures {
  readonly rss: number;
  readonly estimate: number;
  readonly inMemory: number;
  readonly loads: number;
  readonly letGos: number;
}

async function figures({ url }: Server): Promise<Figures> {
  return {
    rss: await rss(url),
    estimate: await metric(url, 'kshot_bots_memory_bytes'),
    inMemory: await metric(url, 'kshot_bots_in_memory'),
    loads: await metric(url, 'kshot_bot_load_duration_seconds_count'),
    letGos: await metric(url, 'kshot_bots_let_go_total'),
  };
}

function rss(url: string): Promise<number> {
  return metric(url, 'process_resident_memory_bytes');
}

/** Milliseconds until a text is answered. */
async function ask(url: string, bot: string, text: string, agent?: Agent): Promise<number> {
  const answer = await send(url, 'POST', `/v1/bots/${bot}/classify`, {
    body: { text },
    ...(agent && { agent }),
  });
  json(answer);
  return answer.milliseconds;
}

/** Draws positions from 0 to n - 1, the one at k with a probability in proportion to 1 / (k + 1). */
function zipfOf(n: number, random: Random): () => number {
  const bounds: number[] = [];
  let total = 0;
  for (let k = 0; k < n; k++) bounds.push((total += 1 / (k + 1)));
  return () => {
    const drawn = random.next() * total;
    let [low, high] = [0, n - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bounds[middle]! < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
