import { readdir, readlink } from 'node:fs/promises';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { startProgress } from '../src/cli/progress.js';
import type { WriteResult } from '../src/classify/service.js';
import { classify, json, metric, send, settled } from '../test/e2e/api.js';
import type { Server } from '../test/e2e/kshot.js';
import { runProgram } from './runProgram.js';
import { report, Stage } from './stress/stage.js';

// Hours of work in minutes: intents come, change and go while texts are classified. What grows that should not, and does the
// search find what there is, and nothing that is gone?

interface Options {
  readonly minutes: number;
  readonly texts: number;
}

const SOAKED = 'soak';
const EXAMPLES_AN_INTENT = 100;
const CHURNED_INTENTS = 8;
const READERS = 3;
const SAMPLES = 60;
const PROBES = 200;

/** What must not grow, as it is at one moment. */
interface Sample {
  readonly seconds: number;
  readonly rss: number;
  readonly heap: number;
  readonly files: number;
  readonly sockets: number;
}

const program = new Command('soak')
  .description('Writes, deletes and classifies for a while, and tells what has grown.')
  .option('--minutes <n>', 'how long', Number, 20)
  .option('--texts <n>', 'texts of the bot; above 4096 its index is a graph', Number, 4500)
  .action((options: Options) => Stage.run((stage) => soak(stage, options)));

await runProgram(program);

async function soak(stage: Stage, { minutes, texts }: Options): Promise<void> {
  const server = await stage.serve(await stage.folder());
  const { url } = server;
  const lasting = Array.from(
    { length: texts },
    (_, n) => `where is parcel ${n} of order ${(n * 7919) % texts}`,
  );
  for (let from = 0; from < texts; from += EXAMPLES_AN_INTENT) {
    const examples = lasting.slice(from, from + EXAMPLES_AN_INTENT);
    json(await write(url, 'PUT', `intents/lasting_${from}`, { examples }), 200, 201);
  }
  await settled(url);

  const before = await recall(url, lasting);
  const counts = { writes: 0, classified: 0, failures: 0 };
  const gone = new Set<string>();
  const agent = new Agent({ keepAlive: true });
  const until = performance.now() + minutes * 60_000;
  const isOver = () => performance.now() >= until;
  const attempt = async (work: () => Promise<unknown>) => {
    await work().catch(() => counts.failures++);
  };

  const churn = async () => {
    for (let n = 0; !isOver(); n++) {
      const intent = `intents/churned_${n % CHURNED_INTENTS}`;
      await attempt(async () => {
        const examples = Array.from({ length: 10 }, (_, i) => `a passing thing ${n} said in way ${i}`);
        json(await write(url, 'PUT', intent, { examples }, agent), 200, 201);
        const more = await write(url, 'POST', `${intent}/examples`, { examples: [`one more ${n}`] }, agent);
        const [added] = json<WriteResult>(more, 200, 201).added;
        json(await write(url, 'DELETE', `${intent}/examples/${added!.id}`, undefined, agent));
        gone.add(`one more ${n}`);
        counts.writes += 3;
        if (n % 2 === 1) {
          json(await write(url, 'DELETE', intent, undefined, agent));
          for (const example of examples) gone.add(example);
          counts.writes++;
        }
      });
    }
  };
  const read = async (reader: number) => {
    for (let n = reader; !isOver(); n += READERS) {
      await attempt(async () => {
        const body = { text: lasting[(n * 31) % texts]! };
        json(await send(url, 'POST', `/v1/bots/${SOAKED}/classify`, { body, agent }));
        counts.classified++;
      });
    }
  };
  const samples: Sample[] = [];
  const watch = async () => {
    const bar = startProgress(process.stderr, 'Soak', SAMPLES);
    for (let n = 0; n <= SAMPLES; n++) {
      samples.push(await sample(server, minutes * 60 - (until - performance.now()) / 1000));
      bar.update(n);
      await sleep(Math.min((minutes * 60_000) / SAMPLES, Math.max(0, until - performance.now())));
    }
    bar.stop();
  };
  await Promise.all([churn(), ...Array.from({ length: READERS }, (_, n) => read(n)), watch()]);
  agent.destroy();
  const after = await recall(url, lasting);
  const stale = await found(url, [...gone].slice(-PROBES));

  // In the first third memory grows to what the work needs.
  const steady = samples.slice(Math.floor(samples.length / 3));
  const row = (what: string, key: Exclude<keyof Sample, 'seconds'>, unit: number, suffix: string) => {
    const show = (value: number) => `${(value / unit).toFixed(unit === 1 ? 0 : 1)}${suffix}`;
    return [
      what,
      show(steady[0]![key]),
      show(steady.at(-1)![key]),
      `${show(3600 * slope(steady, key))} an hour`,
    ];
  };
  report(
    `Soak: ${minutes} min, ${counts.writes} writes, ${counts.classified} texts classified, ${counts.failures} failures`,
    ['what', 'after a third', 'at the end', 'grows by'],
    [
      row('resident memory', 'rss', 2 ** 20, ' MiB'),
      row('heap in use', 'heap', 2 ** 20, ' MiB'),
      row('open files', 'files', 1, ''),
      row('sockets among them', 'sockets', 1, ''),
      ['recall of its own examples', before.toFixed(3), after.toFixed(3), ''],
      ['examples found that are gone', '', String(stale), ''],
    ],
  );
}

function write(url: string, method: string, path: string, body: unknown, agent?: Agent) {
  return send(url, method, `/v1/bots/${SOAKED}/${path}`, {
    ...(body === undefined ? {} : { body }),
    ...(agent && { agent }),
  });
}

/** The share of texts, examples all, that are their own nearest example. */
async function recall(url: string, texts: readonly string[]): Promise<number> {
  const step = Math.max(1, Math.floor(texts.length / PROBES));
  const probes = texts.filter((_, i) => i % step === 0);
  return (await found(url, probes)) / probes.length;
}

/** How many of the texts are among the examples that are nearest to them. */
async function found(url: string, texts: readonly string[]): Promise<number> {
  if (texts.length === 0) return 0;
  const results = await classify(url, SOAKED, texts);
  return results.filter(({ text, evidence }) => evidence.some(({ example }) => example === text)).length;
}

async function sample({ url, process: { pid } }: Server, seconds: number): Promise<Sample> {
  const folder = `/proc/${pid}/fd`;
  const links = await readdir(folder).catch(() => []);
  const targets = await Promise.all(links.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return {
    seconds,
    rss: await metric(url, 'process_resident_memory_bytes'),
    heap: await metric(url, 'nodejs_heap_size_used_bytes'),
    files: targets.length,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
  };
}

/** Of the line that fits best, a second. */
function slope(samples: readonly Sample[], key: keyof Sample): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const t = mean(samples.map(({ seconds }) => seconds));
  const y = mean(samples.map((one) => one[key]));
  const covariance = samples.reduce((sum, one) => sum + (one.seconds - t) * (one[key] - y), 0);
  return covariance / samples.reduce((sum, one) => sum + (one.seconds - t) ** 2, 0);
}
