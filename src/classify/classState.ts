import {
  bytesOf,
  type ClassPick,
  gatherClasses,
  type HeadRuntime,
  type Leaves,
  type LoadedState,
} from '../heads/runtime.js';
import type { LiveIntent } from './botTexts.js';
import type { BotSupport } from './supportSet.js';

/**
 * What a head knows about all intents of a bot at one moment, loaded for scoring. It is never changed, but followed by
 * another. To be given back by `dispose()`.
 */
export class BotClassState {
  /** `[C]` */
  readonly intents: readonly string[];
  /** `[C]`: the revision at which each intent had last changed. */
  readonly #versions: readonly number[];
  /** As induced from the support set. */
  readonly #induced: Leaves;
  /** As it is scored with: adapted, where the head adapts and has. */
  readonly #learned: Leaves;
  readonly #loaded: LoadedState;

  private constructor(
    private readonly runtime: HeadRuntime,
    { intents, versions }: Basis,
    induced: Leaves,
    learned: Leaves,
    /** Whether every intent's state is adapted to just this support set. */
    readonly adapted: boolean,
  ) {
    this.intents = intents;
    this.#versions = versions;
    this.#induced = induced;
    this.#learned = learned;
    this.#loaded = runtime.load(learned);
  }

  /**
   * The state of some intents at once: induced for those that are new or have changed, and for the others what `former`
   * had learned about them.
   *
   * @param supportOf gives the support set of intents.
   */
  static of(
    runtime: HeadRuntime,
    intents: readonly LiveIntent[],
    supportOf: (intents: readonly LiveIntent[]) => BotSupport,
    former?: BotClassState,
  ): BotClassState {
    const basis = basisOf(intents);
    let kept = former?.runtime === runtime ? former : undefined;
    // Of a contextual head all or nothing holds.
    if (runtime.head.contextual && kept !== undefined && !kept.#standsOn(basis)) kept = undefined;
    const positions = kept === undefined ? basis.intents.map(() => -1) : kept.#positions(basis);
    const changed = intents.filter((_, c) => positions[c]! < 0);
    const fresh = changed.length > 0 ? runtime.induce(supportOf(changed)) : undefined;
    let next = 0;
    const induced = gatherClasses(
      positions.map((at) => (at >= 0 ? { state: kept!.#induced, at } : { state: fresh!, at: next++ })),
    )!;
    const learned = positions.map((at) => (at >= 0 ? { state: kept!.#learned, at } : undefined));
    const adapted = !runtime.adapts || (kept !== undefined && kept.adapted && kept.#standsOn(basis));
    return new BotClassState(runtime, basis, induced, align(runtime, induced, learned), adapted);
  }

  /** The state of a support set that has been induced elsewhere. */
  static from(runtime: HeadRuntime, basis: Basis, induced: Leaves): BotClassState {
    return new BotClassState(runtime, basis, induced, induced, !runtime.adapts);
  }

  /**
   * This state with what an adaptation to the support set of `basis` has learned. Intents that have changed since are
   * brought in line with the others.
   */
  adopt(adapted: Leaves, basis: BotClassState): BotClassState {
    const self = { intents: this.intents, versions: this.#versions };
    const learned = basis.#positions(self).map((at) => (at >= 0 ? { state: adapted, at } : undefined));
    const leaves = align(this.runtime, this.#induced, learned);
    return new BotClassState(this.runtime, self, this.#induced, leaves, this.sameSupport(basis));
  }

  /** Whether both stand on the same support set. */
  sameSupport(other: BotClassState): boolean {
    return other.#standsOn({ intents: this.intents, versions: this.#versions });
  }

  sameHead(other: BotClassState): boolean {
    return other.runtime === this.runtime;
  }

  /** `[Q, D]` to logits `[Q, C]`. */
  score(queries: Float32Array): Float32Array {
    return this.runtime.score(this.#loaded, queries);
  }

  /** Memory that it takes, in bytes. */
  get bytes(): number {
    const learned = this.#learned === this.#induced ? 0 : bytesOf(this.#learned);
    return bytesOf(this.#induced) + learned + this.#loaded.bytes;
  }

  /** What its head has learned, intent by intent. */
  get learned(): Leaves {
    return this.#learned;
  }

  dispose(): void {
    this.#loaded.dispose();
  }

  /** Whether these are the intents, at these versions, and no others. */
  #standsOn(basis: Basis): boolean {
    return (
      basis.intents.length === this.intents.length &&
      this.#positions(basis).every((position) => position >= 0)
    );
  }

  /** For each intent at a version its position here, or -1 where it is not here or was another version. */
  #positions({ intents, versions }: Basis): number[] {
    const at = new Map(this.intents.map((name, i) => [name, i]));
    return intents.map((name, i) => {
      const position = at.get(name);
      return position !== undefined && this.#versions[position] === versions[i] ? position : -1;
    });
  }
}

/** Intents, each at a version. */
export interface Basis {
  readonly intents: readonly string[];
  readonly versions: readonly number[];
}

export function basisOf(intents: readonly LiveIntent[]): Basis {
  return { intents: intents.map(({ name }) => name), versions: intents.map(({ version }) => version) };
}

/** So many of the classes that have adapted tell how the others are to be moved; more would take a write longer. */
const MAX_GUIDES = 32;

/**
 * What is known of all classes, of which some have adapted and the rest are as induced.
 *
 * @param adapted `[C]`: undefined for a class that has not.
 */
function align(runtime: HeadRuntime, induced: Leaves, adapted: readonly (ClassPick | undefined)[]): Leaves {
  const carried = adapted.flatMap((pick, c) => (pick === undefined ? [] : { pick, c }));
  const rest = adapted.flatMap((pick, c) => (pick === undefined ? { state: induced, at: c } : []));
  if (!runtime.adapts || carried.length === 0) return induced;
  const stride = Math.ceil(carried.length / MAX_GUIDES);
  const guides = carried.filter((_, i) => i % stride === 0);
  // All as many rows: the intents that have adapted may have been padded to others than there are now.
  const learned = gatherClasses(
    guides.map(({ pick }) => pick),
    induced,
  )!;
  const others = gatherClasses(
    guides.map(({ c }) => ({ state: induced, at: c })),
    learned,
  )!;
  const fresh = gatherClasses(rest, learned);
  const aligned = fresh === undefined ? {} : runtime.align(fresh, others, learned);
  let next = 0;
  return gatherClasses(adapted.map((pick) => pick ?? { state: aligned, at: next++ }))!;
}
