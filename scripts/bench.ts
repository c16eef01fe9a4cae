import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readBotFile } from '../src/cli/importExport.js';
import { startProgress } from '../src/cli/progress.js';
import { readSettings, settingOptions, type Settings } from '../src/config.js';
import { loadEncoder } from '../src/encoder/load.js';
import { HEAD_NAMES } from '../src/heads/registry.js';
import { readModelDirectory } from '../src/encoder/modelDirectory.js';
import { createTokenizer } from '../src/encoder/tokenizer.js';
import { KshotError } from '../src/errors.js';
import { serve, type Serving } from '../src/serve.js';
import { machine, quantile } from './bench/figures.js';
import { benchIndex } from './bench/indexBench.js';
import { runLoad } from './bench/load.js';
import { retrievalPage, type RetrievalResults } from './bench/retrievalReport.js';
import { measureRetrieval, type RetrievalOptions } from './bench/retrievalRun.js';
import { IMPORTED, measureReplicas, measureStores } from './bench/storeBench.js';

// Speed, side by side in one run: the bare onnxruntime session, the encoder around it, the whole service over HTTP; how
// soon a new intent is answered; the index by size; retrieval against scoring all intents. These machines are shared: compare within a run, not between runs.

const DEMO_FILE = fileURLToPath(new URL('../../data/demo.yml', import.meta.url));
const SECTIONS = ['session', 'encoder', 'http', 'intent', 'index', 'store', 'retrieval'] as const;
type Section = (typeof SECTIONS)[number];
/** What needs nothing that the repository does not hold. */
const DEFAULT_SECTIONS = SECTIONS.filter((section) => section !== 'retrieval' && section !== 'store');

interface Options extends Omit<RetrievalOptions, 'datasets' | 'encoders'> {
  readonly only: Section[];
  readonly requests: number;
  readonly indexSizes: number[];
  readonly datasets?: string;
  readonly encoders?: string;
  readonly write?: string;
  readonly postgres?: string;
  readonly writes: number;
}

const wholeNumber = (value: string) => Number.parseInt(value, 10);

const program = new Command('bench')
  .description('Speed of the session, the encoder, the service and the index, printed as tables.')
  .addOption(
    new Option('--only <sections...>', 'what to measure').choices(SECTIONS).default(DEFAULT_SECTIONS),
  )
  .option('--requests <n>', 'requests a row of the HTTP table', wholeNumber, 3000)
  .option(
    '--index-sizes <list>',
    'examples in the index, comma-separated; 1000000 takes half an hour and 4 GB',
    (list: string) => list.split(',').map(wholeNumber),
    [1000, 10_000, 100_000],
  )
  .addOption(
    new Option('--datasets <path>', 'retrieval: a folder as scripts/fetchData fills it').env(
      'KSHOT_DATASETS',
    ),
  )
  .addOption(
    new Option('--encoders <path>', 'retrieval: the folder that holds without-clinc150').env(
      'KSHOT_ENCODERS',
    ),
  )
  .option('--embeddings <path>', 'retrieval: where embeddings are kept', 'data/cache/embeddings')
  .addOption(
    new Option('--heads <names...>', 'retrieval: built-in heads')
      .choices(HEAD_NAMES)
      .default(['prototypical', 'adapted', 'matching']),
  )
  .option('--checkpoints <folders...>', 'retrieval: trained heads', [])
  .option(
    '--bot-sizes <list>',
    'retrieval: intents of the bots, comma-separated',
    (list: string) => list.split(',').map(wholeNumber),
    [150, 1000, 10_000],
  )
  .option('--queries <n>', 'retrieval: queries of a row', wholeNumber, 4500)
  .option('--seed <n>', 'retrieval: of what is drawn', wholeNumber, 1)
  .addOption(
    new Option('--postgres <url>', 'store: a database in which schemas may be made').env(
      'KSHOT_TEST_POSTGRES',
    ),
  )
  .option('--writes <n>', 'store: writes of a row', wholeNumber, 300)
  .option('--write <folder>', 'retrieval: write the page and the figures there, as docs/results')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- --only http --requests 10000');
for (const option of settingOptions(['encoder'])) program.addOption(option);

program.action(async (options: Options) => {
  const settings = readSettings({ ...program.opts(), embeddingCacheMb: '0' }, process.env);
  const texts = (await readBotFile(DEMO_FILE)).document.intents.flatMap(({ examples }) => examples);
  print(`${machine()}; cache off, ${texts.length} utterances of the demo bot`);
  const wants = (section: Section) => options.only.includes(section);
  if (wants('session') || wants('encoder') || wants('http')) await benchPath(texts, settings, options);
  if (wants('intent')) await benchIntent(settings);
  if (wants('index')) await benchIndexes(options.indexSizes, settings);
  if (wants('store')) await benchStores(options, settings);
  if (wants('retrieval')) await benchRetrieval(options, settings);
});

await program.parseAsync();

/** Session, encoder and HTTP on the same texts, one after the other. */
async function benchPath(texts: readonly string[], settings: Settings, options: Options): Promise<void> {
  const rows: string[][] = [];
  const bare = await bareSession(texts, settings);
  const reference = bare.find(({ batch }) => batch === 32)!;
  const single = bare.find(({ batch }) => batch === 1)!;
  for (const { batch, rate, times } of bare)
    rows.push(
      pathRow(`bare session, batch ${batch}`, rate, times, rate / (batch === 1 ? single : reference).rate),
    );

  if (options.only.includes('encoder')) {
    const encoder = await loadEncoder({
      model: settings.model,
      device: settings.device,
      cacheBytes: 0,
      threads: settings.threads,
    });
    for (const callers of [1, 32]) {
      const { rate, times } = await closedLoop(callers, options.requests, (i) =>
        encoder.encode([texts[i % texts.length]!]),
      );
      rows.push(
        pathRow(`encoder, ${callers} callers`, rate, times, rate / (callers === 1 ? single : reference).rate),
      );
    }
    await encoder.close();
  }
  if (options.only.includes('http')) {
    await withServer(settings, async ({ url }) => {
      for (const clients of [1, 8, 32]) {
        const load = { url: `${url}/v1/bots/demo/classify`, texts, clients };
        await runLoad({ ...load, requests: Math.min(500, options.requests) }); // warms up
        const { requestsPerSecond, latencies, failures } = await runLoad({
          ...load,
          requests: options.requests,
        });
        if (failures > 0) throw new Error(`${failures} requests failed`);
        const ratio = requestsPerSecond / (clients === 1 ? single : reference).rate;
        rows.push(pathRow(`HTTP classify, ${clients} clients`, requestsPerSecond, latencies, ratio));
      }
    });
  }
  table(['what', 'texts/s', 'p50 ms', 'p99 ms', 'ratio to bare'], rows);
  print(
    'Ratio: to the bare session at batch 1 for one caller, at batch 32 otherwise. p50 of a batch is that of the whole batch.',
  );
}

function pathRow(what: string, rate: number, sorted: readonly number[], ratio: number): string[] {
  return [
    what,
    rate.toFixed(0),
    quantile(sorted, 0.5).toFixed(2),
    quantile(sorted, 0.99).toFixed(2),
    `${(ratio * 100).toFixed(0)} %`,
  ];
}

/** onnxruntime alone: texts tokenised and sorted by length beforehand, batches back to back, all cores. */
async function bareSession(texts: readonly string[], settings: Settings) {
  const model = await readModelDirectory(settings.model, settings.model);
  const tokenizer = createTokenizer(model.tokenizer, model.tokenizerConfig, model.maxTokens);
  const weights = join(settings.model, 'onnx', `${settings.weights ?? 'model_quantized'}.onnx`);
  const session = await InferenceSession.create(weights, {
    executionProviders: ['cpu'],
    ...(settings.threads ? { intraOpNumThreads: settings.threads } : {}),
  });
  const ids = texts.map((text) => tokenizer.tokenize(text).ids);
  const outcomes = [];
  for (const batch of [1, 32]) {
    const inputs = [...ids].sort((a, b) => (batch === 1 ? 0 : a.length - b.length));
    const feeds = [];
    for (let from = 0; from + batch <= inputs.length; from += batch)
      feeds.push(feed(inputs.slice(from, from + batch), session));
    const times: number[] = [];
    for (const warm of feeds) await session.run(warm, ['sentence_embedding']);
    const started = performance.now();
    while (performance.now() - started < 4000) {
      for (const input of feeds) {
        const from = performance.now();
        await session.run(input, ['sentence_embedding']);
        times.push(performance.now() - from);
      }
    }
    const rate = (times.length * batch * 1000) / (performance.now() - started);
    outcomes.push({ batch, rate, times: times.sort((a, b) => a - b) });
  }
  await session.release();
  return outcomes;
}

function feed(rows: readonly (readonly number[])[], session: InferenceSession): Record<string, Tensor> {
  const length = Math.max(...rows.map((row) => row.length));
  const shape = [rows.length, length];
  const fill = (value: (id: number | undefined) => bigint) =>
    new Tensor(
      'int64',
      BigInt64Array.from(rows.flatMap((row) => Array.from({ length }, (_, t) => value(row[t])))),
      shape,
    );
  const all: Record<string, Tensor> = {
    input_ids: fill((id) => BigInt(id ?? 0)),
    attention_mask: fill((id) => (id === undefined ? 0n : 1n)),
    token_type_ids: fill(() => 0n),
  };
  return Object.fromEntries(session.inputNames.map((name) => [name, all[name]!]));
}

/** Time from the request that puts an intent until a classify request has been answered with it. */
async function benchIntent(settings: Settings): Promise<void> {
  const rows: string[][] = [];
  await withServer(settings, async ({ url }) => {
    for (const { bot, intents } of [
      { bot: 'demo', intents: 0 },
      { bot: 'large', intents: 150 },
    ]) {
      if (intents > 0) {
        const list = Array.from({ length: intents }, (_, i) => ({
          name: `topic ${i}`,
          examples: Array.from({ length: 10 }, (_, k) => `question number ${k} about topic ${i}`),
        }));
        await send(url, 'PUT', `/v1/bots/${bot}/intents`, { intents: list });
      }
      const times: number[] = [];
      for (let i = 0; i < 50; i++) {
        const from = performance.now();
        const examples = [
          `zorbing lesson ${i}`,
          `book a zorbing ride ${i}`,
          `how much is zorbing ${i}`,
          `zorbing ${i} for two`,
          `cancel zorbing ${i}`,
        ];
        await send(url, 'PUT', `/v1/bots/${bot}/intents/zorbing_${i}`, { examples });
        const result = (await send(url, 'POST', `/v1/bots/${bot}/classify`, { text: examples[0] })) as {
          evidence: { intent: string }[];
        };
        times.push(performance.now() - from);
        if (result.evidence[0]!.intent !== `zorbing_${i}`) throw new Error('the new intent was not answered');
      }
      times.sort((a, b) => a - b);
      rows.push([
        bot === 'demo' ? '20 intents x 8' : `${intents} intents x 10`,
        quantile(times, 0.5).toFixed(1),
        quantile(times, 0.95).toFixed(1),
        times.at(-1)!.toFixed(1),
      ]);
    }
  });
  print('\nA new intent of 5 examples: PUT sent to classify answered, one after the other');
  table(['bot', 'p50 ms', 'p95 ms', 'max ms'], rows);
}

async function send(url: string, method: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function benchIndexes(sizes: readonly number[], settings: Settings): Promise<void> {
  const seeds = await seedEmbeddings(settings);
  const total = sizes.reduce((sum, size) => sum + 2 * size, 0);
  const bar = startProgress(process.stderr, 'Index', total);
  const rows = await benchIndex({
    sizes,
    seeds,
    onProgress: ({ size, kind, done }) => {
      const before = sizes.filter((other) => other < size).reduce((sum, other) => sum + 2 * other, 0);
      bar.update(before + (kind === 'hnsw' ? size : 0) + done);
    },
  });
  bar.stop();
  print(
    '\nIndex: 384 dimensions, 50 nearest, perturbed embeddings of the demo bot, recall against exact search',
  );
  table(
    ['examples', 'index', 'build s', 'p50 ms', 'p99 ms', 'recall@50', 'memory MB'],
    rows.map((row) => [
      String(row.size),
      row.kind,
      row.buildSeconds.toFixed(1),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      row.recall.toFixed(4),
      (row.memoryBytes / 2 ** 20).toFixed(0),
    ]),
  );
}

/** Accuracy and time of scoring all intents, and of scoring candidates. */
async function benchStores({ postgres, writes }: Options, settings: Settings): Promise<void> {
  if (postgres === undefined) throw new KshotError('invalid_configuration', 'store needs --postgres');
  const both = (times: readonly number[]) =>
    `${quantile(times, 0.5).toFixed(1)} / ${quantile(times, 0.95).toFixed(1)}`;
  print(`\nStores, embeddings of 384 numbers: p50 / p95 of ${writes} writes, one after the other, in ms`);
  table(
    ['store', 'one example', '10 new intents of 10', `import of ${IMPORTED}`, 'reading it'],
    (await measureStores(postgres, writes)).map(({ store, example, intents, importMs, readMs }) => [
      store,
      both(example),
      both(intents),
      importMs.toFixed(0),
      readMs.toFixed(0),
    ]),
  );
  const { lag, reached } = await measureReplicas(postgres, writes, async (store) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kshot-bench-'));
    const serving = await serve({ ...settings, store, dataDir, port: 0, logLevel: 'error' });
    return { ...serving, close: () => serving.close().finally(() => rm(dataDir, { recursive: true })) };
  });
  print('Two servers in this process: from a write to one acknowledged until the other answers by it, in ms');
  table(
    ['', 'p50 / p95', 'max'],
    [
      ['by itself', both(lag), lag.at(-1)!.toFixed(1)],
      ['with min_revision', both(reached), reached.at(-1)!.toFixed(1)],
    ],
  );
}

async function benchRetrieval(options: Options, settings: Settings): Promise<void> {
  const { datasets, encoders, write } = options;
  if (datasets === undefined || encoders === undefined) {
    throw new KshotError('invalid_configuration', 'retrieval needs --datasets and --encoders');
  }
  const measured = await measureRetrieval({ ...options, datasets, encoders }, settings);
  const results: RetrievalResults = { machine: machine(), seed: options.seed, ...measured };
  print(`\n${retrievalPage(results)}`);
  if (write === undefined) return;
  await mkdir(write, { recursive: true });
  await writeFile(join(write, 'retrieval.md'), retrievalPage(results));
  await writeFile(join(write, 'retrieval.json'), `${JSON.stringify(results, null, 2)}\n`);
}

async function seedEmbeddings(settings: Settings): Promise<Float32Array> {
  const texts = (await readBotFile(DEMO_FILE)).document.intents.flatMap(({ examples }) => examples);
  const encoder = await loadEncoder({ model: settings.model, device: settings.device });
  const { embeddings } = await encoder.encode(texts);
  await encoder.close();
  return embeddings;
}

async function withServer(settings: Settings, work: (serving: Serving) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kshot-bench-'));
  const serving = await serve({ ...settings, dataDir, port: 0, logLevel: 'error' });
  try {
    await work(serving);
  } finally {
    await serving.close();
    await rm(dataDir, { recursive: true });
  }
}

/** So many callers, each with one call in flight. */
async function closedLoop(callers: number, calls: number, call: (i: number) => Promise<unknown>) {
  const times: number[] = [];
  let sent = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (sent < calls) {
        const from = performance.now();
        await call(sent++);
        times.push(performance.now() - from);
      }
    }),
  );
  return { rate: (calls * 1000) / (performance.now() - started), times: times.sort((a, b) => a - b) };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): void {
  print('');
  for (const row of [header, header.map(() => '---'), ...rows]) print(`| ${row.join(' | ')} |`);
  print('');
}
