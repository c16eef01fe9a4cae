import type { HeadName } from '../heads/registry.js';
import { type HeadRuntime, type Leaves, QUERY_BUCKETS } from '../heads/runtime.js';
import type { Neighbour } from '../index/vectorIndex.js';
import type { BotRecord, Change, IntentRecord, StoredText } from '../store/store.js';
import type { BotTexts, LiveIntent } from './botTexts.js';
import { type Calibration, defaultCalibration } from './calibrate.js';
import { BotClassState } from './classState.js';
import { dot, intentSimilarity, prototypeOf } from './scope.js';
import { adaptationShots, type BotSupport, rowCount, type SupportClass, supportRows } from './supportSet.js';
import { isTelling } from './text.js';

/** Beyond these a bot has no class state of all its intents: each query is scored against retrieved candidates. */
const MAX_RESIDENT_INTENTS = 512;
const MAX_RESIDENT_EXAMPLES = 16_384;

/** Retrieval for such a bot: examples looked up a query, intents of theirs that the head scores, rows of each. */
const RETRIEVED_EXAMPLES = 64;
const MAX_CANDIDATES = 32;
const CANDIDATE_SHOTS = 16;

/** Nearest examples that the decision on scope and the evidence are made from. */
const NEAREST = 5;

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
  /** To the nearest intent, as scope is judged (scope.ts). */
  readonly similarity: number;
  readonly calibration: Calibration;
  readonly adapted: boolean;
  readonly head: string;
  readonly revision: number;
}

/** What an adaptation starts from; opaque but for its support set. */
export interface Adaptation {
  readonly support: BotSupport;
  readonly basis: BotClassState;
}

/** What the decision on scope knows of an intent. */
interface ScopeClass {
  readonly version: number;
  readonly prototype: Float32Array;
  /** Where it is one of the rows. */
  readonly label: Float32Array | undefined;
  readonly rows: number;
}

/**
 * A bot as it answers: what is derived from the store, kept in step with each write. Synchronous throughout, so that a
 * query sees a bot before a write or after it, never in between.
 */
export class LiveBot {
  #runtime: HeadRuntime;
  #classes: BotClassState | undefined;
  #calibration: Calibration;
  /** By intent; brought up to date when it is looked at. */
  readonly #scopeClasses = new Map<string, ScopeClass>();

  constructor(
    readonly texts: BotTexts,
    private head: HeadName,
    runtime: HeadRuntime,
  ) {
    this.#runtime = runtime;
    this.#calibration = this.#defaultCalibration();
    this.#refresh();
  }

  /** D, the width of an embedding. */
  get dimension(): number {
    return this.#runtime.dimension;
  }

  /** Queries to score before other requests get their turn: some ten milliseconds. */
  get queriesATurn(): number {
    return this.#classes === undefined ? 4 : 64;
  }

  /** Takes over what a write did; the arguments are those of `BotTexts.apply`. */
  apply(change: Change, embeddings: ReadonlyMap<string, Float32Array>, put?: readonly IntentRecord[]): void {
    this.texts.apply(change, embeddings, put);
    if (changesSupport(change)) this.#refresh();
  }

  /** Takes over new settings; another head starts afresh. */
  configure(record: BotRecord, head: HeadName, runtime: HeadRuntime): void {
    this.texts.record = record;
    if (head === this.head) return;
    this.head = head;
    this.#runtime = runtime;
    this.#calibration = this.#defaultCalibration();
    this.#refresh();
  }

  /** What to adapt the head to; undefined for a bot that has no intents, or too many to adapt to. */
  adaptation(): Adaptation | undefined {
    const { intents } = this.texts;
    return (
      this.#classes && {
        support: this.#support(intents, adaptationShots(intents.length)),
        basis: this.#classes,
      }
    );
  }

  /** Takes over what the worker has learned from an adaptation's support set, as far as that has not changed since. */
  adopt(adapted: Leaves, { basis }: Adaptation): void {
    if (this.#classes?.sameHead(basis)) this.#replace(this.#classes.adopt(adapted, basis));
  }

  /** Whether the support set is still the one of that adaptation. */
  isBasedOn({ basis }: Adaptation): boolean {
    return this.#classes !== undefined && this.#classes.sameHead(basis) && this.#classes.sameSupport(basis);
  }

  /**
   * Takes over a calibration that was fitted to an adaptation's support set, unless that has changed since.
   * @param calibration undefined where the support set was too small for a fit.
   */
  calibrate(calibration: Calibration | undefined, adaptation: Adaptation): void {
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
    const retrieve = classes === undefined ? RETRIEVED_EXAMPLES : NEAREST;
    const found = rows.map((query) => ({
      nearest: this.#near(this.texts.nearestExamples(query, retrieve)),
      counterexample: this.#near(this.texts.nearestCounterexamples(query, 1))[0],
    }));
    lap('retrieve');
    const logits = classes?.score(queries);
    const C = classes?.intents.length ?? 0;
    const scored = found.map(({ nearest, counterexample }, q): Scored => ({
      ...(classes !== undefined
        ? { intents: classes.intents, logits: logits!.subarray(q * C, (q + 1) * C) }
        : this.#scoreCandidates(rows[q]!, nearest)),
      nearest: nearest.slice(0, NEAREST),
      counterexample,
      similarity: this.#similarity(rows[q]!, nearest),
      calibration: this.#calibration,
      adapted: classes?.adapted ?? !this.#runtime.adapts,
      head: this.head,
      revision: this.texts.record.revision,
    }));
    lap('score');
    return scored;
  }

  /** Compiles what scoring needs for this bot's shapes, so that no request waits for it. */
  warmUp(): void {
    for (const queries of QUERY_BUCKETS)
      this.score(new Float32Array(queries * this.dimension), () => undefined);
  }

  dispose(): void {
    this.#replace(undefined);
  }

  /** Scores the intents of the retrieved texts alone: their support set is induced for this one query. */
  #scoreCandidates(query: Float32Array, retrieved: readonly NearText[]): Pick<Scored, 'intents' | 'logits'> {
    const names = [...new Set(retrieved.map(({ text }) => text.intent!))].slice(0, MAX_CANDIDATES);
    if (names.length === 0) return { intents: [], logits: new Float32Array() };
    const candidates = names.map((name) => {
      const intent = this.texts.intent(name)!;
      // The examples that were retrieved, and the newest others up to the limit.
      const hits = retrieved.filter(({ text }) => text.intent === name && text.kind === 'example');
      const others = intent.examples
        .slice(-CANDIDATE_SHOTS)
        .filter(({ id }) => hits.every(({ text }) => text.id !== id));
      const examples = [...hits.map(({ text }) => text), ...others.reverse()].slice(0, CANDIDATE_SHOTS);
      return { ...intent, examples };
    });
    const state = BotClassState.of(this.#runtime, candidates, (intents) => this.#support(intents));
    try {
      return { intents: names, logits: state.score(query) };
    } finally {
      state.dispose();
    }
  }

  #near(neighbours: readonly Neighbour[]): NearText[] {
    return neighbours.map(({ id, similarity }) => ({ text: this.texts.text(id), similarity }));
  }

  /** The similarity to the nearest intent, looked for among those of the nearest examples. */
  #similarity(query: Float32Array, nearest: readonly NearText[]): number {
    const seen = new Set<string>();
    let highest = -1;
    for (const { text, similarity } of nearest.slice(0, NEAREST)) {
      const name = text.intent!;
      if (seen.has(name)) continue; // a farther example of an intent that a nearer one stands for
      seen.add(name);
      const { prototype, label, rows } = this.#scopeClass(this.texts.intent(name)!);
      const best = label === undefined ? similarity : Math.max(similarity, dot(query, label));
      highest = Math.max(highest, intentSimilarity(dot(query, prototype), best, rows));
    }
    return highest;
  }

  #scopeClass(intent: LiveIntent): ScopeClass {
    const known = this.#scopeClasses.get(intent.name);
    if (known?.version === intent.version) return known;
    const { counts, rows, names, labelled } = this.#support([intent]);
    const fresh = {
      version: intent.version,
      prototype: prototypeOf(rows, this.dimension),
      label: labelled[0]! ? names : undefined,
      rows: counts[0]!,
    };
    this.#scopeClasses.set(intent.name, fresh);
    return fresh;
  }

  /** Brings the class state in step with the texts. */
  #refresh(): void {
    const { intents, exampleCount } = this.texts;
    const resident =
      intents.length > 0 && intents.length <= MAX_RESIDENT_INTENTS && exampleCount <= MAX_RESIDENT_EXAMPLES;
    this.#replace(
      resident
        ? BotClassState.of(this.#runtime, intents, (some) => this.#support(some), this.#classes)
        : undefined,
    );
    // A fit to former examples holds until the next one; defaults follow the bot's size at once.
    if (!resident || this.#calibration.source === 'default') this.#calibration = this.#defaultCalibration();
    for (const name of this.#scopeClasses.keys()) {
      if (this.texts.intent(name) === undefined) this.#scopeClasses.delete(name);
    }
  }

  #replace(classes: BotClassState | undefined): void {
    const former = this.#classes;
    this.#classes = classes;
    former?.dispose();
  }

  #support(intents: readonly LiveIntent[], maxShots?: number): BotSupport {
    return supportRows(
      intents.map((intent) => this.#supportClass(intent)),
      this.dimension,
      maxShots,
    );
  }

  #supportClass({ examples, label }: LiveIntent): SupportClass {
    return {
      examples: examples.map(({ id }) => this.texts.embedding(id)),
      label: this.texts.embedding(label.id),
      isTelling: isTelling(label.text),
    };
  }

  #defaultCalibration(): Calibration {
    return defaultCalibration(
      this.head,
      this.texts.intents.map(({ examples, label }) =>
        rowCount({ examples, isTelling: isTelling(label.text) }),
      ),
      this.texts.exampleCount,
    );
  }
}

/** Whether a write touches the support set: counter-examples are no part of it. */
export function changesSupport({ added, removed }: Change): boolean {
  return [...added, ...removed].some(({ kind }) => kind !== 'counterexample');
}
