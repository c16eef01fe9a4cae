import { gatherClasses, type HeadRuntime, type Leaves, type LoadedState } from '../heads/runtime.js';
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
  readonly #leaves: Leaves;
  readonly #loaded: LoadedState;

  private constructor(
    private readonly runtime: HeadRuntime,
    intents: readonly string[],
    versions: readonly number[],
    leaves: Leaves,
    /** Whether every intent's state is adapted to just this support set. */
    readonly adapted: boolean,
  ) {
    this.intents = intents;
    this.#versions = versions;
    this.#leaves = leaves;
    this.#loaded = runtime.load(leaves);
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
    const names = intents.map(({ name }) => name);
    const versions = intents.map(({ version }) => version);
    const leaves =
      (former?.runtime === runtime && !runtime.head.contextual
        ? former.#follow(intents, names, versions, supportOf)
        : undefined) ?? runtime.induce(supportOf(intents));
    return new BotClassState(runtime, names, versions, leaves, !runtime.adapts);
  }

  /**
   * This state with what an adaptation to the support set of `basis` has learned; intents that have changed since keep
   * what they have.
   */
  adopt(adapted: Leaves, basis: BotClassState): BotClassState {
    const positions = basis.#positions(this.intents, this.#versions);
    const picks = positions.map((at, c) =>
      at >= 0 ? { state: adapted, at } : { state: this.#leaves, at: c },
    );
    const leaves = gatherClasses(picks) ?? this.#leaves;
    return new BotClassState(this.runtime, this.intents, this.#versions, leaves, this.sameSupport(basis));
  }

  /** Whether both stand on the same support set. */
  sameSupport(other: BotClassState): boolean {
    return (
      other.intents.length === this.intents.length &&
      other.#positions(this.intents, this.#versions).every((position) => position >= 0)
    );
  }

  sameHead(other: BotClassState): boolean {
    return other.runtime === this.runtime;
  }

  /** `[Q, D]` to logits `[Q, C]`. */
  score(queries: Float32Array): Float32Array {
    return this.runtime.score(this.#loaded, queries);
  }

  dispose(): void {
    this.#loaded.dispose();
  }

  /** The leaves of the state that follows this one; undefined where they do not fit together. */
  #follow(
    intents: readonly LiveIntent[],
    names: readonly string[],
    versions: readonly number[],
    supportOf: (intents: readonly LiveIntent[]) => BotSupport,
  ): Leaves | undefined {
    const positions = this.#positions(names, versions);
    const changed = intents.filter((_, c) => positions[c]! < 0);
    const fresh = changed.length === 0 ? this.#leaves : this.runtime.induce(supportOf(changed));
    let next = 0;
    return gatherClasses(
      positions.map((at) => (at >= 0 ? { state: this.#leaves, at } : { state: fresh, at: next++ })),
    );
  }

  /** For each intent at a version its position here, or -1 where it is not here or was another version. */
  #positions(intents: readonly string[], versions: readonly number[]): number[] {
    const at = new Map(this.intents.map((name, i) => [name, i]));
    return intents.map((name, i) => {
      const position = at.get(name);
      return position !== undefined && this.#versions[position] === versions[i] ? position : -1;
    });
  }
}
