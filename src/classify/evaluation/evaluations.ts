import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Encoder } from '../../encoder/encoder.js';
import { KshotError } from '../../errors.js';
import type { CalibrationModel } from '../../heads/calibration.js';
import type { HeadVersion } from '../../heads/version.js';
import { OPEN_JOBS } from '../../store/jobStore.js';
import type { BotContents, EvaluationRecord, Json, Store } from '../../store/store.js';
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
import { embeddedContents, type Subject } from './subject.js';

const DEFAULT_SEED = 0;

/** The kind of the jobs that carry evaluations out. */
export const EVALUATION_JOB = 'evaluation';
/** Evaluations that wait for their turn, or run; more are refused. */
const MAX_WAITING = 8;
/** Texts of one evaluation, at the most: its rows are kept. */
const MAX_TEXTS = 50_000;

/** What is known of an evaluation when it is asked for. */
type About = Pick<
  EvaluationSummary,
  'name' | 'kind' | 'version' | 'revision' | 'head' | 'threshold' | 'folds'
> & { readonly total: number };

interface Outcome {
  readonly measures: EvaluationMeasures;
  readonly rows: readonly EvaluationRow[];
}

/** What an evaluation is told while it is carried out, and tells. */
export interface EvaluationRun {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
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
}

/**
 * Judges bots in the background, as they would be served: a bot of its own is brought to life, adapted and calibrated for it, in a
 * worker thread of its own, so that live bots adapt meanwhile. What is asked for is kept in the store with a job, which any process
 * that shares it may carry out; what comes of it is kept there, too.
 */
export class Evaluations {
  constructor(private readonly options: EvaluationsOptions) {}

  /**
   * Asks for a bot to be judged, as it is now or as a version has it, on examples and counter-examples that it is not shown.
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
        on: { folds, seed },
      };
    });
  }

  /**
   * Asks for a bot to be judged, as it is now or as a version has it, on labelled texts.
   *
   * @param labelled checked and normalised, none twice.
   * @throws KshotError as `crossValidate`.
   */
  judgeTestSet(
    bot: string,
    labelled: readonly LabelledText[],
    { name, version }: EvaluationOptions,
  ): Promise<EvaluationSummary> {
    return this.#begin(bot, version, () => {
      if (labelled.length === 0) {
        throw new KshotError('nothing_to_evaluate', 'the test set has no text in it: give each intent texts');
      }
      return {
        about: { kind: 'test-set', name: name ?? null, folds: null, total: labelled.length },
        on: { labelled },
      };
    });
  }

  /** Newest first. @throws KshotError `unknown_bot`. */
  async list(bot: string): Promise<EvaluationSummary[]> {
    return (await this.options.store.listEvaluations(bot)).map(summarise);
  }

  /** @throws KshotError `unknown_bot`, `unknown_evaluation`. */
  async get(bot: string, id: number): Promise<Evaluation> {
    const { record, result } = await this.options.store.readEvaluation(bot, id);
    const { measures, rows } = (result as unknown as Outcome | null) ?? { measures: null, rows: [] };
    return { ...summarise(record), measures, rows };
  }

  /** Cancels one that waits or runs; removes one that is over. @throws KshotError `unknown_bot`, `unknown_evaluation`. */
  async remove(bot: string, id: number): Promise<void> {
    const { store } = this.options;
    const { record } = await store.readEvaluation(bot, id);
    const isOpen = OPEN_JOBS.includes(record.status) && record.job !== null;
    if (isOpen && (await store.cancelJob(record.job))) return;
    await store.removeEvaluation(bot, id);
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

  /**
   * Carries out the evaluation of a job.
   *
   * @returns the job's result: which evaluation it was, and its headline.
   * @throws KshotError `unknown_evaluation` where it is no more; the signal's reason; what encoder, store and heads throw.
   */
  async carryOut(job: number, { signal, progress }: EvaluationRun): Promise<Json> {
    const { store } = this.options;
    const task = await store.findEvaluation(job);
    if (task === undefined) {
      throw new KshotError('unknown_evaluation', 'the evaluation was removed, or its bot');
    }
    const { bot, record } = task;
    // A process that was killed may have written what it found, and not that the job is done.
    if (task.subject === null) return { evaluation: record.id, ...record.headline };
    const subject = task.subject as unknown as Subject;
    const { total } = record.about as unknown as About;
    let done = 0;
    progress(done, total);
    const rows = await this.#judge(bot, subject, signal, (texts) => progress((done += texts), total));
    const measures = measuresOf(rows);
    const headline = { ...headlineOf(measures) };
    const outcome: Outcome = { measures, rows };
    if (!(await store.finishEvaluation(bot, record.id, { done, headline, result: { ...outcome } }))) {
      throw new KshotError('unknown_evaluation', 'the evaluation was cancelled or removed, or its bot');
    }
    return { evaluation: record.id, ...headline };
  }

  async #judge(
    bot: string,
    subject: Subject,
    signal: AbortSignal,
    judged: (texts: number) => void,
  ): Promise<EvaluationRow[]> {
    const { encoder } = this.options;
    const contents = await embeddedContents(bot, subject, this.options, signal);
    // A worker that ends with the evaluation, and in its midst where that is cancelled.
    const adapter = new Adapter();
    const stop = () => void adapter.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const options: JudgeOptions = {
        dimension: encoder.dimension,
        enliven: (part) => this.#enliven(part, bot, subject.version !== null, adapter, signal),
        signal,
        judged,
      };
      if ('folds' in subject.on) return await crossValidate(contents, subject.on, options);
      const { labelled } = subject.on;
      const embed = async (from: number, to: number) => {
        const texts = labelled.slice(from, to).map(({ text }) => text);
        // In the background: requests go first.
        return (await encoder.encode(texts, { background: true, signal })).embeddings;
      };
      return await judge(contents, labelled, embed, options);
    } finally {
      signal.removeEventListener('abort', stop);
      await adapter.close();
    }
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
      readonly on: Subject['on'];
    },
  ): Promise<EvaluationSummary> {
    const { store, find, wantedHead } = this.options;
    const present = find(bot).bot.head.name;
    const { version, contents } = await this.#read(bot, asked);
    const settings = botSettingsSchema.parse(contents.bot.settings);
    const { about: planned, on } = plan(contents);
    if (planned.total > MAX_TEXTS) {
      throw new KshotError(
        'invalid_request',
        `an evaluation takes at most ${MAX_TEXTS} texts, not ${planned.total}: give a part of them as a test set`,
      );
    }
    const threshold = settings.threshold ?? DEFAULT_THRESHOLD;
    const head = version === null ? present : wantedHead(settings);
    const about: About = { ...planned, version, revision: contents.bot.revision, head, threshold };
    const { embeddings: _embeddings, ...texts } = contents;
    const subject: Subject = { version, contents: texts, on };
    const { kind, name, folds } = planned;
    const input = { evaluation: kind, name, version, ...(folds === null ? {} : on) };
    const job = { kind: EVALUATION_JOB, bot, input, mostOpen: MAX_WAITING };
    return summarise(await store.addEvaluation(bot, { ...about }, { ...subject }, job));
  }

  /** What is to be judged: a version, or where none is asked for the bot. */
  async #read(bot: string, asked: string | undefined) {
    const { encoder, store, readVersion } = this.options;
    if (asked !== undefined) return readVersion(bot, asked);
    const contents = await store.readBot(bot, encoder.fingerprint);
    if (contents === undefined) throw new KshotError('unknown_bot', `there is no bot ${bot}`);
    return { version: null, contents };
  }

  async #enliven(
    contents: BotContents,
    name: string,
    isVersion: boolean,
    adapter: Adapter,
    signal: AbortSignal,
  ): Promise<JudgedBot> {
    const { calibration, enliven, beside, observer } = this.options;
    const settings = botSettingsSchema.parse(contents.bot.settings);
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
}

function summarise({ about, ...record }: EvaluationRecord): EvaluationSummary {
  const { total, ...known } = about as unknown as About;
  return {
    id: record.id,
    job: record.job,
    ...known,
    status: record.status,
    progress: { done: record.done, total },
    error: record.error,
    created_at: record.createdAt,
    finished_at: record.finishedAt,
    headline: record.headline as unknown as EvaluationHeadline | null,
  };
}

function summaryOf({ measures: _measures, rows: _rows, ...summary }: Evaluation): EvaluationSummary {
  return summary;
}

function requireDone({ id, status }: EvaluationSummary): void {
  if (status === 'done') return;
  const why = OPEN_JOBS.includes(status)
    ? 'is not over: wait until it is done'
    : `was ${status}: begin it again`;
  throw new KshotError('nothing_to_compare', `evaluation ${id} ${why}`);
}
