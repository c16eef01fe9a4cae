import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import type { CalibrationModel } from '../heads/calibration.js';
import { QUERY_BUCKETS } from '../heads/runtime.js';
import type { HeadVersion } from '../heads/version.js';
import type { AdaptiveIndex } from '../index/adaptive.js';
import { openIndex } from '../index/openIndex.js';
import type { BotContents, BotRecord, Change, EmbeddedText, IntentRecord } from '../store/store.js';
import { adaptBot } from './adaptBot.js';
import type { Adapter } from './adapter.js';
import { AdaptTimer } from './adaptTimer.js';
import { BotTexts, indexedTexts } from './botTexts.js';
import { BotClassState } from './classState.js';
import type { HeadChoice } from './headChoice.js';
import { changesSupport, type Enlivened, LiveBot } from './liveBot.js';
import { LearnedStates } from './learnedStates.js';
import { readSettings } from './roster.js';
import { ScoreQueue } from './scoreQueue.js';
import { SeenTexts } from './seenTexts.js';
import type { ServiceObserver } from './service.js';
import type { BotSettings } from './settings.js';
import type { BotSupport } from './supportSet.js';

/** What answers for a bot, or for a version of it, with what keeps it up to date. */
export interface Served extends Enlivened {
  /** Of the bot; of a version the bot's and its own. */
  readonly name: string;
  readonly isVersion: boolean;
  readonly indexes: { readonly examples: AdaptiveIndex; readonly counterexamples: AdaptiveIndex };
  readonly timer: AdaptTimer;
  readonly seen: SeenTexts;
  settings: BotSettings;
  /** When the adaptation began that was over last; before any, -Infinity. Of `performance.now()`. */
  adaptedSince: number;
  /** The revision from which, as it is, there is nothing more to be learned. */
  settledAt?: number | undefined;
  /** Another version of its head is being made ready; the present one adapts no more. */
  isRenewing: boolean;
  /** It was deleted, or let go: what it held is freed. */
  isGone: boolean;
}

/** What bots need to live. */
export interface ServedBotsOptions {
  readonly encoder: Encoder;
  readonly heads: HeadChoice;
  readonly adapter: Adapter;
  readonly calibration: CalibrationModel;
  readonly observer?: ServiceObserver | undefined;
  readonly warn: (message: string, error: unknown) => void;
  /** Bytes for what bots that were let go had learned. */
  readonly learnedBytes: number;
  /** Keeps texts that a bot has classified. */
  readonly writeSeen: (served: Served, texts: readonly EmbeddedText[]) => Promise<void>;
  /** A bot's support set as that head is to adapt to it. */
  readonly beside: (support: BotSupport, bot: string, head: HeadVersion) => Promise<BotSupport>;
}

/** Brings bots and versions to life, keeps them in step with what is written, has their heads adapt, and lets them go. */
export class ServedBots {
  readonly #learned: LearnedStates;
  /** The reasons why another head answers than the one that was chosen, by bot, as they were last told. */
  readonly #toldRefusals = new Map<string, string>();

  constructor(private readonly options: ServedBotsOptions) {
    this.#learned = new LearnedStates(options.learnedBytes);
  }

  /** Memory that what was learned by bots which are not in memory takes. */
  get learnedBytes(): number {
    return this.#learned.bytes;
  }

  /** Brings a bot or a version to life. Its head has yet to adapt, unless it is settled. */
  async serve(
    name: string,
    contents: BotContents,
    how: { readonly isVersion: boolean; readonly snapshotDirectory?: string | undefined },
  ): Promise<Served> {
    const settings = readSettings(contents.bot);
    const heads = () => this.options.heads.versionsFor(settings);
    const live = await this.enliven(contents, heads, how.snapshotDirectory);
    const served: Served = {
      name,
      isVersion: how.isVersion,
      ...live,
      settings,
      timer: new AdaptTimer(() => void this.adapt(served)),
      seen: new SeenTexts((texts) => this.options.writeSeen(served, texts)),
      adaptedSince: -Infinity,
      isRenewing: false,
      isGone: false,
    };
    this.#tellRefusal(served);
    const learned = this.#learned.take(name, contents.bot, served.bot.head);
    if (learned !== undefined) {
      served.bot.recall(learned);
      served.settledAt = contents.bot.revision;
      served.adaptedSince = performance.now();
    }
    return served;
  }

  /**
   * What answers for a bot: its texts in memory, indexed, its head, and the queries that wait for it.
   *
   * @param heads looked up last: they may be other versions by then.
   */
  async enliven(
    contents: BotContents,
    heads: () => readonly HeadVersion[],
    snapshotDirectory?: string,
  ): Promise<Enlivened & Pick<Served, 'indexes'>> {
    const positions = indexedTexts(contents);
    const indexes = {
      examples: await this.#openIndex(contents, positions.examples, snapshotDirectory),
      counterexamples: await this.#openIndex(contents, positions.counterexamples),
    };
    const texts = new BotTexts(contents, this.options.encoder.dimension, indexes);
    const bot = new LiveBot(texts, heads(), this.options.calibration);
    const queue = new ScoreQueue(bot, this.options.observer);
    const dispose = () => {
      queue.flush();
      bot.dispose();
      indexes.examples.close();
      indexes.counterexamples.close();
    };
    return { indexes, bot, queue, dispose };
  }

  /** An index over some of a bot's texts, from its snapshot where it has one that helps. */
  async #openIndex(
    contents: BotContents,
    positions: readonly number[],
    directory?: string,
  ): Promise<AdaptiveIndex> {
    const D = this.options.encoder.dimension;
    const embeddings = new Float32Array(positions.length * D);
    positions.forEach((at, row) =>
      embeddings.set(contents.embeddings.subarray(at * D, (at + 1) * D), row * D),
    );
    const { index, refusal } = await openIndex(
      { dimension: D, ids: positions.map((at) => contents.texts[at]!.id), embeddings },
      directory ? { snapshot: { directory, key: this.options.encoder.fingerprint } } : {},
    );
    if (refusal !== undefined)
      this.options.warn(`bot ${contents.bot.name}: its index was built anew`, refusal);
    return index;
  }

  /** Lets a bot or a version go, which may come back. */
  letGo(served: Served): void {
    const { name, bot, settledAt } = served;
    const { record } = bot.texts;
    const learned = settledAt === record.revision ? bot.learned : undefined;
    if (!served.isGone && learned !== undefined) this.#learned.keep(name, record, bot.head, learned);
    this.dispose(served);
  }

  /** Frees a bot or a version. */
  dispose(served: Served): void {
    if (served.isGone) return;
    served.isGone = true;
    this.options.adapter.forget(served.name);
    served.timer.cancel();
    served.seen.discard();
    served.dispose();
  }

  /** Takes over the settings of a record. */
  configure(served: Served, record: BotRecord): void {
    served.settings = readSettings(record);
    const heads = this.options.heads.versionsFor(served.settings);
    const isOtherHead = !served.bot.isServedBy(heads);
    served.bot.configure(record, heads);
    this.#tellRefusal(served);
    if (isOtherHead) served.timer.soon();
  }

  /** Says once that, and why, another head answers than the one that the bot's owner has chosen. */
  #tellRefusal(served: Served): void {
    const { wanted, serving, reason } = this.options.heads.describe(served);
    if (
      served.settings.head !== undefined &&
      reason !== null &&
      reason !== this.#toldRefusals.get(served.name)
    ) {
      this.options.warn(
        `bot ${served.name}: the head ${serving} answers, not ${wanted}: ${reason}`,
        undefined,
      );
    }
    if (reason === null) this.#toldRefusals.delete(served.name);
    else this.#toldRefusals.set(served.name, reason);
  }

  /** Takes over what a write did, of this process or another. */
  apply(
    served: Served,
    change: Change,
    embeddings: ReadonlyMap<string, Float32Array>,
    put?: readonly IntentRecord[],
  ): void {
    const isConfigured = isDeepStrictEqual(served.bot.texts.record.settings, change.bot.settings);
    served.bot.apply(change, embeddings, put);
    if (isConfigured) this.#tellRefusal(served);
    else this.configure(served, change.bot);
    // A text that a write has given a label is unlabelled no longer.
    if (changesSupport(change) || (served.bot.readsUnlabelled && change.added.length > 0))
      served.timer.soon();
  }

  /** Resolves when the head has adapted and the calibration is fitted; what fails is told, and not thrown. */
  async adapt(served: Served): Promise<void> {
    const begun = performance.now();
    try {
      await this.#adaptHead(served);
    } catch (error) {
      // Of a bot that was deleted meanwhile there is nothing to tell.
      if (!served.isGone) this.options.warn(`bot ${served.name}: its head could not be adapted`, error);
    } finally {
      served.adaptedSince = begun;
    }
  }

  async #adaptHead(served: Served): Promise<void> {
    if (served.isRenewing) return; // and adapts when that is over
    const isSettled = await adaptBot({
      name: served.name,
      bot: served.bot,
      adapter: this.options.adapter,
      model: this.options.calibration,
      beside: (support, head) => this.#beside(support, served, head),
      isWanted: () => !served.isGone,
      adapted: (milliseconds) => {
        served.timer.lastAdaptationMs = milliseconds;
        this.options.observer?.adapted(milliseconds);
      },
    });
    if (isSettled) served.settledAt = served.bot.texts.record.revision;
  }

  /** A support set with the bot's unlabelled texts, where the head reads them; a version has none. */
  async #beside(support: BotSupport, { name, isVersion }: Served, head: HeadVersion): Promise<BotSupport> {
    return isVersion ? support : this.options.beside(support, name, head);
  }

  /** Has a bot answered by the heads that there are now. The former one answers until all is ready. */
  async renew(served: Served): Promise<void> {
    const { name, bot } = served;
    const former = bot.heads;
    const heads = this.options.heads.versionsFor(served.settings);
    served.isRenewing = true;
    served.settledAt = undefined;
    let prepared: BotClassState | undefined;
    try {
      if (heads[0] !== bot.head) prepared = await this.#prepare(served, heads[0]!);
    } catch (error) {
      // A head that refuses this bot does so when it is to take over, too.
      if (!(error instanceof KshotError)) {
        this.options.warn(`bot ${name}: its head could not be made ready beforehand`, error);
      }
    }
    served.isRenewing = false;
    if (served.isGone) {
      prepared?.dispose();
      return;
    }
    if (bot.heads === former) bot.succeed(heads, prepared);
    else prepared?.dispose(); // its owner has chosen another head meanwhile
    this.#tellRefusal(served);
    served.timer.soon();
  }

  /**
   * The class state with which a head can take over: induced, adapted and compiled, with other requests in between.
   *
   * @returns undefined where there is none to keep, or the service was closed.
   * @throws KshotError where the head cannot serve this bot.
   */
  async #prepare(served: Served, head: HeadVersion): Promise<BotClassState | undefined> {
    const { name, bot } = served;
    const renewal = bot.renewal();
    if (renewal === undefined) return undefined;
    const induced = await this.options.adapter.run(name, { task: 'induce', head, support: renewal.support });
    if (induced?.state === undefined) return undefined;
    let state = BotClassState.from(head.runtime, renewal.basis, induced.state);
    if (head.runtime.adapts) {
      const support = await this.#beside(renewal.adaptable, served, head);
      const adapted = await this.options.adapter.run(name, { task: 'adapt', head, support });
      if (adapted?.state !== undefined) {
        const before = state;
        state = before.adopt(adapted.state, before);
        before.dispose();
      }
    }
    for (const queries of QUERY_BUCKETS) {
      await nextTurn();
      state.score(new Float32Array(queries * this.options.encoder.dimension));
    }
    return state;
  }
}

/** One that still answers. @throws KshotError `not_ready` where it was freed under a request: the server stops. */
export function present(served: Served): Served {
  if (served.isGone) throw new KshotError('not_ready', 'the server is shutting down');
  return served;
}
