import { readdir, readlink } from 'node:fs/promises';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { startProgress } from '../src/cli/progress.js';
import type { WriteResult } from '../src/classify/service.js';
import { BUNDLED_MODEL } from '../src/config.js';
import type { Encoder } from '../src/encoder/encoder.js';
import { loadEncoder } from '../src/encoder/load.js';
import { ExactIndex } from '../src/index/exact.js';
import { classify, json, listIntents, metric, send, settled } from '../test/e2e/api.js';
import type { Server } from '../test/e2e/kshot.js';
import { runProgram } from './runProgram.js';
import { report, Stage } from './stress/stage.js';
import { trend } from './stress/trend.js';

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
const COLLECTOR = new URL('./stress/collectOnSignal.js', import.meta.url).href;

/** What must not grow, as it is at one moment. */
interface Sample {
  readonly seconds: number;
  readonly rss: number;
  /** After garbage was collected. */
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
  const server = await stage.serve(await stage.folder(), [], {
    env: { NODE_OPTIONS: `--import=${COLLECTOR}` },
  });
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

  const encoder = await loadEncoder({ model: BUNDLED_MODEL, device: 'cpu', cacheBytes: 64 * 2 ** 20 });
  const before = await recall(url, encoder);
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
  await settled(url);
  const after = await recall(url, encoder);
  await encoder.close();
  const stale = await found(url, [...gone].slice(-PROBES));
  const [first, last] = [samples[0]!, samples.at(-1)!];

  // In the first half memory grows to what the work needs.
  const steady = samples.slice(Math.floor(samples.length / 2));
  const growth = (key: 'rss' | 'heap') => {
    const points = steady.map((one) => ({ x: one.seconds / 3600, y: one[key] / 2 ** 20 }));
    const { slope, halfWidth } = trend(points);
    return `${slope.toFixed(1)} ± ${halfWidth.toFixed(1)} MiB an hour`;
  };
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  report(
    `Soak: ${minutes} min, ${counts.writes} writes, ${counts.classified} texts classified, ${counts.failures} failures`,
    ['what', 'at the start', 'at half-time', 'at the end', 'growth in the second half'],
    [
      ['resident memory', ...[first, steady[0]!, last].map(({ rss }) => mebibytes(rss)), growth('rss')],
      [
        'heap, garbage collected',
        ...[first, steady[0]!, last].map(({ heap }) => mebibytes(heap)),
        growth('heap'),
      ],
      ['open files', ...[first, steady[0]!, last].map(({ files }) => String(files)), ''],
      ['sockets among them', ...[first, steady[0]!, last].map(({ sockets }) => String(sockets)), ''],
      ['recall of the nearest examples', before.toFixed(3), '', after.toFixed(3), ''],
      ['examples found that are gone', '', '', String(stale), ''],
    ],
  );
}

function write(url: string, method: string, path: string, body: unknown, agent?: Agent) {
  return send(url, method, `/v1/bots/${SOAKED}/${path}`, {
    ...(body === undefined ? {} : { body }),
    ...(agent && { agent }),
  });
}

/** Of the examples that are nearest to some queries, exactly, the share that the bot gives as evidence. */
async function recall(url: string, encoder: Encoder): Promise<number> {
  const examples = (await listIntents(url, SOAKED)).flatMap(({ examples }) => examples);
  const embed = async (texts: readonly string[]) => {
    const { embeddings } = await encoder.encode(texts, { background: true });
    return texts.map((_, i) => embeddings.subarray(i * encoder.dimension, (i + 1) * encoder.dimension));
  };
  const exact = new ExactIndex(encoder.dimension);
  const rows = await embed(examples.map(({ text }) => text));
  rows.forEach((row, id) => exact.add(id, row));
  const queries = Array.from(
    { length: PROBES },
    (_, n) => `has parcel ${n * 37} of my order ${n * 11} been sent`,
  );
  const truth = await embed(queries);
  const answers = await classify(url, SOAKED, queries);
  let wanted = 0;
  let given = 0;
  answers.forEach(({ evidence }, n) => {
    const nearest = exact.search(truth[n]!, evidence.length).map(({ id }) => examples[id]!.text);
    wanted += nearest.length;
    given += nearest.filter((text) => evidence.some(({ example }) => example === text)).length;
  });
  return given / wanted;
}

/** How many of the texts are among the examples that are nearest to them. */
async function found(url: string, texts: readonly string[]): Promise<number> {
  if (texts.length === 0) return 0;
  const results = await classify(url, SOAKED, texts);
  return results.filter(({ text, evidence }) => evidence.some(({ example }) => example === text)).length;
}

async function sample({ url, process: server }: Server, seconds: number): Promise<Sample> {
  server.signal('SIGUSR2');
  await send(url, 'GET', '/healthz'); // by its answer the signal has been seen
  const folder = `/proc/${server.pid}/fd`;
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
