/** Four digits: what lies beyond is noise. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
