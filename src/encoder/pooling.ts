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
 * Pools the token states of spans, and puts them behind their text's embedding.
 *
 * @param hidden `[rows, length, dimension]`, the graph's last hidden state.
 * @param spans `[rows, S, 2]`: first token and the one after the last.
 * @param embeddings `[rows, dimension]`: they also stand for spans that have no token.
 * @returns `[rows, 1 + S, dimension]`, the means not normalised.
 */
export function poolSpans(
  hidden: Float32Array,
  spans: Int32Array,
  embeddings: Float32Array,
  length: number,
  dimension: number,
): Float32Array {
  const rows = embeddings.length / dimension;
  const perRow = spans.length / rows / 2;
  const pooled = new Float32Array(rows * (1 + perRow) * dimension);
  for (let row = 0; row < rows; row++) {
    const embedding = embeddings.subarray(row * dimension, (row + 1) * dimension);
    const at = row * (1 + perRow) * dimension;
    pooled.set(embedding, at);
    for (let s = 0; s < perRow; s++) {
      const [from, to] = spans.subarray((row * perRow + s) * 2) as unknown as [number, number];
      const out = pooled.subarray(at + (s + 1) * dimension, at + (s + 2) * dimension);
      if (from >= to) out.set(embedding);
      for (let token = from; token < to; token++) {
        const start = (row * length + token) * dimension;
        for (let d = 0; d < dimension; d++) out[d] = (out[d] ?? 0) + (hidden[start + d] ?? 0) / (to - from);
      }
    }
  }
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
