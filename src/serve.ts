import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { openService } from './classify/live.js';
import type { ClassifyService } from './classify/service.js';
import { readBotFile } from './cli/importExport.js';
import { startProgress } from './cli/progress.js';
import { printableSettings, type Settings } from './config.js';
import type { Encoder } from './encoder/encoder.js';
import { type DownloadProgress, loadEncoder } from './encoder/load.js';
import { createApp } from './http/app.js';
import { Lifecycle } from './http/lifecycle.js';
import { Metrics } from './http/metrics.js';
import { startServer } from './http/server.js';
import { openSqliteStore } from './store/sqlite.js';

const DEMO_BOT = 'demo';
const DEMO_FILE = fileURLToPath(new URL('../../data/demo.yml', import.meta.url));
const PACKAGE_FILE = new URL('../../package.json', import.meta.url);

/** Where the store of these settings is. */
export function storeFile({ dataDir }: Settings): string {
  return join(dataDir, 'kshot.db');
}

export interface Serving {
  readonly url: string;
  /** Also for whoever runs in the same process (scripts/evaluate.ts). */
  readonly service: ClassifyService;
  /** Finishes what was accepted, within the shutdown time-out, then frees everything. */
  close(): Promise<void>;
}

/**
 * The wiring: store, encoder, service, HTTP. Listens from the first moment, so that probes see the process alive, and
 * resolves when it is ready: embeddings brought up to date, the demo bot offered, encoder and heads warmed up.
 *
 * @throws KshotError what the parts throw; nothing is left open then.
 */
export async function serve(settings: Settings): Promise<Serving> {
  const log = pino({ level: settings.logLevel }, pino.destination({ dest: 2, sync: true }));
  log.info({ settings: printableSettings(settings) }, 'starting');
  const metrics = new Metrics();
  metrics.watchProcess();
  const lifecycle = new Lifecycle();

  const isNew = !existsSync(storeFile(settings));
  const store = await openSqliteStore(storeFile(settings));
  const closers: (() => Promise<unknown>)[] = [() => store.close()];
  try {
    const app = createApp({
      lifecycle,
      metrics,
      log,
      limits: settings,
      keys: { readWrite: settings.apiKeys, readOnly: settings.readOnlyApiKeys },
      logTexts: settings.logTexts,
      version: version(),
    });
    const server = await startServer(app, { ...settings, lifecycle });
    closers.unshift(() => server.close(settings.shutdownTimeoutMs));
    await store.announce(server.url);

    const encoder = await openEncoder(settings, metrics, log);
    const service = await openService({
      encoder,
      store,
      maxTextChars: settings.maxTextChars,
      snapshotDirectory: join(settings.dataDir, 'index'),
      observer: metrics,
      warn: (message, error) => log.warn({ err: error }, message),
      embedding: progress('Embedding the store anew'),
    });
    closers.splice(1, 1, () => service.close()); // which closes the store
    if (isNew && settings.demo) await addDemo(service);
    await warmUp(encoder, service, settings, log);
    lifecycle.ready(service);
    log.info({ url: server.url, encoder: encoder.name, device: encoder.device }, 'ready');

    return {
      url: server.url,
      service,
      close: async () => {
        log.info('stopping');
        const inTime = await server.close(settings.shutdownTimeoutMs);
        if (!inTime) log.warn('requests were cut off: they had not finished within the shutdown time-out');
        await service.close();
        log.info('stopped');
      },
    };
  } catch (error) {
    for (const close of closers) await close();
    throw error;
  }
}

function openEncoder(settings: Settings, metrics: Metrics, log: Logger): Promise<Encoder> {
  return loadEncoder({
    model: settings.model,
    device: settings.device,
    ...(settings.weights === undefined ? {} : { weights: settings.weights }),
    ...(settings.threads === 0 ? {} : { threads: settings.threads }),
    cacheDir: settings.modelCache,
    maxBatchTexts: settings.maxBatchTexts,
    ...(settings.maxBatchTokens === undefined ? {} : { maxBatchTokens: settings.maxBatchTokens }),
    maxQueuedTexts: settings.maxQueuedTexts,
    cacheBytes: settings.embeddingCacheMb * 2 ** 20,
    observer: metrics,
    warn: (message) => log.warn(message),
    inform: (message) => log.info(message),
    progress: downloadProgress(),
  });
}

async function addDemo(service: ClassifyService): Promise<void> {
  const { document } = await readBotFile(DEMO_FILE);
  await service.putIntents(DEMO_BOT, document.intents);
  await service.putCounterexamples(DEMO_BOT, document.counterexamples);
}

/**
 * Runs the encoder at the sizes that requests bring, so that none of them pays for first-time allocations, and lets heads
 * adapt to the bots that there are, so that a text is answered alike from the first request on.
 */
async function warmUp(
  encoder: Encoder,
  service: ClassifyService,
  settings: Settings,
  log: Logger,
): Promise<void> {
  const deadline = performance.now() + settings.warmupTimeoutMs;
  const text = (i: number) => `warm-up text number ${i} of a middling length`;
  const passes = async () => {
    for (const texts of [1, 1, settings.maxBatchTexts]) {
      await encoder.encode(Array.from({ length: texts }, (_, i) => text(i + texts)));
    }
    while (service.stats().adaptations > 0 && performance.now() < deadline) await sleep(10);
    return service.stats().adaptations === 0;
  };
  const done = await Promise.race([passes(), sleep(settings.warmupTimeoutMs, false, { ref: false })]);
  if (!done)
    log.warn('the warm-up was not over in time; the first requests may be slow, or answered by prototypes');
}

/** A progress bar for work that may be long, shown once it has begun. */
function progress(label: string): (done: number, total: number) => void {
  let bar: ReturnType<typeof startProgress> | undefined;
  return (done, total) => {
    bar ??= startProgress(process.stderr, label, total);
    bar.update(done);
    if (done >= total) bar.stop();
  };
}

/** A progress bar for each file that says how long it is. */
function downloadProgress(): (event: DownloadProgress) => void {
  const bars = new Map<string, (done: number, total: number) => void>();
  return ({ file, loaded, total }) => {
    if (total === undefined) return;
    const bar = bars.get(file) ?? progress(`Downloading ${file}`);
    bars.set(file, bar);
    bar(loaded, total);
  };
}

function version(): string {
  return (JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string }).version;
}
