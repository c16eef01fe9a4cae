import { LRUCache } from 'lru-cache';
import {
  type ClassPick,
  gatherClasses,
  type HeadRuntime,
  type Leaves,
  type SupportRows,
} from '../heads/runtime.js';
import type { LiveIntent } from './botTexts.js';

/** Of one large bot: prototypes of 384 dimensions of 30,000 intents, or 16 support rows each of 2,500. */
const MAX_CACHE_BYTES = 64 * 2 ** 20;
/** What an entry takes besides its state's numbers and its name: list and map slots, objects, the typed arrays' headers. */
const ENTRY_OVERHEAD_BYTES = 500;

/** Candidates of a query, at the most. */
const MAX_CANDIDATES = 32;

/**
 * And of a head whose state is made for each query: more take longer, and score no better. Measured on CLINC150's
 * validation queries (docs/results/retrieval.md).
 */
const MAX_LOCAL_CANDIDATES = 8;
/** The newest examples of a candidate that such a head looks at. */
const LOCAL_SHOTS = 15;
const LOCAL_ROWS = LOCAL_SHOTS + 1; // with the label

/**
 * The support set of intents, as it is at this moment.
 * @param maxShots the newest examples of each that are in it.
 */
export type SupportOf = (intents: readonly LiveIntent[], maxShots?: number) => SupportRows;

/** The class state of one intent, and the version of the intent that it was induced from. */
interface CachedState {
  readonly version: number;
  readonly state: Leaves;
}

/**
 * Scores queries against candidates: those of a bot's intents that retrieval has found, where they are too many to score
 * all. What was induced of an intent is kept until the intent changes, or others are asked for more often; a query gathers
 * and scores, and a candidate's score is the one that it would have among all intents.
 *
 * Two kinds of heads have a state that depends on what the other candidates are, and is made for each query: those that
 * are contextual, and those that adapt. The latter adapt to the candidates as to a bot that has no other intents: a local
 * classifier of the nearest neighbours (Bottou & Vapnik 1992, "Local learning algorithms").
 */
export class CandidateScorer {
  readonly #states: LRUCache<string, CachedState>;
  readonly #isLocal: boolean;
  /** Support rows that classes are padded to, as many as the largest intent had so far: scoring is compiled for few shapes. */
  #rows = 1;

  /** @param maxBytes of the states that are kept. */
  constructor(
    readonly runtime: HeadRuntime,
    private readonly supportOf: SupportOf,
    maxBytes = MAX_CACHE_BYTES,
  ) {
    this.#isLocal = runtime.adapts || runtime.head.contextual === true;
    this.#states = new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf });
  }

  /** How many candidates a query should have, at the most. */
  get maxCandidates(): number {
    return this.#isLocal ? MAX_LOCAL_CANDIDATES : MAX_CANDIDATES;
  }

  /** Bytes of the states that are kept. */
  get bytes(): number {
    return this.#states.calculatedSize;
  }

  /**
   * @param query `[D]`, unit length.
   * @param intents `[C]`, none twice.
   * @returns `[C]`: the head's logits.
   */
  score(query: Float32Array, intents: readonly LiveIntent[]): Float32Array {
    if (intents.length === 0) return new Float32Array();
    const leaves = this.#isLocal ? this.#localState(intents) : gatherClasses(this.#picks(intents))!;
    const state = this.runtime.load(leaves);
    try {
      return this.runtime.score(state, query).subarray(0, intents.length);
    } finally {
      state.dispose();
    }
  }

  /** The state of intents among themselves; behind them may be classes that are padding. */
  #localState(intents: readonly LiveIntent[]): Leaves {
    const support = this.supportOf(intents, LOCAL_SHOTS);
    if (!this.runtime.adapts) return this.runtime.induce(support);
    const classes = Math.ceil(intents.length / MAX_LOCAL_CANDIDATES) * MAX_LOCAL_CANDIDATES;
    return this.runtime.adaptLocally(support, classes, LOCAL_ROWS);
  }

  /** The states of intents, induced where they are not known. */
  #picks(intents: readonly LiveIntent[]): ClassPick[] {
    const known = intents.map((intent) => this.#known(intent));
    const support = this.supportOf(intents.filter((_, c) => known[c] === undefined));
    this.#rows = Math.max(this.#rows, ...support.counts);
    const fresh = support.counts.length > 0 ? this.runtime.induce(support, this.#rows) : undefined;
    let next = 0;
    return intents.map(({ name, version }, c) => {
      if (known[c] !== undefined) return { state: known[c], at: 0 };
      const state = gatherClasses([{ state: fresh!, at: next++ }])!;
      this.#states.set(name, { version, state });
      return { state, at: 0 };
    });
  }

  #known({ name, version }: LiveIntent): Leaves | undefined {
    const cached = this.#states.get(name);
    return cached?.version === version ? cached.state : undefined;
  }
}

function bytesOf({ state }: CachedState, name: string): number {
  const numbers = Object.values(state).reduce((sum, { data }) => sum + data.byteLength, 0);
  return numbers + Buffer.byteLength(name, 'utf16le') + ENTRY_OVERHEAD_BYTES;
}
