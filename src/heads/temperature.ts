/**
 * 1 / temperature of a head by a bot's size: a + b ln N + c L, N intents, L the mean over them of ln(support rows). The ln N
 * keeps confidences from sinking as intents are added; the L lets a head be surer of what it has seen more of.
 */
export interface Sharpness {
  /** a */
  readonly base: number;
  /** b, at least 0 */
  readonly lnIntents: number;
  /** c, at least 0 */
  readonly lnRows: number;
}

/** Of a head that was not calibrated: its logits are what its loss took the softmax of. */
export const UNCALIBRATED: Sharpness = { base: 1, lnIntents: 0, lnRows: 0 };

/** `[1, ln N, L]`. @param counts `[N]`: the support rows of each intent. */
export function sizeFeatures(counts: readonly number[]): [one: number, lnIntents: number, lnRows: number] {
  const N = Math.max(1, counts.length);
  const L = counts.reduce((sum, rows) => sum + Math.log(Math.max(1, rows)), 0) / N;
  return [1, Math.log(N), L];
}

/** What the head's logits are divided by before the softmax. @param counts `[N]`: the support rows of each intent. */
export function temperatureOf({ base, lnIntents, lnRows }: Sharpness, counts: readonly number[]): number {
  const [one, lnN, L] = sizeFeatures(counts);
  return 1 / (base * one + lnIntents * lnN + lnRows * L);
}
