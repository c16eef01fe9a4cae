/** A neighbour: the id it was added under, and its inner product with the query (cosine: rows are unit length). */
export interface Neighbour {
  readonly id: number;
  readonly similarity: number;
}

/** Nearest neighbours among unit-length vectors of one dimension. Ids are safe non-negative integers below 2^32. */
export interface VectorIndex {
  readonly dimension: number;
  /** Vectors that can be found. */
  readonly size: number;

  /** Adds a vector, or replaces the one under that id. The vector is copied. */
  add(id: number, vector: Float32Array): void;

  /** Takes a vector out; from the next search on it is not found. Returns whether it was there. */
  remove(id: number): boolean;

  /**
   * The `k` nearest, nearest first; fewer where fewer are held. Ties are broken by the smaller id.
   *
   * @param query `[D]`, unit length.
   */
  search(query: Float32Array, k: number): Neighbour[];
}
