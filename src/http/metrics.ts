import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServiceObserver, ServiceStats, Stage } from '../classify/service.js';
import type { JobObserver, JobStats } from '../jobs/jobs.js';
import type { StoreObserver } from '../store/observedStore.js';

const SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const TEXTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const TOKENS = [8, 16, 24, 32, 48, 64, 96, 128, 256, 512];

/** What the service, the encoder and the server count, in the Prometheus text format. */
export class Metrics implements ServiceObserver, StoreObserver, JobObserver {
  private readonly registry = new Registry();
  private stats: () => ServiceStats | undefined = () => undefined;
  private jobs: { stats(): readonly JobStats[] } = { stats: () => [] };

  private readonly requests = this.counter('kshot_http_requests_total', 'HTTP requests answered', [
    'method',
    'route',
    'status',
  ]);
  private readonly requestSeconds = this.histogram(
    'kshot_http_request_duration_seconds',
    'Time from a request line to the end of its answer',
    SECONDS,
    ['method', 'route', 'status'],
  );
  private readonly inFlight = this.gauge('kshot_http_requests_in_flight', 'HTTP requests being answered');
  private readonly rateRefusals = this.counter(
    'kshot_rate_limited_total',
    'Requests refused because the rate of their API key was used up',
    ['key'],
  );
  private readonly stageSeconds = this.histogram(
    'kshot_stage_duration_seconds',
    'Time of a classification by stage',
    SECONDS,
    ['stage'],
  );
  private readonly storeSeconds = this.histogram(
    'kshot_store_duration_seconds',
    'Time of an operation of the store',
    SECONDS,
    ['operation'],
  );
  private readonly classifiedTexts = this.counter('kshot_classified_total', 'Texts classified', ['outcome']);
  private readonly adaptationSeconds = this.histogram(
    'kshot_adaptation_duration_seconds',
    "Time in which a head adapted to a bot's examples",
    [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  );
  private readonly loadSeconds = this.histogram(
    'kshot_bot_load_duration_seconds',
    'Time in which a bot was read from the store and brought to life',
    SECONDS,
  );
  private readonly batchTexts = this.histogram('kshot_encoder_batch_texts', 'Texts in a forward pass', TEXTS);
  private readonly batchTokens = this.histogram(
    'kshot_encoder_batch_padded_tokens',
    'Padded length of a forward pass, in tokens a text',
    TOKENS,
  );
  private readonly batchSeconds = this.histogram(
    'kshot_encoder_batch_seconds',
    'Time of a forward pass',
    SECONDS,
  );
  private readonly queueSeconds = this.histogram(
    'kshot_encoder_queue_wait_seconds',
    'Time that a text waited for its forward pass',
    SECONDS,
  );

  private readonly jobSeconds = this.histogram(
    'kshot_job_duration_seconds',
    'Time that a job ran in this process',
    [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
    ['kind', 'outcome'],
  );

  constructor() {
    // Read when Prometheus asks, so that nobody has to keep them in step.
    this.read('kshot_bots', 'Bots', (stats) => stats.bots);
    this.read(
      'kshot_bots_on_fallback_head',
      'Bots that another head answers for than the wanted one',
      (stats) => stats.fallbacks,
    );
    this.read('kshot_intents', 'Intents of all bots', (stats) => stats.intents);
    this.read('kshot_examples', 'Examples of all bots', (stats) => stats.examples);
    this.read('kshot_bots_in_memory', 'Bots that are in memory', (stats) => stats.loaded.bots);
    this.read(
      'kshot_bots_memory_bytes',
      'Memory that bots and their versions take, estimated',
      (stats) => stats.loaded.bytes,
    );
    this.readTotal(
      'kshot_bots_let_go_total',
      'Bots let go because memory was needed',
      (stats) => stats.loaded.letGo,
    );
    this.read(
      'kshot_adaptations_pending',
      'Head adaptations waiting or running',
      (stats) => stats.adaptations,
    );
    this.read('kshot_store_connected', '1, or 0 while the connection to a shared store is lost', (stats) =>
      Number(stats.storeConnected),
    );
    this.read('kshot_encoder_queued_texts', 'Texts waiting for a pass', (stats) => stats.encoder.queuedTexts);
    this.read(
      'kshot_embedding_cache_entries',
      'Embeddings in the cache',
      (stats) => stats.encoder.cacheEntries,
    );
    this.read('kshot_embedding_cache_bytes', 'Memory of the cache', (stats) => stats.encoder.cacheBytes);
    this.readTotal(
      'kshot_embedding_cache_hits_total',
      'Texts found in the cache',
      (s) => s.encoder.cacheHits,
    );
    this.readTotal('kshot_embedding_cache_misses_total', 'Texts not in it', (s) => s.encoder.cacheMisses);
    this.readJobs('kshot_jobs', 'Jobs of the store that are not over', ['kind', 'status'], (gauge, job) => {
      gauge.set({ kind: job.kind, status: 'queued' }, job.queued);
      gauge.set({ kind: job.kind, status: 'running' }, job.running);
    });
    this.readJobs(
      'kshot_job_wait_seconds',
      'How long the oldest job that waits has waited',
      ['kind'],
      (gauge, job) => gauge.set({ kind: job.kind }, job.waitedMs / 1000),
    );
  }

  /** Where the gauges read from; `stats` gives undefined while there is no service. */
  watch(stats: () => ServiceStats | undefined, jobs: { stats(): readonly JobStats[] }): void {
    this.stats = stats;
    this.jobs = jobs;
  }

  /** Adds what Node tells of the process: memory, CPU, event loop, garbage collection. Once a process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A request came in. */
  requestStarted(): void {
    this.inFlight.inc();
  }

  /** A request was answered, or its client left (status 499). `route` is the path's template. */
  requestEnded(method: string, route: string, status: number, milliseconds: number): void {
    this.inFlight.dec();
    this.requests.inc({ method, route, status }, 1);
    this.requestSeconds.observe({ method, route, status }, milliseconds / 1000);
  }

  /** A request was refused because its key's rate was used up. @param key its id. */
  rateLimited(key: string): void {
    this.rateRefusals.inc({ key }, 1);
  }

  stage(stage: Stage, milliseconds: number): void {
    this.stageSeconds.observe({ stage }, milliseconds / 1000);
  }

  classified(inScope: number, outOfScope: number): void {
    if (inScope > 0) this.classifiedTexts.inc({ outcome: 'in_scope' }, inScope);
    if (outOfScope > 0) this.classifiedTexts.inc({ outcome: 'out_of_scope' }, outOfScope);
  }

  /** An operation of the store ended (its StoreObserver). */
  stored(operation: string, milliseconds: number): void {
    this.storeSeconds.observe({ operation }, milliseconds / 1000);
  }

  adapted(milliseconds: number): void {
    this.adaptationSeconds.observe(milliseconds / 1000);
  }

  /** A job ended here (its JobObserver). */
  jobEnded(kind: string, outcome: string, milliseconds: number): void {
    this.jobSeconds.observe({ kind, outcome }, milliseconds / 1000);
  }

  loaded(milliseconds: number): void {
    this.loadSeconds.observe(milliseconds / 1000);
  }

  /** A forward pass of the encoder (its EncoderObserver). */
  batch(rows: number, paddedLength: number, milliseconds: number): void {
    this.batchTexts.observe(rows);
    this.batchTokens.observe(paddedLength);
    this.batchSeconds.observe(milliseconds / 1000);
  }

  /** A text left the encoder's queue (its EncoderObserver). */
  queued(milliseconds: number): void {
    this.queueSeconds.observe(milliseconds / 1000);
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** All metrics, as Prometheus reads them. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  private histogram<L extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: L[] = [],
  ): Histogram<L> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] });
  }

  private read(name: string, help: string, value: (stats: ServiceStats) => number): void {
    const current = () => this.stats();
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        const stats = current();
        if (stats !== undefined) this.set(value(stats));
      },
    });
  }

  private readJobs<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    set: (gauge: Gauge<L>, job: JobStats) => void,
  ): void {
    const current = () => this.jobs.stats();
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        for (const job of current()) set(this, job);
      },
    });
  }

  private readTotal(name: string, help: string, value: (stats: ServiceStats) => number): void {
    const current = () => this.stats();
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        const stats = current();
        this.reset();
        if (stats !== undefined) this.inc(value(stats));
      },
    });
  }
}
