import { checkCount, checkDimension, checkId, checkVector } from './checks.js';
import { ExactIndex } from './exact.js';
import { DEFAULT_PARAMETERS, HnswIndex, type GraphParameters } from './hnsw.js';
import { byNearness } from './neighbours.js';
import type { Neighbour, VectorIndex } from './vectorIndex.js';

export interface AdaptiveOptions {
  /** Up to this many vectors every one is compared; beyond, a graph is searched. */
  readonly exactLimit?: number;
  /** Share of dead nodes, 0 to 1, from which the graph is built anew. */
  readonly deadShare?: number;
  readonly parameters?: GraphParameters;
  /** Runs work later, when the thread is free; a slice of work takes a few milliseconds. Default `setImmediate`. */
  readonly schedule?: (work: () => void) => void;
  /**
   * Is told when work in the background failed (memory ran out). The index stays right: what has not reached the
   * graph is searched exactly; no more work is done. Default: throws, from the scheduler.
   */
  readonly onError?: (error: unknown) => void;
}

/**
 * Measured (one core of a Xeon, D = 384, k = 50): exact search takes 0.07 ms per 1,000 vectors, the graph's 0.1 to
 * 0.2 ms up to 10,000. They cost the same at about 2,500; up to here exactness costs less than 0.2 ms more.
 */
export const DEFAULT_EXACT_LIMIT = 4096;
export const DEFAULT_DEAD_SHARE = 1 / 3;

/** An insertion into a graph takes 0.2 ms among 10,000 and about a millisecond among a million; a move out of it 0.03 ms. */
const INSERTIONS_A_SLICE = 4;
const MOVES_A_SLICE = 50;

/**
 * Exact while small, a graph when large, and never slow to write: a vector that is added goes to an exact part, where
 * it is found at once, and from there into the graph in slices, whenever the thread has nothing else to do. Every
 * vector is in one of the two parts, never in both, and a search merges them.
 *
 * Whatever changes the graph as a whole is done beside it while the two parts serve on:
 * - the exact part has outgrown its limit and there is no graph yet: one is built;
 * - too many of the graph's nodes are dead: a new one is built of the living.
 * Only when the new graph holds everything does it take the old ones' place; until then it takes memory as well.
 * When hardly anything is left, the vectors move back to the exact part and the graph is dropped.
 */
export class AdaptiveIndex implements VectorIndex {
  private readonly exactLimit: number;
  private readonly deadShare: number;
  private readonly parameters: GraphParameters;
  private readonly schedule: (work: () => void) => void;
  private readonly onError: (error: unknown) => void;

  private readonly recent: ExactIndex;
  private successor: Successor | undefined;
  private scheduled = false;
  private lent = false;
  private stopped = false;

  /**
   * @param graph what the index starts with, if anything; it belongs to the index from now on.
   * @throws RangeError if `dimension` is not a positive integer, or the graph has another one.
   */
  constructor(
    readonly dimension: number,
    options: AdaptiveOptions = {},
    private graph?: HnswIndex,
  ) {
    checkDimension(dimension);
    if (graph && graph.dimension !== dimension) {
      throw new RangeError(
        `a graph of dimension ${graph.dimension} cannot start an index of dimension ${dimension}`,
      );
    }
    this.exactLimit = options.exactLimit ?? DEFAULT_EXACT_LIMIT;
    this.deadShare = options.deadShare ?? DEFAULT_DEAD_SHARE;
    this.parameters = options.parameters ?? DEFAULT_PARAMETERS;
    this.schedule = options.schedule ?? ((work) => void setImmediate(work));
    this.onError =
      options.onError ??
      ((error) => {
        throw error;
      });
    this.recent = new ExactIndex(dimension);
    this.wake();
  }

  get size(): number {
    return this.recent.size + (this.graph?.size ?? 0);
  }

  /** How many vectors the graph holds; the others are searched exactly. */
  get graphSize(): number {
    return this.graph?.size ?? 0;
  }

  /** Whether no work in the background is waiting or under way. */
  get settled(): boolean {
    return this.nextJob() === undefined;
  }

  add(id: number, vector: Float32Array): void {
    checkId(id);
    checkVector(vector, this.dimension);
    this.recent.add(id, vector);
    this.graph?.remove(id);
    this.successor?.add(id);
    this.wake();
  }

  remove(id: number): boolean {
    const held = this.recent.remove(id) || (this.graph?.remove(id) ?? false);
    if (held) {
      this.successor?.remove(id);
      this.wake();
    }
    return held;
  }

  search(query: Float32Array, k: number): Neighbour[] {
    checkCount(k);
    checkVector(query, this.dimension);
    const exact = this.recent.search(query, k);
    if (this.graphSize === 0) return exact;
    const approximate = this.graph!.search(query, k);
    if (exact.length === 0) return approximate;
    return [...exact, ...approximate].sort(byNearness).slice(0, k);
  }

  /**
   * Calls `write` with the graph, and leaves the graph as it is until the promise settles; searches and writes to
   * the index go on. Vectors that have not reached the graph are not in it.
   *
   * @returns undefined when there is no graph.
   * @throws Error while a former call has not settled.
   */
  async withGraph<T>(write: (graph: HnswIndex) => Promise<T>): Promise<T | undefined> {
    if (this.lent) throw new Error('the graph is being written already');
    if (this.graph === undefined) return undefined;
    this.lent = true;
    try {
      return await write(this.graph);
    } finally {
      this.lent = false;
      this.wake();
    }
  }

  /** Ends work in the background; what is waiting for it stays where it is. */
  close(): void {
    this.stopped = true;
    this.successor?.discard();
    this.successor = undefined;
  }

  private wake(): void {
    if (this.scheduled || this.settled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      try {
        this.nextJob()?.();
      } catch (error) {
        this.close();
        this.onError(error);
      }
      this.wake();
    });
  }

  /** The next slice of work; undefined when there is nothing to do, or nothing that can be done now. */
  private nextJob(): (() => void) | undefined {
    const { graph, recent, successor } = this;
    if (this.stopped || this.lent) return undefined;
    if (this.size <= this.exactLimit / 2) {
      return graph || successor ? () => this.shrink() : undefined;
    }
    if (successor) return () => this.build(successor);
    const outgrown = graph ? graph.dead > this.deadShare * graph.nodes : recent.size > this.exactLimit;
    if (outgrown) return () => this.startSuccessor();
    return graph && recent.size > 0 ? () => this.drain(graph) : undefined;
  }

  private startSuccessor(): void {
    const ids = [...(this.graph?.heldIds() ?? []), ...this.recent.heldIds()];
    this.successor = new Successor(ids, this.dimension, this.parameters);
  }

  private build(successor: Successor): void {
    const complete = successor.take(INSERTIONS_A_SLICE, (id) => this.recent.get(id) ?? this.graph?.get(id));
    if (!complete) return;
    this.graph?.clear();
    this.graph = successor.graph;
    this.recent.clear();
    this.successor = undefined;
  }

  private drain(graph: HnswIndex): void {
    for (let i = 0; i < INSERTIONS_A_SLICE; i++) {
      const id = this.recent.lastId();
      if (id === undefined) break;
      graph.add(id, this.recent.get(id)!);
      this.recent.remove(id);
    }
  }

  private shrink(): void {
    this.successor?.discard();
    this.successor = undefined;
    const { graph } = this;
    if (!graph) return;
    let moves = 0;
    for (const id of graph.heldIds()) {
      if (moves++ === MOVES_A_SLICE) return;
      this.recent.add(id, graph.get(id)!);
      graph.remove(id);
    }
    graph.clear();
    this.graph = undefined;
  }
}

/** A graph in the making, and the ids that it has yet to take. */
class Successor {
  readonly graph: HnswIndex;
  private readonly waiting: Set<number>;
  /** One iterator from start to end: a set's iterator also meets what is added while it runs. */
  private readonly queue: IterableIterator<number>;

  constructor(ids: readonly number[], dimension: number, parameters: GraphParameters) {
    this.graph = HnswIndex.create(dimension, parameters, Math.ceil(ids.length * 1.25));
    this.waiting = new Set(ids);
    this.queue = this.waiting.values();
  }

  /** A vector was added or replaced. */
  add(id: number): void {
    this.graph.remove(id);
    this.waiting.delete(id);
    this.waiting.add(id);
  }

  remove(id: number): void {
    this.graph.remove(id);
    this.waiting.delete(id);
  }

  /** Takes up to `count` of the ids; true when none was left. */
  take(count: number, vectorOf: (id: number) => Float32Array | undefined): boolean {
    for (let i = 0; i < count; i++) {
      const next = this.queue.next();
      if (next.done) return true;
      this.waiting.delete(next.value);
      this.graph.add(next.value, vectorOf(next.value)!);
    }
    return false;
  }

  discard(): void {
    this.graph.clear();
  }
}
