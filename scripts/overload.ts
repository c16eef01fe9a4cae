import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { classify } from '../test/e2e/api.js';
import { latencies, quantile } from './bench/figures.js';
import { runLoad } from './bench/load.js';
import { placesOf, twoCores } from './bench/pin.js';
import { runProgram } from './runProgram.js';
import { type Sample, runArrivals } from './stress/arrivals.js';
import { hasNginx, Nginx } from './stress/nginx.js';
import { boundOf, type Buckets, readBuckets } from './stress/serverTimes.js';
import { BOT, demoTexts, report, Stage } from './stress/stage.js';

// More requests than the server can answer: does it go on answering as many as it can, turn the others away fast, and is it
// itself again as soon as they stop coming? One text a request, no two alike, from a process of its own on the same machine.
// First of the server as it is, then behind nginx as it is shipped, which is outside of the server as the load is.

interface Overload {
  readonly seconds: number;
  /** Of the capacity, how many times as many requests come. */
  readonly factor: number;
  /** How long the capacity is measured, before and after. */
  readonly capacitySeconds: number;
}

type Row = readonly [what: string, measured: string, aim: string];

/** Enough that a full pass always waits beside the one that runs. */
const CLIENTS = 96;
const WARM_UP_SECONDS = 3;
/** Of a closed loop: more than are answered in that time. */
const MOST_REQUESTS = 100_000;
/** Answers that came as fast as on the idle server, one after the other, say that it has recovered. */
const ANSWERS_IN_A_ROW = 5;
const PROBE_EVERY_MS = 50;
const RECOVERY_LIMIT_MS = 60_000;
/** Until the queue is full, and everything is compiled, the load is not yet that of an overload. */
const SETTLING_MS = 3000;
const QUANTILES = [0.5, 0.99];

const program = new Command('overload')
  .description(
    'Goodput, refusals and recovery of a server that gets several times what it can answer, by itself and behind nginx with the ' +
      'configuration of deploy/compose. The server has a core, load and nginx another.',
  )
  .option('--seconds <n>', 'how long', Number, 60)
  .option('--factor <n>', 'times the capacity', Number, 4)
  .option('--capacity-seconds <n>', 'how long the capacity is measured, before and after', Number, 10)
  .argument('[flags...]', 'flags of the server, after --', [])
  .action((flags: string[], options: Overload) => Stage.run((stage) => inTurn(stage, options, flags)));

await runProgram(program);

async function inTurn(stage: Stage, options: Overload, flags: readonly string[]): Promise<void> {
  const cores = await twoCores();
  const server = await stage.serve(await stage.folder(), flags, { core: cores?.server });
  const fronts = [{ name: 'by itself', url: server.url }];
  if (hasNginx) {
    const nginx = await Nginx.create(await stage.folder(), [server.url]);
    stage.onLeaving(() => nginx.stop());
    await nginx.start(cores?.load);
    fronts.push({ name: 'behind nginx', url: nginx.url });
  } else process.stderr.write('There is no nginx here: the server is measured by itself only\n');

  const columns: Row[][] = [];
  for (const { url } of fronts) columns.push(await overload(url, server.url, cores?.load, options));
  report(
    `Overload: ${options.seconds} s of ${options.factor} times the capacity; ${placesOf(cores)}`,
    ['what', ...fronts.map(({ name }) => name), 'aim'],
    columns[0]!.map(([what, , aim], n) => [what, ...columns.map((rows) => rows[n]![1]), aim]),
  );
}

/** @param url of the server, or of what is in front of it. @param core of the load. */
async function overload(
  url: string,
  server: string,
  core: number | undefined,
  { seconds, factor, capacitySeconds }: Overload,
): Promise<Row[]> {
  const load = { url: `${url}/v1/bots/${BOT}/classify`, texts: await demoTexts(), core };
  const texts = Array.from({ length: MOST_REQUESTS }, (_, n) => `${load.texts[n % load.texts.length]!} ${n}`);
  const measureCapacity = async (seconds: number) =>
    (await runLoad({ ...load, texts, clients: CLIENTS, requests: MOST_REQUESTS, seconds })).requestsPerSecond;

  await measureCapacity(Math.min(WARM_UP_SECONDS, capacitySeconds));
  const before = await measureCapacity(capacitySeconds);
  const idle = await medianLatency(url);

  const ownTimes = () => Promise.all([200, 503].map((status) => readBuckets(server, status)));
  const [answeredBefore, refusedBefore] = await ownTimes();
  const samples = await runArrivals({ ...load, perSecond: factor * before, seconds });
  const [answeredAfter, refusedAfter] = await ownTimes();
  const recovered = await recovery(url, 2 * idle + PROBE_EVERY_MS);
  // The machine may have other work now than it had then: goodput is held against both.
  const after = await measureCapacity(capacitySeconds);
  const capacity = (before + after) / 2;

  const steady = samples.filter(({ at }) => at >= SETTLING_MS);
  const answered = steady.filter(({ status }) => status === 200);
  const refused = steady.filter(({ status }) => status === 503);
  const broken = steady.length - answered.length - refused.length;
  // Those that were answered in the time; what was sent in it and answered later belongs to the recovery.
  const inTime = samples.filter(
    ({ at, ms, status }) => status === 200 && at + ms >= SETTLING_MS && at + ms < seconds * 1000,
  );
  const goodput = inTime.length / (seconds - SETTLING_MS / 1000);
  const lastAnswer = samples.reduce((last, { at, ms }) => Math.max(last, at + ms), 0);
  const recoveryMs = Math.max(0, lastAnswer - seconds * 1000) + recovered;
  const sentPerSecond = samples.length / seconds;

  return [
    [`capacity, ${CLIENTS} clients: before, after`, `${before.toFixed(0)}/s, ${after.toFixed(0)}/s`, ''],
    [
      'sent',
      `${sentPerSecond.toFixed(0)}/s, ${(sentPerSecond / capacity).toFixed(1)} times the capacity`,
      '',
    ],
    [
      'goodput',
      `${goodput.toFixed(0)}/s, ${percent(goodput / capacity)} of the capacity's mean`,
      '90 % or more',
    ],
    ['answered: p50, p99', latencies(timesOf(answered), QUANTILES), ''],
    ["the same by the server's clock", ownLatencies(answeredBefore!, answeredAfter!), ''],
    ['refused (503)', percent(refused.length / steady.length), ''],
    ['refused: p50, p99', latencies(timesOf(refused), QUANTILES), 'within 50 ms'],
    ["the same by the server's clock", ownLatencies(refusedBefore!, refusedAfter!), ''],
    ['neither', String(broken), '0'],
    ['idle server: p50 of one after the other', `${idle.toFixed(0)} ms`, ''],
    ['after the load: until answered as before it', `${(recoveryMs / 1000).toFixed(1)} s`, 'within 5 s'],
  ];
}

function ownLatencies(before: Buckets, after: Buckets): string {
  const bounds = QUANTILES.map((q) => boundOf(before, after, q));
  return bounds.some(Number.isNaN) ? 'none' : bounds.map((ms) => `at most ${ms} ms`).join(', ');
}

function timesOf(samples: readonly Sample[]): number[] {
  return samples.map(({ ms }) => ms);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

async function medianLatency(url: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 50; n++) times.push(await timed(url, n));
  return quantile(
    times.sort((a, b) => a - b),
    0.5,
  );
}

/** Milliseconds until it answers in a row within the bound. */
async function recovery(url: string, boundMs: number): Promise<number> {
  const started = performance.now();
  let first = 0;
  for (let row = 0, n = 0; row < ANSWERS_IN_A_ROW; n++) {
    if (performance.now() - started > RECOVERY_LIMIT_MS) return Infinity;
    if (row === 0) first = performance.now() - started;
    const ms = await timed(url, 1000 + n).catch(() => Infinity);
    row = ms <= boundMs ? row + 1 : 0;
    await sleep(PROBE_EVERY_MS);
  }
  return first;
}

async function timed(url: string, n: number): Promise<number> {
  const from = performance.now();
  await classify(url, BOT, [`is my card on its way, case ${n}`]);
  return performance.now() - from;
}
