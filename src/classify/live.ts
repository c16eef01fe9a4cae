import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import { createHead, type HeadName } from '../heads/registry.js';
import { HeadRuntime, initHeads } from '../heads/runtime.js';
import type { AdaptiveIndex } from '../index/adaptive.js';
import { openIndex } from '../index/openIndex.js';
import { saveSnapshot } from '../index/snapshot.js';
import type { BotContents, BotRecord, Change, EmbeddedText, IntentInput, Store } from '../store/store.js';
import { Adapter } from './adapter.js';
import { BotTexts, indexedTexts } from './botTexts.js';
import { decide } from './decide.js';
import { changesSupport, LiveBot } from './liveBot.js';
import { ScoreQueue } from './scoreQueue.js';
import type {
  BotSummary,
  ClassifyOptions,
  ClassifyResult,
  ClassifyService,
  Example,
  Intent,
  IntentDefinition,
  ServiceObserver,
  ServiceStats,
  WriteResult,
} from './service.js';
import { type BotSettings, botSettingsSchema, DEFAULT_HEAD, DEFAULT_THRESHOLD } from './settings.js';
import { checkTexts, readableName } from './text.js';

/**
 * A head adapts when its bot has been left alone for as long as its last adaptation took, within these bounds: a burst of
 * writes then costs one adaptation, not one a write.
 */
const ADAPT_AFTER_MS = { least: 200, most: 5000 };
/** Texts embedded, and written, in one go while a store is brought up to this encoder. */
const EMBED_AT_ONCE = 128;
const DEFAULT_TOP = 5;

export interface ServiceOptions {
  /** Encoder and store are closed with the service, and when it cannot be opened. */
  readonly encoder: Encoder;
  readonly store: Store;
  readonly maxTextChars: number;
  /** Where indexes of large bots are kept between runs; absent, they are built at every start. */
  readonly snapshotDirectory?: string;
  readonly observer?: ServiceObserver;
  /** Something went wrong that no request is to blame for. */
  readonly warn: (message: string, error: unknown) => void;
  /** Told while texts are embedded that the store holds under another encoder, or was interrupted over. */
  readonly embedding?: (done: number, total: number) => void;
}

interface Served {
  readonly bot: LiveBot;
  readonly indexes: { readonly examples: AdaptiveIndex; readonly counterexamples: AdaptiveIndex };
  readonly queue: ScoreQueue;
  settings: BotSettings;
  /** Set while the head waits to adapt. */
  adaptTimer?: NodeJS.Timeout | undefined;
  lastAdaptationMs: number;
}

/**
 * Opens the service on a store: embeds what has no embedding under this encoder, then brings every bot to life.
 *
 * @throws KshotError what the encoder and the store throw.
 */
export async function openService(options: ServiceOptions): Promise<ClassifyService> {
  const service = new LiveService(options);
  try {
    await initHeads();
    await embedMissing(options);
    for (const { name } of await options.store.listBots()) await service.load(name);
  } catch (error) {
    await service.close();
    throw error;
  }
  return service;
}

/** Gives every text of the store an embedding under this encoder. Each slice is durable: an interruption resumes. */
async function embedMissing({ encoder, store, embedding }: ServiceOptions): Promise<void> {
  const { fingerprint } = encoder;
  const total = await store.countMissingEmbeddings(fingerprint);
  for (let done = 0; ;) {
    const texts = await store.readMissingEmbeddings(fingerprint, EMBED_AT_ONCE);
    if (texts.length === 0) break;
    const { embeddings } = await encoder.encode(
      texts.map(({ text }) => text),
      { background: true },
    );
    const ids = texts.map(({ id }) => id);
    await store.writeEmbeddings(fingerprint, ids, embeddings);
    embedding?.((done += texts.length), total);
  }
  if (total > 0) await store.deleteOtherEmbeddings(fingerprint);
}

class LiveService implements ClassifyService {
  readonly #encoder: Encoder;
  readonly #store: Store;
  readonly #options: ServiceOptions;
  readonly #served = new Map<string, Served>();
  readonly #writes = new Map<string, Promise<unknown>>();
  readonly #runtimes = new Map<HeadName, HeadRuntime>();
  readonly #adapter = new Adapter();
  #closed = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#encoder = options.encoder;
    this.#store = options.store;
  }

  /** Brings a bot to life from the store. */
  async load(name: string): Promise<void> {
    const contents = await this.#store.readBot(name, this.#encoder.fingerprint);
    if (contents === undefined) return;
    const settings = readSettings(contents.bot);
    const positions = indexedTexts(contents);
    const indexes = {
      examples: await this.#openIndex(contents, positions.examples, this.#snapshotDirectory(name)),
      counterexamples: await this.#openIndex(contents, positions.counterexamples),
    };
    const texts = new BotTexts(contents, this.#encoder.dimension, indexes);
    const bot = new LiveBot(texts, headOf(settings), this.#runtime(settings));
    const observe = (stage: 'retrieve' | 'score', ms: number) => this.#options.observer?.stage(stage, ms);
    this.#release(name);
    this.#served.set(name, {
      bot,
      indexes,
      settings,
      queue: new ScoreQueue(bot, observe),
      lastAdaptationMs: 0,
    });
    bot.warmUp();
    this.#adaptSoon(name);
  }

  async classify(
    name: string,
    texts: readonly string[],
    options: ClassifyOptions = {},
  ): Promise<ClassifyResult[]> {
    const { top = DEFAULT_TOP, explain = false, signal } = options;
    this.#find(name);
    const checked = checkTexts('texts', texts, this.#options.maxTextChars);
    const started = performance.now();
    const encoded = await this.#encoder.encode(checked, signal && { signal });
    this.#options.observer?.stage('encode', performance.now() - started);

    const results: ClassifyResult[] = [];
    const D = this.#encoder.dimension;
    let to: number;
    for (let from = 0; from < checked.length; from = to) {
      if (from > 0) {
        await nextTurn();
        signal?.throwIfAborted();
      }
      // Looked up anew: the bot may have been written to, or deleted, while the encoder worked.
      const { bot, queue, settings } = this.#find(name);
      to = Math.min(checked.length, from + bot.queriesATurn);
      const scored = await queue.score(encoded.embeddings.subarray(from * D, to * D));
      const decideFrom = performance.now();
      for (let i = from; i < to; i++) {
        const decision = decide(scored[i - from]!, settings.threshold ?? DEFAULT_THRESHOLD, top, explain);
        results.push({
          text: texts[i]!,
          ...decision,
          ...(encoded.truncated[i] ? { truncated: true as const } : {}),
          model: {
            encoder: this.#encoder.name,
            head: scored[i - from]!.head,
            revision: scored[i - from]!.revision,
          },
        });
      }
      this.#options.observer?.stage('decide', performance.now() - decideFrom);
    }
    const outOfScope = results.filter((result) => result.out_of_scope).length;
    this.#options.observer?.classified(results.length - outOfScope, outOfScope);
    return results;
  }

  listBots(): Promise<BotSummary[]> {
    return Promise.resolve(
      [...this.#served.values()].map(summarise).sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  getBot(name: string): Promise<BotSummary> {
    return attempt(() => summarise(this.#find(name)));
  }

  putBot(name: string, settings: BotSettings): Promise<BotSummary> {
    return this.#write(name, async () => {
      const record = await this.#store.putBot(name, { ...settings });
      const served = this.#served.get(name);
      if (served === undefined) {
        await this.load(name);
      } else {
        const isOtherHead = headOf(settings) !== headOf(served.settings);
        served.settings = settings;
        served.bot.configure(record, headOf(settings), this.#runtime(settings));
        if (isOtherHead) this.#adaptSoon(name);
      }
      return summarise(this.#find(name));
    });
  }

  deleteBot(name: string): Promise<void> {
    return this.#write(name, async () => {
      this.#find(name);
      await this.#store.deleteBot(name);
      this.#release(name);
      const directory = this.#snapshotDirectory(name);
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    });
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
    const inputs = intents.map(({ name, examples, description }, i) => ({
      name,
      description:
        description == null
          ? null
          : checkTexts(`intents.${i}.description`, [description], this.#options.maxTextChars)[0]!,
      examples: checkTexts(`intents.${i}.examples`, examples, this.#options.maxTextChars),
    }));
    const labels = inputs.map(({ name, description }) => description || readableName(name) || name);
    const embeddings = await this.#embed([...labels, ...inputs.flatMap(({ examples }) => examples)]);
    const embedded = withEmbeddings(embeddings);
    return this.#change(
      name,
      embeddings,
      () =>
        this.#store.putIntents(
          name,
          inputs.map((input, i): IntentInput => ({
            ...input,
            label: embedded(labels[i]!),
            examples: input.examples.map(embedded),
          })),
          this.#encoder.fingerprint,
        ),
      inputs,
    );
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

  stats(): ServiceStats {
    let intents = 0;
    let examples = 0;
    for (const { bot } of this.#served.values()) {
      intents += bot.texts.intentCount;
      examples += bot.texts.exampleCount;
    }
    const waiting = [...this.#served.values()].filter(({ adaptTimer }) => adaptTimer !== undefined).length;
    const adaptations = this.#adapter.size + waiting;
    return { bots: this.#served.size, intents, examples, adaptations, encoder: this.#encoder.stats() };
  }

  async checkReady(): Promise<void> {
    if (this.#closed) throw new KshotError('not_ready', 'the server is shutting down');
    await this.#store.ping();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#encoder.close();
    await Promise.allSettled(this.#writes.values());
    await this.#adapter.close();
    for (const [name, { indexes }] of this.#served) {
      const directory = this.#snapshotDirectory(name);
      if (directory !== undefined) await saveSnapshot(indexes.examples, directory, this.#encoder.fingerprint);
      this.#release(name);
    }
    await this.#store.close();
  }

  #find(name: string): Served {
    const served = this.#served.get(name);
    if (served === undefined) throw new KshotError('unknown_bot', `there is no bot ${name}`);
    return served;
  }

  /** An index over some of a bot's texts, from its snapshot where it has one that helps. */
  async #openIndex(
    contents: BotContents,
    positions: readonly number[],
    directory?: string,
  ): Promise<AdaptiveIndex> {
    const D = this.#encoder.dimension;
    const embeddings = new Float32Array(positions.length * D);
    positions.forEach((at, row) =>
      embeddings.set(contents.embeddings.subarray(at * D, (at + 1) * D), row * D),
    );
    const { index, refusal } = await openIndex(
      { dimension: D, ids: positions.map((at) => contents.texts[at]!.id), embeddings },
      directory ? { snapshot: { directory, key: this.#encoder.fingerprint } } : {},
    );
    if (refusal !== undefined)
      this.#options.warn(`bot ${contents.bot.name}: its index was built anew`, refusal);
    return index;
  }

  #snapshotDirectory(name: string): string | undefined {
    const root = this.#options.snapshotDirectory;
    return root && join(root, encodeURIComponent(name));
  }

  #release(name: string): void {
    const served = this.#served.get(name);
    if (served === undefined) return;
    clearTimeout(served.adaptTimer);
    served.bot.dispose();
    served.indexes.examples.close();
    served.indexes.counterexamples.close();
    this.#served.delete(name);
  }

  #runtime(settings: BotSettings): HeadRuntime {
    const name = headOf(settings);
    let runtime = this.#runtimes.get(name);
    if (runtime === undefined) {
      runtime = new HeadRuntime(createHead(name), this.#encoder.dimension);
      this.#runtimes.set(name, runtime);
    }
    return runtime;
  }

  async #embedExamples(examples: readonly string[]) {
    const checked = checkTexts('examples', examples, this.#options.maxTextChars);
    const embeddings = await this.#embed(checked);
    return { embeddings, embedded: checked.map(withEmbeddings(embeddings)) };
  }

  /**
   * Embeddings by text. A long list goes to the encoder slice by slice, so that it shares the passes with requests: it
   * neither waits for them all nor keeps them all waiting.
   */
  async #embed(texts: readonly string[]): Promise<Map<string, Float32Array>> {
    const distinct = [...new Set(texts)];
    const D = this.#encoder.dimension;
    const byText = new Map<string, Float32Array>();
    for (let from = 0; from < distinct.length; from += EMBED_AT_ONCE) {
      const slice = distinct.slice(from, from + EMBED_AT_ONCE);
      const { embeddings } = await this.#encoder.encode(slice);
      slice.forEach((text, i) => byText.set(text, embeddings.slice(i * D, (i + 1) * D)));
    }
    return byText;
  }

  /** Writes to one bot follow one another, so that the live state sees revisions in their order. */
  #write<T>(name: string, write: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new KshotError('not_ready', 'the server is shutting down'));
    const before = this.#writes.get(name) ?? Promise.resolve();
    const done = before.then(write, write);
    this.#writes.set(name, done);
    const forget = () => {
      if (this.#writes.get(name) === done) this.#writes.delete(name);
    };
    done.then(forget, forget);
    return done;
  }

  /** One write to a bot's texts: durable first, then live. */
  #change(
    name: string,
    embeddings: ReadonlyMap<string, Float32Array>,
    write: () => Promise<Change>,
    put?: readonly { name: string; description: string | null }[],
  ): Promise<WriteResult> {
    return this.#write(name, async () => {
      const change = await write();
      const served = this.#served.get(name);
      if (served === undefined) {
        await this.load(name);
      } else {
        served.bot.apply(change, embeddings, put);
        if (changesSupport(change)) this.#adaptSoon(name);
      }
      return {
        bot: name,
        revision: change.bot.revision,
        added: change.added.filter(isShown).map(toExample),
        removed: change.removed.filter(isShown).map(toExample),
      };
    });
  }

  /** Has the head adapt when no write has come for a while; what there is serves until then. */
  #adaptSoon(name: string): void {
    const served = this.#find(name);
    const delay = Math.min(ADAPT_AFTER_MS.most, Math.max(ADAPT_AFTER_MS.least, served.lastAdaptationMs));
    clearTimeout(served.adaptTimer);
    served.adaptTimer = setTimeout(() => {
      served.adaptTimer = undefined;
      this.#adapt(name, served).catch((error: unknown) =>
        this.#options.warn(`bot ${name}: its head could not be adapted`, error),
      );
    }, delay).unref();
  }

  /**
   * Has the worker adapt the bot's head to its support set, then fit its calibration. A write that comes between begins
   * anew, and what was learned until then is kept for the intents that it leaves alone.
   */
  async #adapt(name: string, served: Served): Promise<void> {
    const { bot, settings } = served;
    const adaptation = bot.adaptation();
    if (adaptation === undefined) return;
    const job = { head: headOf(settings), dimension: this.#encoder.dimension, support: adaptation.support };
    const isServed = () => this.#served.get(name) === served;

    const adapted = await this.#adapter.run(name, { ...job, task: 'adapt' });
    if (adapted === undefined || !isServed()) return;
    if (adapted.state !== undefined) {
      bot.adopt(adapted.state, adaptation);
      served.lastAdaptationMs = adapted.milliseconds;
      this.#options.observer?.adapted(adapted.milliseconds);
    }
    if (!bot.isBasedOn(adaptation)) return;
    const calibrated = await this.#adapter.run(name, { ...job, task: 'calibrate' });
    if (calibrated?.calibration !== undefined && isServed())
      bot.calibrate(calibrated.calibration, adaptation);
  }
}

function headOf(settings: BotSettings): HeadName {
  return settings.head ?? DEFAULT_HEAD;
}

function readSettings(record: BotRecord): BotSettings {
  return botSettingsSchema.parse(record.settings);
}

function summarise({ bot: { texts }, settings }: Served): BotSummary {
  const { name, revision, createdAt, updatedAt } = texts.record;
  return {
    name,
    settings,
    revision,
    intents: texts.intentCount,
    examples: texts.exampleCount,
    counterexamples: texts.counterexamples.length,
    created_at: createdAt,
    updated_at: updatedAt,
  };
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

function withEmbeddings(embeddings: ReadonlyMap<string, Float32Array>): (text: string) => EmbeddedText {
  return (text) => ({ text, embedding: embeddings.get(text)! });
}

/** What `read` returns, or throws, as a promise. */
function attempt<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => resolve(read()));
}
