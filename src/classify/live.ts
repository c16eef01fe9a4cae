import type { Encoded, Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import type { CalibrationModel } from '../heads/calibration.js';
import { HeadLibrary } from '../heads/library.js';
import { initHeads } from '../heads/runtime.js';
import type { ChangeFeed } from '../store/changeFeed.js';
import type { Change, IntentRecord, Json, Store } from '../store/store.js';
import { Adapter } from './adapter.js';
import { checkIntents, intentInput, textsOf } from './checkedIntents.js';
import { COMMITTEE_HEADS } from './committee.js';
import { Edits } from './edits.js';
import { embedTexts, withEmbeddings } from './embedTexts.js';
import { type EvaluationRun, Evaluations } from './evaluation/evaluations.js';
import type { Evaluation, EvaluationComparison, EvaluationSummary } from './evaluationTypes.js';
import { lookBeforeRefusing } from './freshWrites.js';
import { HeadChoice, type HeadUse } from './headChoice.js';
import { defaultHead, summariseChange, summariseHead } from './headList.js';
import { holdBots } from './heldBots.js';
import { importChanges } from './importChanges.js';
import { Inspector } from './inspector.js';
import { LoadedBots } from './loadedBots.js';
import type { BotMap } from './mapTypes.js';
import { ONE_TIME_HEAD, oneTimeContents } from './oneTimeBot.js';
import { type Reading, readTexts } from './readTexts.js';
import { Replicas } from './replicas.js';
import type { RosterEntry } from './roster.js';
import { present, type Served, ServedBots } from './servedBots.js';
import type {
  BotChecks,
  BotSummary,
  ClassifyOptions,
  ClassifyResult,
  ClassifyService,
  CrossValidationOptions,
  EvaluationOptions,
  Example,
  ExampleEdit,
  HeadReload,
  HeadSummary,
  ImportDocument,
  ImportOptions,
  ImportResult,
  Intent,
  IntentDefinition,
  SavedVersion,
  ServiceObserver,
  ServiceStats,
  Suggestions,
  SuggestOptions,
  UnlabelledPage,
  UnlabelledPageOptions,
  UnlabelledRemoval,
  UnlabelledWrite,
  WriteResult,
  WrittenAlias,
} from './service.js';
import { type BotSettings, botSettingsSchema } from './settings.js';
import { checkTexts } from './text.js';
import { UnlabelledTexts } from './unlabelled.js';
import type { VersionContents } from './versionContents.js';
import { Versions } from './versions.js';
import type { AliasSummary, VersionChanges, VersionSummary } from './versionTypes.js';
import { WriteQueue } from './writeQueue.js';

const DEFAULT_TOP = 5;
const REVISION_TIMEOUT_MS = 2000;
/** Of the memory that bots may take: for what those had learned that are not in it. */
const LEARNED_PART = 1 / 8;

export interface ServiceOptions {
  /** Encoder and store are closed with the service, and when it cannot be opened. */
  readonly encoder: Encoder;
  readonly store: Store;
  /** Of a store that other processes write to as well. */
  readonly feed?: ChangeFeed;
  /** How long a revision is waited for that another process wrote. */
  readonly revisionTimeoutMs?: number;
  readonly maxTextChars: number;
  /** Memory that bots may take, in bytes: beyond it those are let go that were not used for longest. */
  readonly botMemoryBytes?: number;
  /** Where indexes of large bots are kept between runs; absent, they are built at every start. */
  readonly snapshotDirectory?: string;
  /** Where trained heads are, a checkpoint each folder; absent, there are only those that are built in. */
  readonly headsDirectory?: string;
  /** As `readCalibration` reads it. */
  readonly calibration: CalibrationModel;
  readonly observer?: ServiceObserver;
  /** Something went wrong that no request is to blame for. */
  readonly warn: (message: string, error: unknown) => void;
  /** Told while texts are embedded that the store holds under another encoder, or was interrupted over. */
  readonly embedding?: (done: number, total: number) => void;
}

/** A service that carries out, too, what it and others are asked to do in the background. */
export interface OpenedService extends ClassifyService {
  /** As `Evaluations.carryOut`. */
  carryOutEvaluation(job: number, run: EvaluationRun): Promise<Json>;
}

/**
 * Opens the service on a store: embeds what has no embedding under this encoder, learns what bots there are, and brings the
 * first of them to life.
 *
 * @throws KshotError what the encoder and the store throw.
 */
export async function openService(options: ServiceOptions): Promise<OpenedService> {
  const service = new LiveService(options);
  try {
    await initHeads();
    await service.loadHeads();
    holdBots(service, (name, work) => service.hold(name, work));
    await service.start();
    if (options.feed !== undefined) lookBeforeRefusing(service, (name) => service.catchUp(name));
  } catch (error) {
    await service.close();
    throw error;
  }
  return service;
}

class LiveService implements OpenedService {
  readonly #encoder: Encoder;
  readonly #store: Store;
  readonly #options: ServiceOptions;
  readonly #writes = new WriteQueue();
  readonly #heads: HeadLibrary;
  readonly #choice: HeadChoice;
  readonly #bots: ServedBots;
  readonly #loaded: LoadedBots;
  #reload: Promise<unknown> = Promise.resolve();
  readonly #adapter = new Adapter();
  readonly #unlabelled: UnlabelledTexts;
  readonly #replicas: Replicas;
  readonly #edits: Edits;
  readonly #inspector: Inspector;
  readonly #evaluations: Evaluations;
  readonly #versions: Versions<Served>;
  #closed = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#encoder = options.encoder;
    this.#store = options.store;
    this.#heads = new HeadLibrary({ directory: options.headsDirectory, encoder: options.encoder });
    this.#choice = new HeadChoice(this.#heads);
    const memoryBytes = options.botMemoryBytes ?? Infinity;
    this.#bots = new ServedBots({
      ...options,
      learnedBytes: LEARNED_PART * memoryBytes,
      heads: this.#choice,
      adapter: this.#adapter,
      writeSeen: (served, texts) => this.#unlabelled.writeSeen(served, texts),
      beside: (support, name, head) => this.#unlabelled.beside(support, name, head),
    });
    this.#loaded = new LoadedBots({
      ...options,
      bots: this.#bots,
      memoryBytes: (1 - LEARNED_PART) * memoryBytes,
      inTurn: (name, work) => this.#writes.run(name, work),
      withEmbeddings: (read) => this.#replicas.withEmbeddings(read),
      versions: {
        load: (name) => this.#versions.load(name),
        warm: (name) => this.#versions.warm(name),
        forget: (name) => this.#versions.forget(name),
        servedOf: (name) => this.#versions.servedOf(name),
      },
    });
    this.#inspector = new Inspector(options.encoder);
    this.#replicas = new Replicas({
      ...options,
      feed: options.feed,
      revisionTimeoutMs: options.revisionTimeoutMs ?? REVISION_TIMEOUT_MS,
      loaded: this.#loaded,
      catchUpVersions: (name) => this.hold(name, () => this.#versions.catchUp(name)),
      inTurn: (name, work) => this.#writes.run(name, work),
    });
    this.#edits = new Edits({
      ...options,
      find: (name) => this.#find(name),
      change: (name, embeddings, write) => this.#change(name, embeddings, write),
    });
    this.#unlabelled = new UnlabelledTexts({
      ...options,
      idOf: (name) => this.#loaded.roster.get(name)?.bot.id,
      find: (name) => this.#find(name),
      write: (name, write) => this.#write(name, write),
      lastWrite: (name, write) => this.#writes.run(name, write),
      committee: () => COMMITTEE_HEADS.flatMap((head) => this.#heads.find(head)?.version ?? []),
    });
    this.#evaluations = new Evaluations({
      ...options,
      find: (name) => this.#find(name),
      readVersion: async (name, asked) => {
        const version = this.#versions.resolve(name, asked);
        return { version, contents: await this.#versions.read(name, version) };
      },
      wantedHead: (settings) => this.#choice.wanted(settings),
      enliven: (contents, settings) => this.#bots.enliven(contents, () => this.#choice.versionsFor(settings)),
      beside: (support, name, head) => this.#unlabelled.beside(support, name, head),
    });
    this.#versions = new Versions({
      ...options,
      present: (name) => this.#find(name).bot.texts,
      write: (name, write) => this.#write(name, write),
      open: async (name, contents) => {
        const served = await this.#bots.serve(name, contents, { isVersion: true });
        served.bot.warmUp();
        const isSettled = served.settledAt !== undefined;
        return { served, adapted: isSettled ? Promise.resolve() : this.#bots.adapt(served) };
      },
      release: (served) => this.#bots.letGo(served),
      wantedHead: (settings) => this.#choice.wanted(botSettingsSchema.parse(settings)),
    });
  }

  /** Takes up the trained heads; to be called before bots are loaded. */
  async loadHeads(): Promise<void> {
    await this.#heads.reload();
  }

  /** Learns what bots there are, and loads the first of them; to be called when heads are loaded. */
  async start(): Promise<void> {
    await this.#replicas.start();
    // Others may write to a bot without a pause, and whoever starts waits until it has adapted.
    for (const { timer } of this.#allServed) timer.hurry();
  }

  /** Takes over what other processes have made of a bot. */
  async catchUp(name: string): Promise<void> {
    await this.#replicas.catchUp(name);
    if (this.#loaded.get(name) !== undefined) await this.hold(name, () => this.#versions.catchUp(name));
  }

  /** Runs work with a bot in memory until it is over, where there is such a bot. */
  hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#loaded.hold(name, work);
  }

  async classify(
    name: string,
    texts: readonly string[],
    options: ClassifyOptions = {},
  ): Promise<ClassifyResult[]> {
    const { version, ...how } = options;
    this.#find(name);
    const checked = checkTexts('texts', texts, this.#options.maxTextChars);
    const classify = async (find: () => Served, answering?: string) => {
      const { top = DEFAULT_TOP, explain = false, signal } = how;
      const encoded = await this.#encode(checked, signal);
      const readings = await readTexts(
        find,
        encoded.embeddings,
        { top, explain, signal },
        this.#options.observer,
      );
      this.#unlabelled.keep(this.#loaded.get(name), checked, encoded.embeddings);
      return this.#results(texts, encoded, readings, answering);
    };
    if (version === undefined) return classify(() => this.#find(name));
    return this.#versions.use(name, version, (served, answering) =>
      classify(() => present(served), answering),
    );
  }

  async classifyAgainst(
    intents: readonly IntentDefinition[],
    texts: readonly string[],
    { top = DEFAULT_TOP, explain = false, signal }: ClassifyOptions = {},
  ): Promise<ClassifyResult[]> {
    if (this.#closed) throw new KshotError('not_ready', 'the server is shutting down');
    const defined = checkIntents(intents, this.#options.maxTextChars);
    const checked = checkTexts('texts', texts, this.#options.maxTextChars);
    const embeddings = await embedTexts(this.#encoder, defined.flatMap(textsOf), signal);
    const encoded = await this.#encode(checked, signal);
    const head = this.#heads.find(ONE_TIME_HEAD)!.version!;
    const contents = oneTimeContents(
      defined.map((intent) => intentInput(intent, embeddings)),
      this.#encoder.dimension,
    );
    const live = await this.#bots.enliven(contents, () => [head]);
    try {
      const reader = { ...live, settings: {} };
      const readings = await readTexts(
        () => reader,
        encoded.embeddings,
        { top, explain, signal },
        this.#options.observer,
      );
      return this.#results(texts, encoded, readings);
    } finally {
      live.dispose();
    }
  }

  refusal(): KshotError | undefined {
    return this.#encoder.refusal();
  }

  async #encode(texts: readonly string[], signal: AbortSignal | undefined): Promise<Encoded> {
    const started = performance.now();
    const encoded = await this.#encoder.encode(texts, signal && { signal });
    this.#options.observer?.stage('encode', performance.now() - started);
    return encoded;
  }

  /**
   * @param texts as they were given.
   * @param version that answered, where one was asked for.
   */
  #results(
    texts: readonly string[],
    encoded: Encoded,
    readings: readonly Reading[],
    version?: string,
  ): ClassifyResult[] {
    const results = readings.map(({ decision, scored }, i) => ({
      text: texts[i]!,
      ...decision,
      ...(encoded.truncated[i] ? { truncated: true as const } : {}),
      model: {
        encoder: this.#encoder.name,
        head: scored.head,
        revision: scored.revision,
        ...(version === undefined ? {} : { version }),
      },
    }));
    const outOfScope = results.filter((result) => result.out_of_scope).length;
    this.#options.observer?.classified(results.length - outOfScope, outOfScope);
    return results;
  }

  listBots(): Promise<BotSummary[]> {
    return Promise.resolve(
      [...this.#loaded.roster.entries]
        .map((entry) => this.#summarise(entry))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  getBot(name: string): Promise<BotSummary> {
    return attempt(() => this.#summarise(this.#loaded.require(name)));
  }

  putBot(name: string, settings: BotSettings): Promise<BotSummary> {
    return this.#write(name, async () => {
      this.#choice.check(settings.head);
      const record = await this.#store.putBot(name, { ...settings });
      const served = this.#loaded.get(name);
      if (served === undefined) await this.#loaded.load(name);
      else if (this.#replicas.areNext(served.bot.texts.record, record)) this.#loaded.configure(name, record);
      else await this.#replicas.catchUpInTurn(name);
      return this.#summarise(this.#loaded.require(name));
    });
  }

  deleteBot(name: string): Promise<void> {
    return this.#write(name, async () => {
      this.#loaded.require(name);
      await this.#store.deleteBot(name);
      await this.#loaded.drop(name);
    });
  }

  reach(name: string, revision: number, signal?: AbortSignal): Promise<void> {
    return this.#replicas.reach(name, revision, signal);
  }

  listIntents(name: string): Promise<Intent[]> {
    return attempt(() => this.#find(name).bot.texts.intents.map(describe));
  }

  getIntent(name: string, intentName: string): Promise<Intent> {
    return attempt(() => {
      const intent = this.#find(name).bot.texts.intent(intentName);
      if (intent === undefined) {
        throw new KshotError('unknown_intent', `bot ${name} has no intent ${intentName}`);
      }
      return describe(intent);
    });
  }

  async putIntents(name: string, intents: readonly IntentDefinition[]): Promise<WriteResult> {
    const checked = checkIntents(intents, this.#options.maxTextChars);
    const embeddings = await embedTexts(this.#encoder, checked.flatMap(textsOf));
    return this.#change(
      name,
      embeddings,
      () =>
        this.#store.putIntents(
          name,
          checked.map((intent) => intentInput(intent, embeddings)),
          this.#encoder.fingerprint,
        ),
      checked,
    );
  }

  async importBot(
    name: string,
    document: ImportDocument,
    { prune = false, dryRun = false, signal }: ImportOptions = {},
  ): Promise<ImportResult> {
    const intents = checkIntents(document.intents, this.#options.maxTextChars);
    const counterexamples = checkTexts(
      'counterexamples',
      document.counterexamples,
      this.#options.maxTextChars,
    );
    const compare = () =>
      importChanges(this.#loaded.get(name)?.bot.texts, { intents, counterexamples }, prune);
    if (dryRun) {
      const revision = this.#loaded.roster.get(name)?.bot.revision ?? 0;
      return { bot: name, dry_run: true, revision, ...compare() };
    }
    const texts = [...intents.flatMap(textsOf), ...counterexamples];
    const embeddings = await embedTexts(this.#encoder, texts, signal);
    let changes: ReturnType<typeof compare> | undefined;
    const { revision } = await this.#change(
      name,
      embeddings,
      () => {
        if (signal?.aborted)
          throw new KshotError('cancelled', 'the import was given up before it was written');
        changes = compare();
        return this.#store.importBot(
          name,
          {
            intents: intents.map((intent) => intentInput(intent, embeddings)),
            counterexamples:
              counterexamples.length > 0 || prune
                ? counterexamples.map(withEmbeddings(embeddings))
                : undefined,
            prune,
          },
          this.#encoder.fingerprint,
        );
      },
      intents,
    );
    return { bot: name, dry_run: false, revision, ...changes! };
  }

  deleteIntent(name: string, intent: string): Promise<WriteResult> {
    return this.#change(name, new Map(), () => this.#store.deleteIntent(name, intent));
  }

  async addExamples(name: string, intent: string, examples: readonly string[]): Promise<WriteResult> {
    await this.getIntent(name, intent);
    const { embeddings, embedded } = await this.#embedExamples(examples);
    return this.#change(name, embeddings, () =>
      this.#store.addExamples(name, intent, embedded, this.#encoder.fingerprint),
    );
  }

  removeExample(name: string, intent: string, id: number): Promise<WriteResult> {
    return this.#change(name, new Map(), () => this.#store.removeExample(name, intent, id));
  }

  async editExample(name: string, intent: string, id: number, edit: ExampleEdit): Promise<WriteResult> {
    return this.#edits.editExample(name, intent, id, edit);
  }

  async renameIntent(name: string, intent: string, to: string): Promise<WriteResult> {
    return this.#edits.renameIntent(name, intent, to);
  }

  async addCounterexamples(name: string, examples: readonly string[]): Promise<WriteResult> {
    return this.#edits.addCounterexamples(name, examples);
  }

  async removeCounterexample(name: string, id: number): Promise<WriteResult> {
    return this.#edits.removeCounterexample(name, id);
  }

  getCounterexamples(name: string): Promise<Example[]> {
    return attempt(() => this.#find(name).bot.texts.counterexamples.map(toExample));
  }

  async putCounterexamples(name: string, examples: readonly string[]): Promise<WriteResult> {
    this.#find(name);
    const { embeddings, embedded } = await this.#embedExamples(examples);
    return this.#change(name, embeddings, () =>
      this.#store.putCounterexamples(name, embedded, this.#encoder.fingerprint),
    );
  }

  async addUnlabelled(name: string, texts: readonly string[]): Promise<UnlabelledWrite> {
    this.#find(name);
    return this.#unlabelled.add(name, checkTexts('texts', texts, this.#options.maxTextChars));
  }

  async listUnlabelled(name: string, page?: UnlabelledPageOptions): Promise<UnlabelledPage> {
    return this.#unlabelled.list(name, page);
  }

  async removeUnlabelled(name: string, id: number): Promise<UnlabelledRemoval> {
    return this.#unlabelled.remove(name, id);
  }

  async clearUnlabelled(name: string): Promise<UnlabelledRemoval> {
    return this.#unlabelled.clear(name);
  }

  async labelUnlabelled(name: string, id: number, intent: string | null): Promise<WriteResult> {
    this.#find(name);
    const embeddings = new Map<string, Float32Array>();
    return this.#change(name, embeddings, async () => {
      const { text, embedding } = await this.#store.findUnlabelled(name, id, this.#encoder.fingerprint);
      embeddings.set(text, embedding);
      return this.#store.labelUnlabelled(name, id, intent);
    });
  }

  async suggest(name: string, options?: SuggestOptions): Promise<Suggestions> {
    return this.#unlabelled.suggest(name, options);
  }

  async check(name: string): Promise<BotChecks> {
    return { bot: name, ...(await this.#inspector.inspect(this.#find(name).bot, 'check')) };
  }

  async map(name: string): Promise<BotMap> {
    return { bot: name, ...(await this.#inspector.inspect(this.#find(name).bot, 'map')) };
  }

  async crossValidate(name: string, options: CrossValidationOptions = {}): Promise<EvaluationSummary> {
    return this.#evaluations.crossValidate(name, options);
  }

  async evaluateTestSet(
    name: string,
    document: ImportDocument,
    options: EvaluationOptions = {},
  ): Promise<EvaluationSummary> {
    const { maxTextChars } = this.#options;
    const labelled = (expected: string | null, field: string, texts: readonly string[]) =>
      [...new Set(checkTexts(field, texts, maxTextChars))].map((text) => ({ text, expected }));
    return this.#evaluations.judgeTestSet(
      name,
      [
        ...document.intents.flatMap((intent, i) =>
          labelled(intent.name, `intents.${i}.examples`, intent.examples),
        ),
        ...labelled(null, 'counterexamples', document.counterexamples),
      ],
      options,
    );
  }

  async listEvaluations(name: string): Promise<EvaluationSummary[]> {
    return this.#evaluations.list(name);
  }

  async getEvaluation(name: string, id: number): Promise<Evaluation> {
    return this.#evaluations.get(name, id);
  }

  async deleteEvaluation(name: string, id: number): Promise<void> {
    return this.#evaluations.remove(name, id);
  }

  async carryOutEvaluation(job: number, run: EvaluationRun): Promise<Json> {
    return this.#evaluations.carryOut(job, run);
  }

  async compareEvaluations(name: string, id: number, other?: number): Promise<EvaluationComparison> {
    return this.#evaluations.compare(name, id, other);
  }

  listVersions(name: string): Promise<VersionSummary[]> {
    return attempt(() => this.#versions.list(name));
  }

  getVersion(name: string, version: string): Promise<VersionSummary> {
    return attempt(() => this.#versions.get(name, version));
  }

  async saveVersion(name: string, version: string, note: string | null): Promise<SavedVersion> {
    return this.#versions.save(name, version, note);
  }

  async deleteVersion(name: string, version: string): Promise<void> {
    return this.#versions.delete(name, version);
  }

  async getVersionContents(name: string, version: string): Promise<VersionContents> {
    return this.#versions.contents(name, version);
  }

  async versionChanges(name: string, from: string, to?: string): Promise<VersionChanges> {
    return this.#versions.changes(name, from, to);
  }

  async restoreVersion(name: string, named: string): Promise<WriteResult> {
    const version = this.#versions.resolve(name, named);
    const embeddings = new Map<string, Float32Array>();
    const intents: IntentRecord[] = [];
    const restore = async () => {
      const contents = await this.#versions.read(name, version);
      const D = this.#encoder.dimension;
      contents.texts.forEach(({ text }, i) => {
        // Copies: one that stays in use would else keep all of them in memory.
        embeddings.set(text, contents.embeddings.slice(i * D, (i + 1) * D));
      });
      intents.push(...contents.intents);
      return this.#store.restoreVersion(name, version, this.#encoder.fingerprint);
    };
    return this.#change(name, embeddings, restore, intents);
  }

  listAliases(name: string): Promise<AliasSummary[]> {
    return attempt(() => this.#versions.listAliases(name));
  }

  async putAlias(name: string, alias: string, version: string): Promise<WrittenAlias> {
    return this.#versions.putAlias(name, alias, version);
  }

  async rollBackAlias(name: string, alias: string): Promise<AliasSummary> {
    return this.#versions.rollBackAlias(name, alias);
  }

  async deleteAlias(name: string, alias: string): Promise<void> {
    return this.#versions.deleteAlias(name, alias);
  }

  listHeads(): Promise<HeadSummary[]> {
    const { bots } = this.#headUse;
    return Promise.resolve(
      this.#heads.entries.map((entry) =>
        summariseHead(entry, {
          isDefault: this.#heads.find(entry.name) === entry && entry.name === defaultHead(this.#heads),
          bots: (entry.version && bots.get(entry.version)) ?? 0,
        }),
      ),
    );
  }

  reloadHeads(): Promise<HeadReload> {
    const reload = this.#reload.then(() => this.#reloadHeads());
    this.#reload = reload.catch(() => undefined);
    return reload;
  }

  async #reloadHeads(): Promise<HeadReload> {
    if (this.#closed) throw new KshotError('not_ready', 'the server is shutting down');
    const changes = await this.#heads.reload();
    let renewed = 0;
    // What is being brought to life may have been given the former ones.
    await Promise.all([this.#loaded.opened(), this.#versions.opened()]);
    for (const served of this.#allServed) {
      if (served.isGone || served.bot.isServedBy(this.#choice.versionsFor(served.settings))) continue;
      await this.#bots.renew(served);
      if (!served.isVersion) renewed++;
    }
    this.#heads.release(new Set(this.#allServed.flatMap(({ bot }) => bot.heads)));
    return { changes: changes.map(summariseChange), bots_renewed: renewed, heads: await this.listHeads() };
  }

  stats(): ServiceStats {
    const { roster, served } = this.#loaded;
    const waiting = this.#allServed.filter(({ timer }) => timer.isWaiting).length;
    return {
      bots: roster.size,
      fallbacks: this.#headUse.fallbacks,
      intents: roster.totals.intents,
      examples: roster.totals.examples,
      loaded: { bots: served.length, bytes: this.#loaded.bytes, letGo: this.#loaded.letGos },
      adaptations: this.#adapter.size + waiting,
      adaptedSince: this.#allServed.reduce((least, one) => Math.min(least, one.adaptedSince), Infinity),
      storeConnected: this.#replicas.isConnected,
      encoder: this.#encoder.stats(),
    };
  }

  async checkReady(): Promise<void> {
    if (this.#closed) throw new KshotError('not_ready', 'the server is shutting down');
    await this.#store.ping();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#replicas.close();
    await this.#inspector.close();
    await this.#encoder.close();
    await this.#loaded.flush();
    await this.#writes.settled();
    await this.#adapter.close();
    await this.#reload;
    await this.#versions.close();
    await this.#loaded.close();
    this.#heads.dispose();
    await this.#store.close();
  }

  /** A bot that is held. @throws KshotError `unknown_bot`. */
  #find(name: string): Served {
    return this.#loaded.find(name);
  }

  /** All that answers: the bots, and the versions that are in memory. */
  get #allServed(): Served[] {
    return [...this.#loaded.served, ...this.#versions.served];
  }

  get #headUse(): HeadUse {
    return this.#choice.use(this.#loaded.roster.heads, this.#loaded.served);
  }

  #summarise({ bot, settings, intents, examples, counterexamples }: RosterEntry): BotSummary {
    const { name, revision, createdAt, updatedAt } = bot;
    return {
      name,
      settings,
      head: this.#choice.describe(this.#loaded.get(name) ?? { settings }),
      revision,
      intents,
      examples,
      counterexamples,
      created_at: createdAt,
      updated_at: updatedAt,
    };
  }

  async #embedExamples(examples: readonly string[]) {
    const checked = checkTexts('examples', examples, this.#options.maxTextChars);
    const embeddings = await embedTexts(this.#encoder, checked);
    return { embeddings, embedded: checked.map(withEmbeddings(embeddings)) };
  }

  #write<T>(name: string, write: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new KshotError('not_ready', 'the server is shutting down'));
    return this.#writes.run(name, write);
  }

  /** One write to a bot's texts, and maybe its settings: durable first, then live. */
  #change(
    name: string,
    embeddings: ReadonlyMap<string, Float32Array>,
    write: () => Promise<Change>,
    put?: readonly { name: string; description: string | null }[],
  ): Promise<WriteResult> {
    return this.#write(name, async () => {
      const change = await write();
      const served = this.#loaded.get(name);
      if (served === undefined) await this.#loaded.load(name);
      else if (this.#replicas.isNext(served.bot.texts.record, change))
        this.#loaded.apply(name, change, embeddings, put);
      else await this.#replicas.catchUpInTurn(name);
      return {
        bot: name,
        revision: change.bot.revision,
        added: change.added.filter(isShown).map(toExample),
        removed: change.removed.filter(isShown).map(toExample),
      };
    });
  }
}

function describe(intent: {
  name: string;
  description: string | null;
  examples: readonly Example[];
}): Intent {
  return { name: intent.name, description: intent.description, examples: intent.examples.map(toExample) };
}

function toExample({ id, text }: Example): Example {
  return { id, text };
}

/** Labels are kshot's own affair. */
function isShown({ kind }: { kind: string }): boolean {
  return kind !== 'label';
}

/** What `read` returns, or throws, as a promise. */
function attempt<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()));
}
