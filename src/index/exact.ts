import { checkCount, checkDimension, checkId, checkVector } from './checks.js';
import { selectNearest } from './neighbours.js';
import { RowStore } from './rowStore.js';
import type { Neighbour, VectorIndex } from './vectorIndex.js';

/** Compares the query with every vector. Search is O(n D); add and remove are O(D). */
export class ExactIndex implements VectorIndex {
  private readonly rows: RowStore;
  /** `[capacity]`: the id of a row. */
  private ids = new Uint32Array(0);
  private readonly rowOf = new Map<number, number>();

  /** @throws RangeError if `dimension` is not a positive integer. */
  constructor(readonly dimension: number) {
    checkDimension(dimension);
    this.rows = new RowStore(dimension);
  }

  get size(): number {
    return this.rowOf.size;
  }

  add(id: number, vector: Float32Array): void {
    checkId(id);
    checkVector(vector, this.dimension);
    const row = this.rowOf.get(id) ?? this.size;
    this.rows.set(row, vector);
    if (row >= this.ids.length) {
      const ids = new Uint32Array(Math.max(16, this.ids.length * 2));
      ids.set(this.ids);
      this.ids = ids;
    }
    this.ids[row] = id;
    this.rowOf.set(id, row);
  }

  remove(id: number): boolean {
    const row = this.rowOf.get(id);
    if (row === undefined) return false;
    this.rowOf.delete(id);
    const last = this.size;
    if (row !== last) {
      const moved = this.ids[last]!;
      this.rows.copy(last, row);
      this.ids[row] = moved;
      this.rowOf.set(moved, row);
    }
    if (last === 0) this.clear();
    return true;
  }

  /** Removes all, and gives the memory back. */
  clear(): void {
    this.rowOf.clear();
    this.ids = new Uint32Array(0);
    this.rows.clear();
  }

  search(query: Float32Array, k: number): Neighbour[] {
    checkCount(k);
    checkVector(query, this.dimension);
    const rows = this.size;
    if (rows === 0 || k === 0) return [];
    return selectNearest(this.rows.innerProducts(query, rows), this.ids, rows, k);
  }

  has(id: number): boolean {
    return this.rowOf.has(id);
  }

  /** The vector under `id` as a view `[D]`, valid until the next `add`, `remove` or `clear`; undefined if there is none. */
  get(id: number): Float32Array | undefined {
    const row = this.rowOf.get(id);
    return row === undefined ? undefined : this.rows.get(row);
  }

  /** Some id that is held; undefined when empty. Taking it out costs the least. */
  lastId(): number | undefined {
    return this.size === 0 ? undefined : this.ids[this.size - 1];
  }

  /** All ids that are held, in no particular order. */
  heldIds(): IterableIterator<number> {
    return this.rowOf.keys();
  }
}
