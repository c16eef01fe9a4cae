import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BotContents } from '../../store/store.js';
import type { Decision } from '../decide.js';
import type { EvaluationRow } from '../evaluationTypes.js';
import { dealFolds, embeddingsAt, foldOf, judgedTexts } from './folds.js';

/** Texts that are judged in one go: one padded pass of the head. Requests have their turn in between. */
const TEXTS_A_STEP = 32;

/** A text, and what is right for it. */
export interface LabelledText {
  readonly text: string;
  /** Null: out of scope. */
  readonly expected: string | null;
}

/** A bot as it is served, adapted and calibrated, that nobody writes to. */
export interface JudgedBot {
  /** What it answers. @param embeddings `[Q, D]`, unit length. @throws the signal's reason. */
  read(embeddings: Float32Array, signal: AbortSignal): Promise<readonly Decision[]>;
  dispose(): void;
}

export interface JudgeOptions {
  /** D of the embeddings. */
  readonly dimension: number;
  /** Brings a bot to life. @throws the signal's reason. */
  readonly enliven: (contents: BotContents, signal: AbortSignal) => Promise<JudgedBot>;
  readonly signal: AbortSignal;
  /** Told how many more texts have been judged. */
  readonly judged: (texts: number) => void;
}

/**
 * Judges a bot on texts of its own that it was not shown: each fold is held out once from a bot that has the others.
 * Nothing is encoded.
 *
 * @returns by intent, the counter-examples, which are to be out of scope, last.
 */
export async function crossValidate(
  contents: BotContents,
  { folds, seed }: { readonly folds: number; readonly seed: number },
  options: JudgeOptions,
): Promise<EvaluationRow[]> {
  const { dimension, signal } = options;
  const dealt = dealFolds(contents, folds, seed);
  const byPosition = new Map<number, EvaluationRow>();
  for (let fold = 0; fold < folds; fold++) {
    const { kept, heldOut } = foldOf(contents, dealt, fold, dimension);
    if (heldOut.length === 0) continue; // fewer texts than folds
    signal.throwIfAborted();
    const labelled = heldOut.map((at): LabelledText => {
      const { text, intent } = contents.texts[at]!;
      return { text, expected: intent };
    });
    const embed = (from: number, to: number) =>
      Promise.resolve(embeddingsAt(contents, heldOut.slice(from, to), dimension));
    const rows = await judge(kept, labelled, embed, options);
    heldOut.forEach((at, i) => byPosition.set(at, rows[i]!));
  }
  return judgedTexts(contents).map((at) => byPosition.get(at)!);
}

/**
 * Judges a bot on labelled texts.
 *
 * @param embed the embeddings `[to - from, D]` of a range of the texts.
 * @returns row for row with `labelled`.
 */
export async function judge(
  contents: BotContents,
  labelled: readonly LabelledText[],
  embed: (from: number, to: number) => Promise<Float32Array>,
  { enliven, signal, judged }: JudgeOptions,
): Promise<EvaluationRow[]> {
  const bot = await enliven(contents, signal);
  try {
    const rows: EvaluationRow[] = [];
    for (let from = 0; from < labelled.length; from += TEXTS_A_STEP) {
      await nextTurn();
      signal.throwIfAborted();
      const step = labelled.slice(from, from + TEXTS_A_STEP);
      const decisions = await bot.read(await embed(from, from + step.length), signal);
      step.forEach((text, i) => rows.push(rowOf(text, decisions[i]!)));
      judged(step.length);
    }
    return rows;
  } finally {
    bot.dispose();
  }
}

/** What became of a text. */
export function rowOf(
  { text, expected }: LabelledText,
  decision: Pick<Decision, 'intent' | 'confidence' | 'in_scope' | 'ranking'>,
): EvaluationRow {
  const { intent: answered, confidence, in_scope, ranking } = decision;
  return {
    text,
    expected,
    answered,
    best: ranking[0]?.intent ?? null,
    confidence,
    in_scope,
    correct: answered === expected,
  };
}
