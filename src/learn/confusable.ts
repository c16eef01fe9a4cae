/*
 * Which classes are easily taken for one another: those whose mean embeddings point the same way.
 */

/**
 * For every class the others, most similar first, by the cosine of the class means.
 *
 * @param embeddings `[n, D]`.
 * @param rows the rows of each of C classes, none without any.
 * @returns C lists of C - 1 positions in `rows`.
 */
export function nearestClasses(
  embeddings: Float32Array,
  dimension: number,
  rows: readonly ArrayLike<number>[],
): number[][] {
  const means = rows.map((own) => unitMean(embeddings, dimension, own)); // C of [D]
  return means.map((mean, c) => {
    const similarity = means.map((other) => dot(mean, other));
    return [...means.keys()]
      .filter((other) => other !== c)
      .sort((a, b) => similarity[b]! - similarity[a]! || a - b);
  });
}

/** The mean of rows of `[n, D]`: `[D]`, to unit length (zero where rows cancel out). */
export function unitMean(embeddings: Float32Array, dimension: number, rows: ArrayLike<number>): Float64Array {
  const sum = new Float64Array(dimension);
  for (const row of Array.from(rows)) {
    const offset = row * dimension;
    for (let d = 0; d < dimension; d++) sum[d]! += embeddings[offset + d]!;
  }
  const length = Math.sqrt(dot(sum, sum)) || 1;
  return sum.map((value) => value / length);
}

/** Inner product of two rows. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
