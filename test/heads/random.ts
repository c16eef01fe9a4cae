export { mulberry32 as seeded } from '../../src/heads/mulberry32.js';

/** `[n, D]` unit rows around the given centres, row i around centre i modulo their number. */
export function unitRows(
  n: number,
  D: number,
  random: () => number,
  centres?: Float32Array,
  spread = 1,
): Float32Array {
  const rows = new Float32Array(n * D);
  const classes = centres === undefined ? 1 : centres.length / D;
  for (let i = 0; i < n; i++) {
    let squared = 0;
    for (let d = 0; d < D; d++) {
      const value =
        (centres?.[(i % classes) * D + d] ?? 0) + (spread * (random() + random() - 1)) / Math.sqrt(D);
      rows[i * D + d] = value;
      squared += value * value;
    }
    for (let d = 0; d < D; d++) rows[i * D + d] = rows[i * D + d]! / Math.sqrt(squared);
  }
  return rows;
}
