import { cpus } from 'node:os';

/** The value below which the share `q` of the sorted values lies; NaN of none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

/** Quantiles of times, for a table. @param times in ms, in any order. */
export function latencies(times: readonly number[], qs: readonly number[], digits = 0): string {
  const sorted = times.toSorted((a, b) => a - b);
  return qs.map((q) => `${quantile(sorted, q).toFixed(digits)} ms`).join(', ');
}

/** What it was measured on. */
export function machine(): string {
  return `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`;
}
