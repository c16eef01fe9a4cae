import { dot } from '../../heads/supportShape.js';
import { rounded } from '../rounded.js';
import { type CheckedBot, type ComparedRow, foundText } from './checkedBot.js';
import { FEWEST } from './fewExamples.js';
import type { Finding, FoundPair, FoundText } from './finding.js';
import type { IntentMiddle } from './intentMiddles.js';
import type { Surroundings } from './surroundings.js';

/**
 * Two intents overlap when the mean cosine across them is nearly that within them, 1 being no difference, and when for some
 * of their examples the nearest neighbour is in the other. An intent of 16 examples that is split at random into two is at 1.0
 * in the median and beyond SURELY always, with shares from 0.12 on (36 of BANKING77, CLINC150 and HWU64); of the demo bot's 20
 * intents, split into four and four, 16 are beyond SURELY and 19 beyond PERHAPS. Of all pairs of intents in those sets at 10 and 20
 * examples, 2,016 to 11,175, up to 6 are beyond SURELY, such as "user name" and "what is your name", and up to 16 beyond PERHAPS; of
 * the demo bot's 190 none and two.
 */
const SURELY = 0.9;
const PERHAPS = 0.8;
const SHARE = 0.1;

/** Pairs of examples that a finding shows. */
const MOST_PAIRS = 5;

/**
 * Pairs of intents that cannot be told apart by their examples. Only pairs are looked at between which a nearest neighbour
 * crosses: O(n) of them.
 *
 * @param rows `[n]`
 * @param middles `[C]`
 * @returns one finding a pair, the worst first, with the pairs of examples that lie nearest.
 */
export function overlaps(
  { intents }: CheckedBot,
  rows: readonly ComparedRow[],
  middles: readonly (IntentMiddle | undefined)[],
  { own, other, otherRow }: Surroundings,
): Finding[] {
  const C = intents.length;
  const crossing = new Map<number, number[]>(); // the two intents in one number to rows of either
  rows.forEach(({ group }, row) => {
    if (group === C || other[row]! <= own[row]!) return;
    const rival = rows[otherRow[row]!]!.group;
    const key = Math.min(group, rival) * C + Math.max(group, rival);
    const list = crossing.get(key);
    if (list === undefined) crossing.set(key, [row]);
    else list.push(row);
  });
  const found = [...crossing].flatMap(([key, strays]) => {
    const [a, b] = [Math.floor(key / C), key % C];
    const ratio = mixture(middles[a]!, middles[b]!);
    const share = strays.length / (middles[a]!.shape.rows + middles[b]!.shape.rows);
    return ratio >= PERHAPS && share >= SHARE ? [{ a, b, ratio, share, strays }] : [];
  });
  return found
    .toSorted((x, y) => y.ratio - x.ratio)
    .map(({ a, b, ratio, share, strays }): Finding => {
      const [first, second] = [intents[a]!.name, intents[b]!.name];
      return {
        code: 'overlapping_intents',
        severity: ratio >= SURELY ? 'warning' : 'info',
        message:
          `${first} and ${second} ${ratio >= SURELY ? 'overlap' : 'come close'}: examples across them are ${ratio.toFixed(2)} times as ` +
          `near as those within, and for ${Math.round(100 * share)} % the nearest is in the other`,
        advice:
          'Merge them, or say what tells them apart and give both examples in which it shows; move the pairs that are named.',
        intents: [first, second],
        ...pairsOf(strays),
      };
    });

  /** The pairs of examples that lie nearest, each once. */
  function pairsOf(strays: readonly number[]): { examples: FoundText[]; pairs: FoundPair[] } {
    const examples: FoundText[] = [];
    const pairs: FoundPair[] = [];
    const position = new Map<number, number>();
    const place = (row: number): number => {
      const known = position.get(row);
      if (known !== undefined) return known;
      const { group, text } = rows[row]!;
      examples.push(foundText(text, intents[group]!.name));
      position.set(row, examples.length - 1);
      return examples.length - 1;
    };
    const seen = new Set<string>();
    for (const row of strays.toSorted((x, y) => other[y]! - other[x]!)) {
      const neighbour = otherRow[row]!;
      const key = `${Math.min(row, neighbour)} ${Math.max(row, neighbour)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      pairs.push({ first: place(row), second: place(neighbour), similarity: rounded(other[row]!) });
      if (pairs.length === MOST_PAIRS) break;
    }
    return { examples, pairs };
  }
}

/** The mean cosine across two intents over the geometric mean of those within them; 0 where there are too few to tell. */
function mixture(a: IntentMiddle, b: IntentMiddle): number {
  if (Math.min(a.shape.rows, b.shape.rows) < FEWEST) return 0;
  const within = Math.sqrt(Math.max(0, a.shape.cohesion) * Math.max(0, b.shape.cohesion));
  if (within === 0) return 0;
  const across =
    (dot(a.shape.prototype, b.shape.prototype) * a.length * b.length) / (a.shape.rows * b.shape.rows);
  return across / within;
}
