import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { openService, type OpenedService } from './classify/live.js';
import type { ClassifyService, HeadSummary } from './classify/service.js';
import { readBotFile } from './cli/importExport.js';
import { lateProgress } from './cli/progress.js';
import {
  BUNDLED_HEADS,
  BUNDLED_MODEL,
  printableSettings,
  requireKeysBeyondLoopback,
  requireSharedStore,
  type Settings,
} from './config.js';
import type { Encoder, EncoderObserver } from './encoder/encoder.js';
import { type DownloadProgress, type EncoderOptions, loadEncoder } from './encoder/load.js';
import { type Calibration, readCalibration } from './heads/calibration.js';
import { createApp } from './http/app.js';
import { CONSOLE_DIRECTORY } from './http/console.js';
import { Lifecycle } from './http/lifecycle.js';
import { Metrics } from './http/metrics.js';
import { type RunningServer, startServer } from './http/server.js';
import { backgroundThreads } from './jobs/backgroundThreads.js';
import type { EmbeddingRunnerOptions } from './jobs/embedding.js';
import type { JobRunners, Jobs } from './jobs/jobs.js';
import { openJobs } from './jobs/openJobs.js';
import { runnersOf } from './jobs/runners.js';
import { Keyring, type KeyStore } from './keys/keyring.js';
import { observedStore } from './store/observedStore.js';
import { openStore, type OpenedStore, type StoreOptions } from './store/openStore.js';
import type { Store } from './store/store.js';
import type { Tracing } from './telemetry/tracing.js';

const DEMO_BOT = 'demo';
const DEMO_FILE = fileURLToPath(new URL('../../data/demo.yml', import.meta.url));
const CALIBRATION_FILE = 'calibration.json';
const PACKAGE_FILE = new URL('../../package.json', import.meta.url);

/** Where the store of these settings is, unless it is in PostgreSQL; beside it a server says where it serves. */
export function storeFile({ dataDir }: Settings): string {
  return join(dataDir, 'kshot.db');
}

/** What the settings say of the store. */
export function storeOptions(settings: Settings): StoreOptions {
  return {
    url: settings.store,
    file: storeFile(settings),
    connections: settings.storeConnections,
    checkEveryMs: settings.revisionCheckMs,
  };
}

export interface Serving {
  readonly url: string;
  /** Also for whoever runs in the same process (scripts/evaluate.ts). */
  readonly service: ClassifyService;
  /** Reads the trained heads anew, and logs what comes of it. */
  reload(): Promise<void>;
  /** Finishes what was accepted, within the shutdown time-out, then frees everything. */
  close(): Promise<void>;
}

/** What a server consists of, as far as it is there; closed in this order. */
interface Parts {
  http?: RunningServer;
  jobs?: Jobs;
  keyring?: Keyring;
  /** Closes the store, too, but for what was opened beside it. */
  service?: ClassifyService;
  store?: OpenedStore;
  tracing?: Tracing | undefined;
}

async function closeParts(
  { http, jobs, keyring, service, store, tracing }: Parts,
  settings: Settings,
  log: Logger,
): Promise<void> {
  const inTime = await http?.close(settings.shutdownTimeoutMs);
  if (inTime === false) log.warn('requests were cut off: they had not finished within the shutdown time-out');
  await jobs?.close();
  await keyring?.close();
  await service?.close();
  await store?.close();
  await tracing?.close();
}

export interface ServeOptions {
  /** A key besides those of the settings and the store, for whoever starts the server. */
  readonly ownKey?: string | undefined;
  /** Whether it only runs the jobs of servers that share its store. */
  readonly isWorker?: boolean;
}

/**
 * The wiring: store, encoder, service, jobs, HTTP. Listens from the first moment, so that probes see the process alive, and
 * resolves when it is ready: embeddings brought up to date, the demo bot offered, encoder and heads warmed up.
 *
 * @throws KshotError what the parts throw; nothing is left open then.
 */
export async function serve(
  settings: Settings,
  { ownKey, isWorker = false }: ServeOptions = {},
): Promise<Serving> {
  if (isWorker) requireSharedStore(settings);
  // Without a store to look into there are no keys in it.
  if (settings.store === undefined && !existsSync(storeFile(settings))) {
    requireKeysBeyondLoopback(settings, false);
  }
  const log = pino({ level: settings.logLevel }, pino.destination({ dest: 2, sync: true }));
  log.info({ settings: printableSettings(settings) }, 'starting');
  const metrics = new Metrics();
  metrics.watchProcess();
  const lifecycle = new Lifecycle();
  const warn = (message: string, error: unknown) =>
    log.warn(error === undefined ? {} : { err: error }, message);
  const parts: Parts = {};
  try {
    const tracing = (parts.tracing = await openTracing(settings, log));
    const observer = tracing === undefined ? metrics : tracing.observer(metrics);
    const opened = (parts.store = await openStore({ ...storeOptions(settings), isWorker }));
    const { feed, isNew, folderProblem } = opened;
    const store = observedStore(opened.store, observer);
    if (folderProblem !== undefined) {
      log.info(
        { reason: folderProblem },
        'the data folder is not used: indexes of large bots are built at start',
      );
    }
    const keyring = (parts.keyring = await openKeyring(settings, ownKey, store, log, warn));
    if (feed !== undefined) keyring.follow(settings.revisionCheckMs);
    const jobs = (parts.jobs = await openJobs(store, feed, { observer: metrics, warn }));
    const app = createApp({
      jobs,
      isWorker,
      lifecycle,
      metrics,
      tracer: tracing,
      log,
      limits: settings,
      keys: keyring,
      logTexts: settings.logTexts,
      console: settings.console && !isWorker ? CONSOLE_DIRECTORY : undefined,
      version: version(),
    });
    const { url } = (parts.http = await startServer(app, { ...settings, lifecycle }));
    await opened.announce(url);

    // Before the encoder, which would be left open if there were something wrong with the file.
    const calibration = await readCalibration(calibrationFile(settings));
    const encoder = await openEncoder(settings, observer, log);
    let written = performance.now();
    const service = (parts.service = await openService({
      encoder,
      store,
      ...(feed === undefined ? {} : { feed }),
      revisionTimeoutMs: settings.revisionTimeoutMs,
      maxTextChars: settings.maxTextChars,
      botMemoryBytes: botMemoryBytes(settings),
      ...(folderProblem === undefined ? { snapshotDirectory: join(settings.dataDir, 'index') } : {}),
      ...headsDirectory(settings),
      calibration,
      observer,
      warn,
      embedding: lateProgress(process.stderr, 'Embedding the store anew'),
    }));
    await logFit(service, settings, encoder, calibration, log);
    if (isNew && settings.demo) {
      await addDemo(service);
      written = performance.now();
    }
    await warmUp(encoder, service, written, settings, log);
    const runners = jobRunners(settings, service, { encoder, store, feed, log });
    await jobs.begin(isWorker || settings.runJobs ? runners : {});
    lifecycle.ready(service);
    log.info({ url, encoder: encoder.name, device: encoder.device }, 'ready');

    return {
      url,
      service,
      reload: () => reloadHeads(service, log),
      close: async () => {
        log.info('stopping');
        await closeParts(parts, settings, log);
        log.info('stopped');
      },
    };
  } catch (error) {
    // A store that this start has made, and put nothing into, shall be new to the next one, too.
    const unused =
      parts.store?.isNew === true && (await isEmpty(parts.store.store)) ? parts.store : undefined;
    await unused?.markNew?.();
    await closeParts(parts, settings, log);
    if (unused !== undefined && unused.markNew === undefined) await rm(storeFile(settings), { force: true });
    throw error;
  }
}

function jobRunners(
  settings: Settings,
  service: OpenedService,
  { log, ...shared }: Pick<EmbeddingRunnerOptions, 'encoder' | 'store' | 'feed'> & { readonly log: Logger },
): JobRunners {
  const { datasets, encoders, heads, dataDir } = settings;
  const options = encoderOptions(settings);
  const warn = (message: string) => log.warn(message);
  const threads = backgroundThreads(options.threads);
  return runnersOf(service, {
    training: { datasets, encoders, heads, work: join(dataDir, 'jobs'), encoder: options, warn },
    embedding: {
      ...shared,
      encoders,
      open: (model) => loadEncoder({ ...options, model, threads, cacheBytes: 0, warn }),
    },
  });
}

/** @throws KshotError `invalid_configuration` where there are no keys and other machines can reach the server. */
async function openKeyring(
  settings: Settings,
  ownKey: string | undefined,
  store: KeyStore,
  log: Logger,
  warn: (message: string, error: unknown) => void,
): Promise<Keyring> {
  const keyring = new Keyring({
    settings: { readWrite: settings.apiKeys, readOnly: settings.readOnlyApiKeys },
    ownKey,
    store,
    warn,
  });
  await keyring.reloadKeys();
  requireKeysBeyondLoopback(settings, keyring.enabled);
  if (settings.insecureNoAuth && keyring.enabled) {
    log.warn('the store has API keys, so every request needs one: --insecure-no-auth has no effect');
  }
  if (keyring.enabled && !keyring.isManaged) {
    log.warn(
      'no API key may manage keys: set --api-keys, or make one with "kshot keys create" while the server is stopped',
    );
  }
  return keyring;
}

/** Whether it has neither bots nor keys; false where it cannot be told. */
function isEmpty(store: Store): Promise<boolean> {
  return Promise.all([store.listBots(), store.listKeys()]).then(
    ([bots, keys]) => bots.length + keys.length === 0,
    () => false,
  );
}

/** What the settings say of the encoder. */
export function encoderOptions(settings: Settings): EncoderOptions & { readonly cacheDir: string } {
  return {
    model: settings.model,
    device: settings.device,
    ...(settings.weights === undefined ? {} : { weights: settings.weights }),
    ...(settings.threads === 0 ? {} : { threads: settings.threads }),
    cacheDir: settings.modelCache,
    maxBatchTexts: settings.maxBatchTexts,
    ...(settings.maxBatchTokens === undefined ? {} : { maxBatchTokens: settings.maxBatchTokens }),
    maxQueuedTexts: settings.maxQueuedTexts,
    maxQueueMs: settings.maxQueueMs,
    cacheBytes: settings.embeddingCacheMb * 2 ** 20,
  };
}

/** Without a setting, half of what the machine has, or the control group that the process is in. */
function botMemoryBytes({ botMemoryMb }: Settings): number {
  if (botMemoryMb !== undefined) return botMemoryMb * 2 ** 20;
  return Math.min(totalmem(), process.constrainedMemory() || Infinity) / 2;
}

/** Undefined, with nothing loaded, where traces are sent nowhere. */
async function openTracing(settings: Settings, log: Logger): Promise<Tracing | undefined> {
  const { otlpEndpoint: endpoint, shutdownTimeoutMs: timeoutMs } = settings;
  if (endpoint === undefined) return undefined;
  const { Tracing } = await import('./telemetry/tracing.js');
  const warn = (message: string, error: unknown) => log.warn({ err: error }, message);
  return new Tracing({ endpoint, version: version(), timeoutMs, warn });
}

function openEncoder(settings: Settings, observer: EncoderObserver, log: Logger): Promise<Encoder> {
  return loadEncoder({
    ...encoderOptions(settings),
    observer,
    warn: (message) => log.warn(message),
    inform: (message) => log.info(message),
    progress: downloadProgress(),
  });
}

/** A checkout without trained heads has none to offer; a folder that somebody named must be there. */
export function headsDirectory({ heads }: Settings): { headsDirectory?: string } {
  return heads === BUNDLED_HEADS && !existsSync(heads) ? {} : { headsDirectory: heads };
}

/** A folder of heads may bring a calibration of its own; the bundled one holds for what is built in. */
export function calibrationFile({ heads }: Settings): string {
  const own = join(heads, CALIBRATION_FILE);
  return existsSync(own) ? own : join(BUNDLED_HEADS, CALIBRATION_FILE);
}

/**
 * Says which heads cannot be served, and whether the calibration is another encoder's. Heads made for another encoder share
 * a line. Neither is a warning where somebody has named an encoder to be used with what is bundled: whoever brings an encoder
 * need not bring heads.
 */
async function logFit(
  service: ClassifyService,
  settings: Settings,
  encoder: Encoder,
  calibration: Calibration,
  log: Logger,
): Promise<void> {
  const isNamed = settings.model !== BUNDLED_MODEL;
  const heads = await service.listHeads();
  const unavailable = heads.filter(({ available }) => !available);
  const isForeign = ({ training }: HeadSummary) =>
    training !== null && training.encoder !== encoder.fingerprint;
  for (const head of unavailable.filter((head) => !isForeign(head))) {
    log.warn({ head: head.name, reason: head.reason }, 'a head cannot be served');
  }
  const foreign = unavailable.filter(isForeign).map(({ name }) => name);
  if (foreign.length > 0) {
    log[isNamed && settings.heads === BUNDLED_HEADS ? 'info' : 'warn'](
      { heads: foreign, encoder: encoder.fingerprint, default: heads.find((head) => head.default)?.name },
      'trained heads that were made for another encoder are not served',
    );
  }
  if (calibration.encoder !== undefined && calibration.encoder !== encoder.fingerprint) {
    const file = calibrationFile(settings);
    log[isNamed && dirname(file) === BUNDLED_HEADS ? 'info' : 'warn'](
      { file, made_for: calibration.encoder, encoder: encoder.fingerprint },
      'the calibration was made for another encoder: confidences and what is out of scope may be off',
    );
  }
}

async function reloadHeads(service: ClassifyService, log: Logger): Promise<void> {
  try {
    const { changes, bots_renewed: bots } = await service.reloadHeads();
    for (const { head, change, reason } of changes) {
      if (reason === null) log.info({ head, change }, 'a head has changed');
      else log.warn({ head, change, reason }, 'a head could not be loaded');
    }
    log.info({ bots }, 'heads reloaded');
  } catch (error) {
    log.error({ err: error }, 'heads could not be reloaded');
  }
}

async function addDemo(service: ClassifyService): Promise<void> {
  const { document } = await readBotFile(DEMO_FILE);
  await service.putIntents(DEMO_BOT, document.intents);
  await service.putCounterexamples(DEMO_BOT, document.counterexamples);
}

/**
 * Runs the encoder at the sizes that requests bring, so that none of them pays for first-time allocations, and lets heads
 * adapt to the bots that there are, so that a text is answered alike from the first request on.
 *
 * @param written when they had been written; what others write meanwhile, to a store that is shared, is not waited for.
 */
async function warmUp(
  encoder: Encoder,
  service: ClassifyService,
  written: number,
  settings: Settings,
  log: Logger,
): Promise<void> {
  const deadline = performance.now() + settings.warmupTimeoutMs;
  const text = (i: number) => `warm-up text number ${i} of a middling length`;
  const passes = async () => {
    for (const texts of [1, 1, settings.maxBatchTexts]) {
      await encoder.encode(Array.from({ length: texts }, (_, i) => text(i + texts)));
    }
    const areAdapted = () => {
      const { adaptations, adaptedSince } = service.stats();
      return adaptations === 0 || adaptedSince >= written;
    };
    while (!areAdapted() && performance.now() < deadline) await sleep(10);
    return areAdapted();
  };
  const done = await Promise.race([passes(), sleep(settings.warmupTimeoutMs, false, { ref: false })]);
  if (!done)
    log.warn('the warm-up was not over in time; the first requests may be slow, or answered by prototypes');
}

/** A progress bar for each file that says how long it is. */
function downloadProgress(): (event: DownloadProgress) => void {
  const bars = new Map<string, (done: number, total: number) => void>();
  return ({ file, loaded, total }) => {
    if (total === undefined) return;
    const bar = bars.get(file) ?? lateProgress(process.stderr, `Downloading ${file}`);
    bars.set(file, bar);
    bar(loaded, total);
  };
}

function version(): string {
  return (JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string }).version;
}
