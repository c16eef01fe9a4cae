/** Bounds of one forward pass. */
export interface BatchLimits {
  /** Rows at most. */
  readonly maxTexts: number;
  /** `rows * longest row` at most, in tokens; a single text always fits. */
  readonly maxTokens: number;
  /** What a pass costs whatever is in it, in tokens that the device could have read meanwhile. */
  readonly passOverhead: number;
}

/**
 * Chooses what shares the next forward pass. Every row of a pass is as dear as its longest, so texts of like
 * length are taken together: of all windows of the length-sorted queue that hold the oldest text (none starves)
 * and keep the limits, the one whose rows cost least beyond their own tokens,
 * `(passOverhead + rows * longest - tokens) / rows`.
 *
 * @param waiting oldest first; `tokens` is a text's length.
 * @returns members of `waiting`, shortest first; empty only if `waiting` is.
 */
export function takeBatch<Item extends { readonly tokens: number }>(
  waiting: readonly Item[],
  limits: BatchLimits,
): Item[] {
  const oldest = waiting[0];
  if (oldest === undefined) return [];
  const sorted = [...waiting].sort((a, b) => a.tokens - b.tokens); // stable: of equals the older comes first
  const pivot = sorted.indexOf(oldest);

  let best = { from: pivot, to: pivot, cost: limits.passOverhead };
  let tokensAfterPivot = 0; // of sorted[pivot + 1 .. to]
  for (let to = pivot; to < sorted.length && to - pivot < limits.maxTexts; to++) {
    const longest = tokensAt(sorted, to);
    if (to > pivot) tokensAfterPivot += longest;
    let tokens = tokensAfterPivot;
    for (let from = pivot; from >= 0; from--) {
      const rows = to - from + 1;
      if (rows > limits.maxTexts || (rows > 1 && rows * longest > limits.maxTokens)) break;
      tokens += tokensAt(sorted, from);
      const cost = (limits.passOverhead + rows * longest - tokens) / rows;
      if (cost <= best.cost) best = { from, to, cost };
    }
  }
  return sorted.slice(best.from, best.to + 1);
}

function tokensAt(items: readonly { readonly tokens: number }[], index: number): number {
  return items[index]?.tokens ?? 0;
}
