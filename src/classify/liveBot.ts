import { KshotError } from '../errors.js';
import type { CalibrationModel } from '../heads/calibration.js';
import { type HeadRuntime, type Leaves, QUERY_BUCKETS } from '../heads/runtime.js';
import { judgeScope, type Nearness, NEAREST_EXAMPLES, type ScopeJudgement } from '../heads/scopeDetector.js';
import { dot, type IntentShape, intentShape } from '../heads/supportShape.js';
import type { HeadVersion } from '../heads/version.js';
import type { Neighbour } from '../index/vectorIndex.js';
import type { BotRecord, Change, IntentRecord, StoredText } from '../store/store.js';
import type { BotTexts, LiveIntent } from './botTexts.js';
import { type BotCalibration, defaultCalibration, defaultTemperature, softmax } from './calibrate.js';
import { CandidateScorer } from './candidates.js';
import { type Basis, basisOf, BotClassState } from './classState.js';
import type { ScoreQueue } from './scoreQueue.js';
import { adaptationShots, type BotSupport, rowCount, type SupportClass, supportRows } from './supportSet.js';
import { isTelling } from './text.js';

/** Beyond these a bot has no class state of all its intents: each query is scored against retrieved candidates. */
const MAX_RESIDENT_INTENTS = 512;
const MAX_RESIDENT_EXAMPLES = 16_384;

/** Examples looked up a query for such a bot: the intents that they belong to are its candidates. */
const RETRIEVED_EXAMPLES = 64;

/** A text that came near to a query; similarity is the cosine. */
export interface NearText {
  readonly text: StoredText;
  readonly similarity: number;
}

/** All that the decision on one query is made from. */
export interface Scored {
  /** `[C]`: the intents that were scored. */
  readonly intents: readonly string[];
  /** `[C]`: the head's logits. */
  readonly logits: Float32Array;
  /** The nearest examples (for an intent without any, its label), nearest first. */
  readonly nearest: readonly NearText[];
  /** The nearest counter-example, where the bot has any. */
  readonly counterexample: NearText | undefined;
  readonly scope: ScopeJudgement;
  readonly calibration: BotCalibration;
  readonly adapted: boolean;
  readonly head: string;
  readonly revision: number;
}

/** What the bot's head says of one text: the softmax over the intents that it was scored against. */
export interface IntentProbabilities {
  /** `[C]` */
  readonly intents: readonly string[];
  /** `[C]` */
  readonly probabilities: Float32Array;
}

/** A bot that answers, with what belongs to it. */
export interface Enlivened {
  readonly bot: LiveBot;
  readonly queue: ScoreQueue;
  /** Frees the bot and its indexes. */
  readonly dispose: () => void;
}

/** What an adaptation starts from; opaque but for its support set. */
export interface Adaptation {
  readonly support: BotSupport;
  readonly basis: BotClassState;
}

/** What another head is to be made ready for: the support set of all intents, what it adapts to, and their versions. */
export interface Renewal {
  readonly support: BotSupport;
  readonly adaptable: BotSupport;
  readonly basis: Basis;
}

/** What the decision on scope knows of an intent. */
interface ScopeClass {
  readonly version: number;
  readonly shape: IntentShape;
  /** Where it is one of the rows. */
  readonly label: Float32Array | undefined;
  /** Whether its label is all there is. */
  readonly named: boolean;
}

/** What a bot's head has learned from all of its support set, for the next time that it comes to life. */
export interface Learned {
  readonly intents: readonly string[];
  readonly state: Leaves;
  readonly calibration: BotCalibration;
}

/**
 * A bot as it answers: what is derived from the store, kept in step with each write. Synchronous throughout, so that a
 * query sees a bot before a write or after it, never in between.
 */
export class LiveBot {
  #heads: readonly HeadVersion[];
  #head: HeadVersion;
  #refusal: KshotError | undefined;
  #classes: BotClassState | undefined;
  /** Of a bot that is too large for a class state of all its intents. */
  #candidates: CandidateScorer | undefined;
  #calibration: BotCalibration;
  /** By intent; brought up to date when it is looked at. */
  readonly #scopeClasses = new Map<string, ScopeClass>();

  /** @param heads the first of them that can serves; the last can serve any bot. */
  constructor(
    readonly texts: BotTexts,
    heads: readonly HeadVersion[],
    private readonly model: CalibrationModel,
  ) {
    this.#heads = heads;
    this.#head = heads[0]!;
    this.#calibration = this.#defaultCalibration();
    this.#refresh();
  }

  /** The heads that it was given, the one that is wanted first. */
  get heads(): readonly HeadVersion[] {
    return this.#heads;
  }

  /** The head that answers. */
  get head(): HeadVersion {
    return this.#head;
  }

  /** Why the wanted head does not answer; undefined where it does. */
  get refusal(): KshotError | undefined {
    return this.#refusal;
  }

  /** Whether the head that answers learns from unlabelled texts. */
  get readsUnlabelled(): boolean {
    return this.#runtime.head.readsUnlabelled === true;
  }

  get #runtime(): HeadRuntime {
    return this.#head.runtime;
  }

  /** D, the width of an embedding. */
  get dimension(): number {
    return this.#runtime.dimension;
  }

  /** Whether it has a class state of all its intents; else each query is scored against candidates. */
  get hasClassState(): boolean {
    return this.#classes !== undefined;
  }

  /** Queries to score before other requests get their turn: some ten milliseconds. */
  get queriesATurn(): number {
    if (this.#classes !== undefined) return 64;
    return this.#runtime.adapts ? 1 : 4;
  }

  /** Takes over what a write did; the arguments are those of `BotTexts.apply`. */
  apply(change: Change, embeddings: ReadonlyMap<string, Float32Array>, put?: readonly IntentRecord[]): void {
    this.texts.apply(change, embeddings, put);
    if (changesSupport(change)) this.#refresh();
  }

  /** Takes over new settings; another head starts afresh. */
  configure(record: BotRecord, heads: readonly HeadVersion[]): void {
    this.texts.record = record;
    if (this.isServedBy(heads)) return;
    this.#heads = heads;
    this.#refresh();
  }

  /** Whether these are the heads that it has been given. */
  isServedBy(heads: readonly HeadVersion[]): boolean {
    return heads.length === this.#heads.length && heads.every((head, i) => head === this.#heads[i]);
  }

  /** What another head is to be made ready for before it takes over; undefined where it would have no class state to keep. */
  renewal(): Renewal | undefined {
    if (!this.#isResident) return undefined;
    const { intents } = this.texts;
    return {
      support: this.supportOf(intents),
      adaptable: this.supportOf(intents, adaptationShots(intents.length)),
      basis: basisOf(intents),
    };
  }

  /**
   * Other heads, or other versions of them, take over.
   *
   * @param prepared the class state of the first of them, made ready for a `renewal`; what has been written since is
   *   caught up with. Is disposed of.
   */
  succeed(heads: readonly HeadVersion[], prepared: BotClassState | undefined): void {
    this.#heads = heads;
    this.#refresh(prepared);
    prepared?.dispose();
  }

  /** What to adapt the head to; undefined for a bot that has no intents, or too many to adapt to. */
  adaptation(): Adaptation | undefined {
    const { intents } = this.texts;
    return (
      this.#classes && {
        support: this.supportOf(intents, adaptationShots(intents.length)),
        basis: this.#classes,
      }
    );
  }

  /** Takes over what the worker has learned from an adaptation's support set, as far as that has not changed since. */
  adopt(adapted: Leaves, { basis }: Adaptation): void {
    if (this.#classes?.sameHead(basis)) this.#replace(this.#classes.adopt(adapted, basis));
  }

  /** What it knows at this moment; undefined where its head has not adapted to the support set. */
  get learned(): Learned | undefined {
    const classes = this.#classes;
    if (classes?.adapted !== true) return undefined;
    return { intents: classes.intents, state: classes.learned, calibration: this.#calibration };
  }

  /** Takes over what was learned from this very support set by the same head. */
  recall({ state, calibration }: Learned): void {
    const classes = this.#classes!;
    this.#replace(classes.adopt(state, classes));
    this.#calibration = calibration;
  }

  /** Memory that it takes, in bytes: an estimate. */
  get bytes(): number {
    const row = this.dimension * Float32Array.BYTES_PER_ELEMENT;
    const shapes = this.#scopeClasses.size * 2 * row;
    // What it adapts to, on its way to the worker.
    const rows = this.texts.exampleCount + 2 * this.texts.intentCount; // Of labels and of names.
    const support = this.#classes === undefined || this.#classes.adapted ? 0 : rows * row;
    return this.texts.bytes + shapes + (this.#classes?.bytes ?? 0) + support;
  }

  /** Whether the support set is still the one of that adaptation. */
  isBasedOn({ basis }: Adaptation): boolean {
    return this.#classes !== undefined && this.#classes.sameHead(basis) && this.#classes.sameSupport(basis);
  }

  /**
   * Takes over a calibration that was fitted to an adaptation's support set, unless that has changed since.
   * @param calibration undefined where the support set was too small for a fit.
   */
  calibrate(calibration: BotCalibration | undefined, adaptation: Adaptation): void {
    if (this.isBasedOn(adaptation)) this.#calibration = calibration ?? this.#defaultCalibration();
  }

  /**
   * Scores queries.
   *
   * @param queries `[Q, D]`, unit length.
   * @param lap is called when all queries have been through the stage.
   */
  score(queries: Float32Array, lap: (stage: 'retrieve' | 'score') => void): Scored[] {
    const D = this.#runtime.dimension;
    const rows = Array.from({ length: queries.length / D }, (_, q) => queries.subarray(q * D, (q + 1) * D));
    const classes = this.#classes;
    const retrieve = classes === undefined ? RETRIEVED_EXAMPLES : NEAREST_EXAMPLES;
    const found = rows.map((query) => ({
      nearest: this.#near(this.texts.nearestExamples(query, retrieve)),
      counterexample: this.#near(this.texts.nearestCounterexamples(query, 1))[0],
    }));
    lap('retrieve');
    const logits = classes?.score(queries);
    const C = classes?.intents.length ?? 0;
    const scored = found.map(({ nearest, counterexample }, q): Scored => ({
      ...(classes !== undefined
        ? {
            intents: classes.intents,
            logits: logits!.subarray(q * C, (q + 1) * C),
            calibration: this.#calibration,
          }
        : this.#scoreCandidates(rows[q]!, nearest)),
      nearest: nearest.slice(0, NEAREST_EXAMPLES),
      counterexample,
      scope: this.#judge(rows[q]!, nearest.slice(0, NEAREST_EXAMPLES)),
      adapted: classes?.adapted ?? true,
      head: this.#head.name,
      revision: this.texts.record.revision,
    }));
    lap('score');
    return scored;
  }

  /**
   * The intents' part of `score`: what is in scope, and what is near, is not asked.
   *
   * @param queries `[Q, D]`, unit length.
   */
  intentProbabilities(queries: Float32Array): IntentProbabilities[] {
    const D = this.dimension;
    const rows = Array.from({ length: queries.length / D }, (_, q) => queries.subarray(q * D, (q + 1) * D));
    const classes = this.#classes;
    if (classes === undefined) {
      return rows.map((query) => {
        const retrieved = this.#near(this.texts.nearestExamples(query, RETRIEVED_EXAMPLES));
        const { intents, logits, calibration } = this.#scoreCandidates(query, retrieved);
        return { intents, probabilities: softmax(logits, calibration.temperature) };
      });
    }
    const { intents } = classes;
    const C = intents.length;
    const logits = classes.score(queries);
    return rows.map((_, q) => ({
      intents,
      probabilities: softmax(logits.subarray(q * C, (q + 1) * C), this.#calibration.temperature),
    }));
  }

  /** The support set of some of its intents. @param maxShots the newest examples of each that are in it. */
  supportOf(intents: readonly LiveIntent[], maxShots?: number): BotSupport {
    return supportRows(
      intents.map((intent) => this.#supportClass(intent)),
      this.dimension,
      maxShots,
    );
  }

  /** What a head's logits are to be divided by on this bot's support set. */
  temperatureOf({ name }: HeadVersion): number {
    return defaultTemperature(this.model, name, this.texts.intents.map(rowsOf));
  }

  /** Compiles what scoring needs for this bot's shapes, so that no request waits for it. */
  warmUp(): void {
    for (const queries of QUERY_BUCKETS)
      this.score(new Float32Array(queries * this.dimension), () => undefined);
  }

  dispose(): void {
    this.#replace(undefined);
  }

  /** Scores the intents of the retrieved texts alone. */
  #scoreCandidates(
    query: Float32Array,
    retrieved: readonly NearText[],
  ): Pick<Scored, 'intents' | 'logits' | 'calibration'> {
    if (this.#candidates?.runtime !== this.#runtime) {
      this.#candidates = new CandidateScorer(this.#runtime, (some, shots) => this.supportOf(some, shots));
    }
    const names = [...new Set(retrieved.map(({ text }) => text.intent!))];
    const candidates = names.slice(0, this.#candidates.maxCandidates).map((name) => this.texts.intent(name)!);
    return {
      intents: candidates.map(({ name }) => name),
      logits: this.#candidates.score(query, candidates),
      // What has adapted to the candidates alone scores as in a bot of just these intents.
      calibration: this.#runtime.adapts
        ? {
            ...this.#calibration,
            temperature: defaultTemperature(this.model, this.#head.name, candidates.map(rowsOf)),
          }
        : this.#calibration,
    };
  }

  #near(neighbours: readonly Neighbour[]): NearText[] {
    return neighbours.map(({ id, similarity }) => ({ text: this.texts.text(id), similarity }));
  }

  /** Whether a query is in scope, judged by the intents of its nearest examples. */
  #judge(query: Float32Array, nearest: readonly NearText[]): ScopeJudgement {
    const near = new Map<string, Nearness>();
    for (const { text, similarity } of nearest) {
      const name = text.intent!;
      if (near.has(name)) continue; // a farther example of an intent that a nearer one stands for
      const { shape, label, named } = this.#scopeClass(this.texts.intent(name)!);
      const best = label === undefined ? similarity : Math.max(similarity, dot(query, label));
      near.set(name, { prototype: dot(query, shape.prototype), best, shape, named });
    }
    const { leaveOneOut } = this.#calibration;
    return judgeScope(this.model.scope, [...near.values()], {
      intents: this.texts.intentCount,
      leaveOneOut,
    });
  }

  #scopeClass(intent: LiveIntent): ScopeClass {
    const known = this.#scopeClasses.get(intent.name);
    if (known?.version === intent.version) return known;
    const { rows, names, labelled } = this.supportOf([intent]);
    const fresh = {
      version: intent.version,
      shape: intentShape(rows, this.dimension),
      label: labelled[0]! ? names : undefined,
      named: intent.examples.length === 0,
    };
    this.#scopeClasses.set(intent.name, fresh);
    return fresh;
  }

  /**
   * Brings the class state in step with the texts.
   *
   * @param former whose classes are kept as far as they are the same.
   */
  #refresh(former = this.#classes): void {
    const { head, classes, refusal } = this.#firstToServe(former);
    const isOther = head.name !== this.#head.name;
    this.#head = head;
    this.#refusal = refusal;
    this.#replace(classes);
    // A fit to former examples, or weights, holds until the next one; defaults follow the bot's size at once.
    if (isOther || classes === undefined || this.#calibration.source === 'default') {
      this.#calibration = this.#defaultCalibration();
    }
    for (const name of this.#scopeClasses.keys()) {
      if (this.texts.intent(name) === undefined) this.#scopeClasses.delete(name);
    }
  }

  /** The first of the heads that can serve this bot as it is, and its class state. */
  #firstToServe(former: BotClassState | undefined) {
    let refusal: KshotError | undefined;
    for (const head of this.#heads.slice(0, -1)) {
      try {
        return { head, classes: this.#classState(head, former), refusal };
      } catch (error) {
        if (!(error instanceof KshotError)) throw error;
        refusal ??= error;
      }
    }
    const head = this.#heads.at(-1)!;
    return { head, classes: this.#classState(head, former), refusal };
  }

  /**
   * @returns undefined for a bot that has no class state of all its intents.
   * @throws KshotError `head_unavailable`, or what the head throws, where it cannot serve this bot.
   */
  #classState({ name, runtime }: HeadVersion, former: BotClassState | undefined): BotClassState | undefined {
    const { intents } = this.texts;
    if (this.#isResident) {
      return BotClassState.of(runtime, intents, (some) => this.supportOf(some), former);
    }
    if (runtime.head.contextual && intents.length > 0) {
      throw new KshotError(
        'head_unavailable',
        `The head ${name} looks at all intents at once, and this bot has too many, or too many examples.`,
      );
    }
    return undefined;
  }

  /** Whether the bot is small enough for a class state of all its intents. */
  get #isResident(): boolean {
    const { intentCount, exampleCount } = this.texts;
    return intentCount > 0 && intentCount <= MAX_RESIDENT_INTENTS && exampleCount <= MAX_RESIDENT_EXAMPLES;
  }

  #replace(classes: BotClassState | undefined): void {
    const former = this.#classes;
    this.#classes = classes;
    if (classes !== undefined) this.#candidates = undefined;
    former?.dispose();
  }

  #supportClass({ examples, label }: LiveIntent): SupportClass {
    return {
      examples: examples.map(({ id }) => this.texts.embedding(id)),
      label: this.texts.embedding(label.id),
      isTelling: isTelling(label.text),
    };
  }

  #defaultCalibration(): BotCalibration {
    return defaultCalibration(this.model, this.#head.name, this.texts.intents.map(rowsOf));
  }
}

function rowsOf({ examples, label }: LiveIntent): number {
  return rowCount({ examples, isTelling: isTelling(label.text) });
}

/** Whether a write touches the support set: counter-examples are no part of it. */
export function changesSupport({ added, removed, renamed }: Change): boolean {
  return renamed !== undefined || [...added, ...removed].some(({ kind }) => kind !== 'counterexample');
}
