/** How a text's token states become its embedding. */
export type Pooling = 'mean' | 'cls';

/**
 * Pools token states into one vector a text. Padding is ignored.
 *
 * @param hidden `[rows, length, dimension]`, the graph's last hidden state, padded on the right.
 * @param lengths `[rows]`, tokens of each text.
 * @returns `[rows, dimension]`, not normalised.
 */
export function pool(
  hidden: Float32Array,
  lengths: Int32Array,
  length: number,
  dimension: number,
  pooling: Pooling,
): Float32Array {
  const pooled = new Float32Array(lengths.length * dimension);
  lengths.forEach((tokens, row) => {
    const out = pooled.subarray(row * dimension, (row + 1) * dimension);
    const counted = pooling === 'cls' ? 1 : tokens;
    for (let token = 0; token < counted; token++) {
      const start = (row * length + token) * dimension;
      for (let d = 0; d < dimension; d++) out[d] = (out[d] ?? 0) + (hidden[start + d] ?? 0) / counted;
    }
  });
  return pooled;
}

/**
 * Scales every row of `vectors` (`[rows, dimension]`) to unit length, in place.
 *
 * @throws RangeError for a row that has no direction: zero, infinite or not a number.
 */
export function normaliseRows(vectors: Float32Array, dimension: number): void {
  for (let start = 0; start < vectors.length; start += dimension) {
    let squares = 0;
    for (let i = start; i < start + dimension; i++) squares += (vectors[i] ?? 0) ** 2;
    const scale = 1 / Math.sqrt(squares);
    if (!(scale > 0 && scale < Infinity))
      throw new RangeError('The graph gave an embedding without direction');
    for (let i = start; i < start + dimension; i++) vectors[i] = (vectors[i] ?? 0) * scale;
  }
}
