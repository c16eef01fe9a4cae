/** A small seeded generator (mulberry32): numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
