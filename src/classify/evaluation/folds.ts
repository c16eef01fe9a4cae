import { Random } from '../../statistics/random.js';
import type { BotContents, StoredText } from '../../store/store.js';

/** Parts that texts may be dealt to. */
export const FOLDS = { fewest: 2, most: 10, usual: 5 } as const;

/** A bot without some of its texts, and those. */
export interface Fold {
  /** The bot as it is to answer: every intent keeps its label, so that one that has lost all its examples is known by it. */
  readonly kept: BotContents;
  /** Positions in `contents.texts`. */
  readonly heldOut: readonly number[];
}

/** What is judged of a bot, by intent, in the order of the intents, and the counter-examples last: positions in `contents.texts`. */
export function judgedTexts({ intents, texts }: BotContents): number[] {
  const byIntent = new Map<string | null, number[]>(intents.map(({ name }) => [name, []]));
  byIntent.set(null, []);
  texts.forEach(({ kind, intent }, at) => {
    if (kind === 'example' || kind === 'counterexample') byIntent.get(intent)!.push(at);
  });
  return [...byIntent.values()].flat();
}

/**
 * Deals a bot's examples and counter-examples to folds, so that each fold has as even a part of every intent, and of the
 * counter-examples, as can be. Texts that are added later leave those before them where they are, so that two evaluations
 * differ by what was changed and not by the luck of the deal.
 *
 * @param seed the same seed deals the same texts alike.
 * @returns the fold of each position in `contents.texts`; of a label -1.
 */
export function dealFolds(contents: BotContents, folds: number, seed: number): Int32Array {
  const random = new Random(seed);
  const all = Array.from({ length: folds }, (_, fold) => fold);
  const foldOf = new Int32Array(contents.texts.length).fill(-1);
  const strata = new Map<string | null, { readonly random: Random; dealt: number; round: number[] }>();
  for (const at of judgedTexts(contents)) {
    const { intent } = contents.texts[at]!;
    const stratum = strata.get(intent) ?? { random: random.split(intent ?? 0), dealt: 0, round: [] };
    strata.set(intent, stratum);
    // Round by round each fold gets one text.
    const place = stratum.dealt++ % folds;
    if (place === 0) stratum.round = stratum.random.sample(all, folds);
    foldOf[at] = stratum.round[place]!;
  }
  return foldOf;
}

/** One of the folds that texts have been dealt to. @param dimension D of the embeddings. */
export function foldOf(contents: BotContents, dealt: Int32Array, fold: number, dimension: number): Fold {
  const heldOut: number[] = [];
  const kept: number[] = [];
  dealt.forEach((of, at) => (of === fold ? heldOut : kept).push(at));
  const texts: StoredText[] = kept.map((at) => contents.texts[at]!);
  return {
    kept: { ...contents, texts, embeddings: embeddingsAt(contents, kept, dimension) },
    heldOut,
  };
}

/** The embeddings `[positions.length, D]` of some of a bot's texts. */
export function embeddingsAt(
  { embeddings }: BotContents,
  positions: readonly number[],
  D: number,
): Float32Array {
  const rows = new Float32Array(positions.length * D);
  positions.forEach((at, row) => rows.set(embeddings.subarray(at * D, (at + 1) * D), row * D));
  return rows;
}
