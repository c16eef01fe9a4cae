/** A search ends when what is kept and what is not are this near to each other. */
const PRECISION = 0.05;
const LOWEST_SHARE = 1 / 64;

/**
 * The highest rate that is kept: doubled until one is not, then bisected. What is kept must fall with the rate.
 *
 * @param from where to begin; where it is not kept, its halves are tried.
 * @returns within 5 %, from below; 0 where not even a 64th of `from` is kept.
 */
export async function highestRate(
  isKept: (perSecond: number) => Promise<boolean>,
  from: number,
): Promise<number> {
  let kept = 0;
  let lost = Infinity;
  while (lost === Infinity || (kept === 0 && lost > from * LOWEST_SHARE)) {
    const rate = lost === Infinity ? 2 * kept || from : lost / 2;
    if (await isKept(rate)) kept = rate;
    else lost = rate;
  }
  while (kept > 0 && lost > kept * (1 + PRECISION)) {
    const rate = (kept + lost) / 2;
    if (await isKept(rate)) kept = rate;
    else lost = rate;
  }
  return kept;
}
