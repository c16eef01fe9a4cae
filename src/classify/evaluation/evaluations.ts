import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Encoder } from '../../encoder/encoder.js';
import { KshotError } from '../../errors.js';
import type { CalibrationModel } from '../../heads/calibration.js';
import type { HeadVersion } from '../../heads/version.js';
import type { BotContents, EvaluationEnd, EvaluationRecord, Store } from '../../store/store.js';
import { adaptBot } from '../adaptBot.js';
import { Adapter } from '../adapter.js';
import type {
  Evaluation,
  EvaluationComparison,
  EvaluationHeadline,
  EvaluationMeasures,
  EvaluationRow,
  EvaluationSummary,
} from '../evaluationTypes.js';
import type { Enlivened, LiveBot } from '../liveBot.js';
import { readTexts } from '../readTexts.js';
import type { CrossValidationOptions, EvaluationOptions, ServiceObserver } from '../service.js';
import { type BotSettings, botSettingsSchema, DEFAULT_THRESHOLD } from '../settings.js';
import type { BotSupport } from '../supportSet.js';
import { compareRows } from './comparison.js';
import { FOLDS, judgedTexts } from './folds.js';
import { crossValidate, judge, type JudgedBot, type JudgeOptions, type LabelledText } from './judge.js';
import { headlineOf, measuresOf } from './measures.js';

const DEFAULT_SEED = 0;

/** Evaluations that wait for their turn, or run; more are refused. */
const MAX_WAITING = 8;
/** When to come back then, in ms: an evaluation takes seconds at least. */
const RETRY_AFTER_MS = 5000;
/** Texts of one evaluation, at the most: its rows are kept. */
const MAX_TEXTS = 50_000;

const INTERRUPTED = 'the server stopped before it was done: begin it again';

/** What is known of an evaluation when it begins. */
type About = Pick<
  EvaluationSummary,
  'name' | 'kind' | 'version' | 'revision' | 'head' | 'threshold' | 'folds'
> & { readonly total: number };

interface Outcome {
  readonly measures: EvaluationMeasures;
  readonly rows: readonly EvaluationRow[];
}

/** An evaluation that waits or runs. */
interface Run {
  readonly bot: string;
  readonly id: number;
  readonly abort: AbortController;
  done: number;
}

/** What is judged. */
interface Subject {
  readonly settings: BotSettings;
  readonly isVersion: boolean;
}

/** What is asked of whoever serves the bots. */
export interface EvaluationsOptions {
  readonly encoder: Encoder;
  readonly store: Store;
  readonly calibration: CalibrationModel;
  /** The live bot. @throws KshotError `unknown_bot`. */
  readonly find: (bot: string) => { readonly bot: LiveBot };
  /** @param name a version's or an alias's. @throws KshotError `unknown_bot`, `unknown_version`. */
  readonly readVersion: (bot: string, name: string) => Promise<{ version: string; contents: BotContents }>;
  /** The head that settings ask for. */
  readonly wantedHead: (settings: BotSettings) => string;
  /** Another live bot, not adapted, that belongs to the caller. */
  readonly enliven: (contents: BotContents, settings: BotSettings) => Promise<Enlivened>;
  readonly observer?: ServiceObserver | undefined;
  /** A bot's support set as that head is to adapt to it. */
  readonly beside: (support: BotSupport, bot: string, head: HeadVersion) => Promise<BotSupport>;
  readonly warn: (message: string, error: unknown) => void;
}

/**
 * Judges bots in the background, one evaluation at a time, as they would be served: a bot of its own is brought to life,
 * adapted and calibrated for it, in a worker thread of its own, so that live bots adapt meanwhile. What comes of it is kept in
 * the store.
 */
export class Evaluations {
  /** Those that have not been given up. */
  readonly #runs = new Map<number, Run>();
  #last: Promise<unknown> = Promise.resolve();
  /** Those that are about to wait. */
  #beginning = 0;
  #closed = false;

  constructor(private readonly options: EvaluationsOptions) {}

  /** Marks what ran when the process last ended; to be called before any is begun. */
  async markInterrupted(): Promise<void> {
    await this.options.store.failRunningEvaluations(INTERRUPTED);
  }

  /**
   * Begins to judge a bot, as it is now or as a version has it, on examples and counter-examples that it is not shown.
   *
   * @throws KshotError `unknown_version`, `nothing_to_evaluate` of a bot without two texts, `invalid_request` of one that has too many, `overloaded`.
   */
  crossValidate(
    bot: string,
    { folds = FOLDS.usual, seed = DEFAULT_SEED, name, version }: CrossValidationOptions,
  ): Promise<EvaluationSummary> {
    return this.#begin(bot, version, (contents) => {
      const total = judgedTexts(contents).length;
      if (total < 2) {
        throw new KshotError(
          'nothing_to_evaluate',
          `bot ${bot} has ${total === 0 ? 'no examples' : 'one example'}: a cross-validation needs two at least`,
        );
      }
      return {
        about: { kind: 'cross-validation', name: name ?? null, folds, total },
        work: (options) => crossValidate(contents, { folds, seed }, options),
      };
    });
  }

  /**
   * Begins to judge a bot, as it is now or as a version has it, on labelled texts.
   *
   * @param labelled checked and normalised, none twice.
   * @throws KshotError as `crossValidate`.
   */
  judgeTestSet(
    bot: string,
    labelled: readonly LabelledText[],
    { name, version }: EvaluationOptions,
  ): Promise<EvaluationSummary> {
    const { encoder } = this.options;
    return this.#begin(bot, version, (contents) => {
      if (labelled.length === 0) {
        throw new KshotError('nothing_to_evaluate', 'the test set has no text in it: give each intent texts');
      }
      return {
        about: { kind: 'test-set', name: name ?? null, folds: null, total: labelled.length },
        work: (options) => {
          const embed = async (from: number, to: number) => {
            const texts = labelled.slice(from, to).map(({ text }) => text);
            // In the background: requests go first.
            const { signal } = options;
            return (await encoder.encode(texts, { background: true, signal })).embeddings;
          };
          return judge(contents, labelled, embed, options);
        },
      };
    });
  }

  /** Newest first. @throws KshotError `unknown_bot`. */
  async list(bot: string): Promise<EvaluationSummary[]> {
    return (await this.options.store.listEvaluations(bot)).map((record) => this.#summarise(record));
  }

  /** @throws KshotError `unknown_bot`, `unknown_evaluation`. */
  async get(bot: string, id: number): Promise<Evaluation> {
    const { record, result } = await this.options.store.readEvaluation(bot, id);
    const { measures, rows } = (result as unknown as Outcome | null) ?? { measures: null, rows: [] };
    return { ...this.#summarise(record), measures, rows };
  }

  /** Cancels one that runs; removes one that is over. @throws KshotError `unknown_bot`, `unknown_evaluation`. */
  async remove(bot: string, id: number): Promise<void> {
    const run = this.#runs.get(id);
    if (run?.bot === bot) {
      this.#giveUp(run, new KshotError('cancelled', 'the evaluation was cancelled'));
      if (await this.options.store.endEvaluation(bot, id, { status: 'cancelled', done: run.done })) return;
    }
    await this.options.store.removeEvaluation(bot, id);
  }

  /**
   * What has become of each text since another evaluation.
   *
   * @param other default: the latest of the same kind before it that is done.
   * @throws KshotError `unknown_bot`, `unknown_evaluation`, `nothing_to_compare`.
   */
  async compare(bot: string, id: number, other?: number): Promise<EvaluationComparison> {
    const now = await this.get(bot, id);
    requireDone(now);
    const then = await this.get(bot, other ?? (await this.#before(bot, now)));
    requireDone(then);
    return { bot, evaluation: summaryOf(now), with: summaryOf(then), ...compareRows(now, then) };
  }

  /** Gives up what there is of a bot that is no more. */
  drop(bot: string): void {
    for (const run of this.#runs.values()) {
      if (run.bot === bot) this.#giveUp(run, new KshotError('cancelled', `bot ${bot} was deleted`));
    }
  }

  /** Gives up what waits and what runs; the next start marks it so. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const run of this.#runs.values()) this.#giveUp(run, stopping());
    await this.#last;
  }

  #giveUp(run: Run, reason: KshotError): void {
    this.#runs.delete(run.id);
    run.abort.abort(reason);
  }

  async #before(bot: string, { id, kind }: Evaluation): Promise<number> {
    const earlier = (await this.list(bot)).find(
      (one) => one.id < id && one.kind === kind && one.status === 'done',
    );
    if (earlier === undefined) {
      throw new KshotError(
        'nothing_to_compare',
        `bot ${bot} has no ${kind} before evaluation ${id} that is done: name one with "with"`,
      );
    }
    return earlier.id;
  }

  async #begin(
    bot: string,
    asked: string | undefined,
    plan: (contents: BotContents) => {
      readonly about: Pick<About, 'kind' | 'name' | 'folds' | 'total'>;
      readonly work: (options: JudgeOptions) => Promise<EvaluationRow[]>;
    },
  ): Promise<EvaluationSummary> {
    if (this.#closed) throw stopping();
    const { store, find, wantedHead } = this.options;
    const present = find(bot).bot.head.name;
    if (this.#runs.size + this.#beginning >= MAX_WAITING) {
      throw new KshotError('overloaded', 'too many evaluations wait for their turn: try again later', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#beginning++;
    try {
      const { version, contents } = await this.#subject(bot, asked);
      const settings = botSettingsSchema.parse(contents.bot.settings);
      const { about: planned, work } = plan(contents);
      if (planned.total > MAX_TEXTS) {
        throw new KshotError(
          'invalid_request',
          `an evaluation takes at most ${MAX_TEXTS} texts, not ${planned.total}: give a part of them as a test set`,
        );
      }
      const threshold = settings.threshold ?? DEFAULT_THRESHOLD;
      const head = version === null ? present : wantedHead(settings);
      const about: About = { ...planned, version, revision: contents.bot.revision, head, threshold };
      const record = await store.addEvaluation(bot, { ...about });
      if (this.#closed) throw stopping();
      const run: Run = { bot, id: record.id, abort: new AbortController(), done: 0 };
      this.#runs.set(run.id, run);
      this.#last = this.#last
        .then(() => this.#carryOut(run, { settings, isVersion: version !== null }, work))
        .finally(() => this.#runs.delete(run.id));
      return this.#summarise(record);
    } finally {
      this.#beginning--;
    }
  }

  /** What is to be judged: a version, or where none is asked for the bot. */
  async #subject(bot: string, asked: string | undefined) {
    const { encoder, store, readVersion } = this.options;
    if (asked !== undefined) return readVersion(bot, asked);
    const contents = await store.readBot(bot, encoder.fingerprint);
    if (contents === undefined) throw new KshotError('unknown_bot', `there is no bot ${bot}`);
    return { version: null, contents };
  }

  /** Throws nothing: how it ends is kept. */
  async #carryOut(
    run: Run,
    subject: Subject,
    work: (options: JudgeOptions) => Promise<EvaluationRow[]>,
  ): Promise<void> {
    const { signal } = run.abort;
    if (signal.aborted) return;
    // A worker that ends with the evaluation, and in its midst where that is cancelled.
    const adapter = new Adapter();
    const stop = () => void adapter.close();
    signal.addEventListener('abort', stop, { once: true });
    let end: EvaluationEnd;
    try {
      const rows = await work({
        dimension: this.options.encoder.dimension,
        enliven: (contents) => this.#enliven(contents, run.bot, subject, adapter, signal),
        signal,
        judged: (texts) => (run.done += texts),
      });
      const measures = measuresOf(rows);
      const outcome: Outcome = { measures, rows };
      end = {
        status: 'done',
        done: run.done,
        headline: { ...headlineOf(measures) },
        result: { ...outcome },
      };
    } catch (error) {
      if (signal.aborted) return; // Whoever gave it up has said so.
      if (!(error instanceof KshotError)) {
        this.options.warn(`bot ${run.bot}: evaluation ${run.id} has failed`, error);
      }
      end = { status: 'failed', done: run.done, error: describeFailure(error) };
    } finally {
      signal.removeEventListener('abort', stop);
      await adapter.close();
    }
    try {
      await this.options.store.endEvaluation(run.bot, run.id, end);
    } catch (error) {
      this.options.warn(`bot ${run.bot}: what came of evaluation ${run.id} could not be kept`, error);
    }
  }

  async #enliven(
    contents: BotContents,
    name: string,
    { settings, isVersion }: Subject,
    adapter: Adapter,
    signal: AbortSignal,
  ): Promise<JudgedBot> {
    const { calibration, enliven, beside, observer } = this.options;
    await nextTurn(); // What follows takes its time.
    const live = await enliven(contents, settings);
    const judged: JudgedBot = {
      read: async (embeddings, stopped) => {
        const how = { top: 1, explain: false, signal: stopped };
        const readings = await readTexts(() => ({ ...live, settings }), embeddings, how, observer);
        return readings.map(({ decision }) => decision);
      },
      dispose: () => live.dispose(),
    };
    try {
      await adaptBot({
        name,
        bot: live.bot,
        adapter,
        model: calibration,
        // The bot's unlabelled texts are no part of a version.
        beside: async (support, head) => (isVersion ? support : beside(support, name, head)),
        isWanted: () => !signal.aborted,
        adapted: () => undefined,
      });
      signal.throwIfAborted();
      return judged;
    } catch (error) {
      judged.dispose();
      throw error;
    }
  }

  #summarise(record: EvaluationRecord): EvaluationSummary {
    const { total, ...about } = record.about as unknown as About;
    const done = record.status === 'running' ? (this.#runs.get(record.id)?.done ?? 0) : record.done;
    return {
      id: record.id,
      ...about,
      status: record.status,
      progress: { done, total },
      error: record.error,
      created_at: record.createdAt,
      finished_at: record.finishedAt,
      headline: record.headline as unknown as EvaluationHeadline | null,
    };
  }
}

function summaryOf({ measures: _measures, rows: _rows, ...summary }: Evaluation): EvaluationSummary {
  return summary;
}

function requireDone({ id, status }: EvaluationSummary): void {
  if (status === 'done') return;
  const why = status === 'running' ? 'still runs: wait until it is done' : `was ${status}: begin it again`;
  throw new KshotError('nothing_to_compare', `evaluation ${id} ${why}`);
}

function describeFailure(error: unknown): string {
  if (error instanceof KshotError) return error.message;
  return `it failed for a reason that the server's log has: ${error instanceof Error ? error.message : String(error)}`;
}

function stopping(): KshotError {
  return new KshotError('not_ready', 'the server is shutting down');
}
