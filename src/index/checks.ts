/** Ids are stored as 32-bit unsigned integers. */
const MAX_ID = 2 ** 32 - 1;

/** @throws RangeError unless `id` is an integer from 0 to 2^32 - 1. */
export function checkId(id: number): void {
  if (!Number.isInteger(id) || id < 0 || id > MAX_ID) {
    throw new RangeError(`an id must be an integer from 0 to ${MAX_ID}, not ${id}`);
  }
}

/**
 * A single NaN would make every comparison with its row false and so spoil the order of all results.
 *
 * @throws RangeError unless `vector` is `[dimension]` and finite.
 */
export function checkVector(vector: Float32Array, dimension: number): void {
  if (vector.length !== dimension) {
    throw new RangeError(
      `a vector of ${vector.length} components was given to an index of dimension ${dimension}`,
    );
  }
  let sum = 0;
  for (let i = 0; i < dimension; i++) sum += vector[i]! * 0;
  if (sum !== 0) throw new RangeError('a vector has a component that is not a finite number');
}

/** @throws RangeError unless `k` is a non-negative integer. */
export function checkCount(k: number): void {
  if (!Number.isInteger(k) || k < 0) throw new RangeError(`k must be a non-negative integer, not ${k}`);
}

/** @throws RangeError unless `dimension` is a positive integer. */
export function checkDimension(dimension: number): void {
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new RangeError(`a dimension must be a positive integer, not ${dimension}`);
  }
}
