/*
 * Cosines of unit rows outside of jax-js: `[n, D]` arrays, one after the other.
 */

/** Rows that are gone through together: some that stay in a core's cache. */
const BLOCK = 64;

/** The mean cosine of each row to the `k` others that are nearest to it, all where there are fewer: `[U, D]` to `[U]`; 1 for a row alone. */
export function densities(rows: Float32Array, D: number, k: number): Float64Array {
  const n = rows.length / D;
  const width = Math.min(k, n - 1);
  if (width < 1) return new Float64Array(n).fill(1);
  const top = new Float64Array(n * width).fill(-Infinity); // of each row the largest, in falling order
  for (let from = 0; from < n; from += BLOCK) {
    for (let row = 0; row < n; row++) {
      for (let other = Math.max(from, row + 1); other < Math.min(n, from + BLOCK); other++) {
        const cosine = inner(rows, row * D, rows, other * D, D);
        insert(top, row * width, width, cosine);
        insert(top, other * width, width, cosine);
      }
    }
  }
  return Float64Array.from({ length: n }, (_, row) => {
    const own = top.subarray(row * width, (row + 1) * width);
    return own.reduce((sum, cosine) => sum + cosine, 0) / width;
  });
}

/** Inner product of `length` numbers of a and b, from their offsets on. */
export function inner(
  a: Float32Array,
  fromA: number,
  b: Float32Array,
  fromB: number,
  length: number,
): number {
  // Four sums that do not wait for one another.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += a[fromA + i]! * b[fromB + i]!;
    s1 += a[fromA + i + 1]! * b[fromB + i + 1]!;
    s2 += a[fromA + i + 2]! * b[fromB + i + 2]!;
    s3 += a[fromA + i + 3]! * b[fromB + i + 3]!;
  }
  for (; i < length; i++) s0 += a[fromA + i]! * b[fromB + i]!;
  return s0 + s1 + s2 + s3;
}

/** Puts a value in its place among `width` falling ones, whose last goes. */
function insert(falling: Float64Array, from: number, width: number, value: number): void {
  let at = from + width - 1;
  if (!(value > falling[at]!)) return;
  for (; at > from && falling[at - 1]! < value; at--) falling[at] = falling[at - 1]!;
  falling[at] = value;
}
