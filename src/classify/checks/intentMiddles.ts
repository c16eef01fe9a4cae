import { type IntentShape, intentShape } from '../../heads/supportShape.js';
import { RowStore } from '../../index/rowStore.js';
import type { ComparedTexts } from './checkedBot.js';

/** An intent's compared examples, summed up. */
export interface IntentMiddle {
  readonly shape: IntentShape;
  /** The length of the sum of its rows. */
  readonly length: number;
}

/** `[C]`: undefined for an intent without examples. */
export function intentMiddles({
  positions,
  embeddings,
  dimension: D,
}: ComparedTexts): (IntentMiddle | undefined)[] {
  let start = 0;
  return positions.slice(0, -1).map(({ length: n }) => {
    const rows = embeddings.subarray(start * D, (start + n) * D);
    start += n;
    if (n === 0) return undefined;
    const shape = intentShape(rows, D);
    // Of unit vectors |Σ x|² = n + n (n - 1) cohesion.
    return { shape, length: Math.sqrt(Math.max(0, n + n * (n - 1) * shape.cohesion)) };
  });
}

/** How an example lies to the middles of the intents. */
export interface Placement {
  /** The cosine to its own intent's middle, itself left out. */
  readonly own: number;
  /** The intent whose middle is the nearest besides, and the cosine to it; -1 where there is no other intent. */
  readonly otherIntent: number;
  readonly other: number;
}

/**
 * Each example against the middles of all intents. O(n C D) time, O(n + C D) memory.
 *
 * @returns `[n]`, undefined for an intent's only example and for counter-examples.
 */
export function placements(
  { positions, embeddings, dimension: D }: ComparedTexts,
  middles: readonly (IntentMiddle | undefined)[],
): (Placement | undefined)[] {
  const store = new RowStore(D);
  const filled = middles.flatMap((middle, intent) => (middle === undefined ? [] : [{ middle, intent }]));
  filled.forEach(({ middle }, row) => store.set(row, middle.shape.prototype));
  const columns = new Map(filled.map(({ intent }, column) => [intent, column]));
  let at = 0;
  return positions.flatMap((own, group) =>
    own.map((): Placement | undefined => {
      const x = embeddings.subarray(at * D, ++at * D);
      const column = columns.get(group);
      const middle = middles[group];
      if (column === undefined || middle === undefined || own.length < 2) return undefined;
      const cosines = store.innerProducts(x, filled.length);
      let best = -1;
      for (let c = 0; c < filled.length; c++) {
        if (c !== column && (best < 0 || cosines[c]! > cosines[best]!)) best = c;
      }
      // x · (Σ - x) / |Σ - x|
      const along = cosines[column]! * middle.length;
      const rest = Math.sqrt(Math.max(0, middle.length ** 2 - 2 * along + 1));
      return {
        own: rest === 0 ? 0 : (along - 1) / rest,
        otherIntent: best < 0 ? -1 : filled[best]!.intent,
        other: best < 0 ? -1 : cosines[best]!,
      };
    }),
  );
}
