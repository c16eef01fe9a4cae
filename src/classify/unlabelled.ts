import type { Encoder } from '../encoder/encoder.js';
import type { HeadVersion } from '../heads/version.js';
import type { EmbeddedText, Store, UnlabelledOutcome } from '../store/store.js';
import type { AdaptTimer } from './adaptTimer.js';
import { embedTexts, withEmbeddings } from './embedTexts.js';
import { type Reader, readTexts } from './readTexts.js';
import { rounded } from './rounded.js';
import type { SeenTexts } from './seenTexts.js';
import type {
  ServiceObserver,
  SuggestOptions,
  Suggestions,
  UnlabelledPage,
  UnlabelledPageOptions,
  UnlabelledRemoval,
  UnlabelledWrite,
} from './service.js';
import { poolSize, Suggester } from './suggester.js';
import { DEFAULT_STRATEGY, type SuggestionStrategy } from './suggestionStrategies.js';
import { type BotSupport, MAX_UNLABELLED_ROWS } from './supportSet.js';

const DEFAULT_PAGE = 100;
const DEFAULT_SUGGESTIONS = 10;
/** Intents to choose from beside a suggestion. */
const SUGGESTED_TOP = 3;

/** What of a bot has to do with its unlabelled texts. */
export interface UnlabelledBot extends Reader {
  readonly name: string;
  readonly seen: SeenTexts;
  readonly timer: AdaptTimer;
}

type InTurn = <T>(bot: string, write: () => Promise<T>) => Promise<T>;

/** What is asked of whoever serves the bots. */
export interface UnlabelledOptions {
  readonly encoder: Encoder;
  readonly store: Store;
  /** The bot's id at that moment; undefined where there is none. */
  readonly idOf: (bot: string) => number | undefined;
  /** The same of one that is held. @throws KshotError `unknown_bot`. */
  readonly find: (bot: string) => UnlabelledBot;
  /** Runs a write when those before it, to the same bot, are over. @throws KshotError `not_ready` when the end has begun. */
  readonly write: InTurn;
  /** The same, up to the end. */
  readonly lastWrite: InTurn;
  readonly observer?: ServiceObserver | undefined;
  /** Heads that judge texts besides a bot's own. */
  readonly committee: () => readonly HeadVersion[];
  readonly warn: (message: string, error: unknown) => void;
}

/**
 * The bots' texts whose intent is not known. They are read from the store when they are asked for: no answer rests on them,
 * so that memory holds none, but those that were seen in the last second.
 */
export class UnlabelledTexts {
  readonly #suggester = new Suggester();

  constructor(private readonly options: UnlabelledOptions) {}

  /** @param texts checked and normalised. */
  async add(name: string, texts: readonly string[]): Promise<UnlabelledWrite> {
    const { encoder, store } = this.options;
    const embedded = texts.map(withEmbeddings(await embedTexts(encoder, texts)));
    await this.#flush(name);
    return this.#change(name, async () => {
      return { bot: name, ...(await store.addUnlabelled(name, 'given', embedded, encoder.fingerprint)) };
    });
  }

  async list(
    name: string,
    { limit = DEFAULT_PAGE, after = 0 }: UnlabelledPageOptions = {},
  ): Promise<UnlabelledPage> {
    await this.#flush(name);
    // One more than asked for tells whether there is a next page.
    const { texts, total } = await this.options.store.listUnlabelled(name, { after, limit: limit + 1 });
    const page = texts.slice(0, limit);
    return { texts: page, total, next: texts.length > limit ? page.at(-1)!.id : null };
  }

  remove(name: string, id: number): Promise<UnlabelledRemoval> {
    return this.#change(name, async () => {
      await this.options.store.removeUnlabelled(name, id);
      return { bot: name, removed: 1 };
    });
  }

  async clear(name: string): Promise<UnlabelledRemoval> {
    await this.#flush(name);
    return this.#change(name, async () => {
      return { bot: name, removed: await this.options.store.clearUnlabelled(name) };
    });
  }

  async suggest(
    name: string,
    { strategy = DEFAULT_STRATEGY, limit = DEFAULT_SUGGESTIONS, signal }: SuggestOptions = {},
  ): Promise<Suggestions> {
    const { encoder, store, find, committee, observer } = this.options;
    await this.#flush(name);
    const { bot } = find(name);
    const { texts, embeddings } = await store.readUnlabelled(name, encoder.fingerprint, poolSize(bot));
    const asked: SuggestionStrategy = bot.texts.intentCount === 0 ? 'k-centre' : strategy;
    const chosen = await this.#suggester.choose({
      strategy: asked,
      count: limit,
      embeddings,
      bot: () => find(name).bot,
      committee,
      signal,
    });
    const D = encoder.dimension;
    const rows = new Float32Array(chosen.length * D);
    chosen.forEach(({ row }, i) => rows.set(embeddings.subarray(row * D, (row + 1) * D), i * D));
    const how = { top: SUGGESTED_TOP, explain: false, signal };
    const readings = await readTexts(() => find(name), rows, how, observer);
    return {
      strategy: asked,
      considered: texts.length,
      suggestions: chosen.map(({ row, score }, i) => {
        const { intent, confidence, out_of_scope, in_scope, ranking } = readings[i]!.decision;
        return { ...texts[row]!, score: rounded(score), intent, confidence, out_of_scope, in_scope, ranking };
      }),
    };
  }

  /** Keeps texts that were classified, where the bot does. @param embeddings `[texts.length, D]`. */
  keep(
    served: Pick<UnlabelledBot, 'settings' | 'seen'> | undefined,
    texts: readonly string[],
    embeddings: Float32Array,
  ): void {
    if (served?.settings.keep_texts !== true) return;
    const D = this.options.encoder.dimension;
    texts.forEach((text, i) => served.seen.keep(text, embeddings.subarray(i * D, (i + 1) * D)));
  }

  /** Writes texts that a bot has seen. That they could not be kept is a pity, but no request's fault: it throws nothing. */
  async writeSeen(seenBy: UnlabelledBot, texts: readonly EmbeddedText[]): Promise<void> {
    const { encoder, store, idOf, lastWrite, warn } = this.options;
    const { name, bot, timer } = seenBy;
    let outcome: UnlabelledOutcome | undefined;
    try {
      outcome = await lastWrite(name, async () =>
        idOf(name) === bot.texts.record.id
          ? store.addUnlabelled(name, 'seen', texts, encoder.fingerprint)
          : undefined,
      );
    } catch (error) {
      warn(`bot ${name}: texts that it classified could not be kept (${texts.length})`, error);
    }
    if (outcome !== undefined && bot.readsUnlabelled) timer.afterSeen(outcome.added, outcome.total);
  }

  /** A bot's support set as that head is to adapt to it: with the newest unlabelled texts, where it reads them. */
  async beside(support: BotSupport, name: string, { runtime }: HeadVersion): Promise<BotSupport> {
    if (!runtime.head.readsUnlabelled) return support;
    const { encoder, store } = this.options;
    const { embeddings } = await store.readUnlabelled(name, encoder.fingerprint, MAX_UNLABELLED_ROWS);
    return embeddings.length === 0 ? support : { ...support, unlabelled: embeddings };
  }

  /** Whoever asks sees the texts of all requests that were answered. */
  #flush(name: string): Promise<void> {
    return this.options.find(name).seen.flush();
  }

  /** One write to a bot's unlabelled texts; a head that reads them adapts to it. */
  #change<T>(name: string, write: () => Promise<T>): Promise<T> {
    return this.options.write(name, async () => {
      const { bot, timer } = this.options.find(name);
      const done = await write();
      if (bot.readsUnlabelled) timer.soon();
      return done;
    });
  }
}
