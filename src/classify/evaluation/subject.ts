import type { Encoder } from '../../encoder/encoder.js';
import type { BotContents, Store } from '../../store/store.js';
import { embedTexts } from '../embedTexts.js';
import type { LabelledText } from './judge.js';

/** What is to be judged, as it was when that was asked for, and how: JSON, for another process may do it. */
export interface Subject {
  /** That it is; null: the bot as it was then. */
  readonly version: string | null;
  readonly contents: Omit<BotContents, 'embeddings'>;
  /** How its own texts are dealt; or texts that it was not given. */
  readonly on:
    { readonly folds: number; readonly seed: number } | { readonly labelled: readonly LabelledText[] };
}

/**
 * The contents to be judged with their embeddings, which are those that the store has of the bot, or of the version. A text that was
 * deleted meanwhile is encoded.
 *
 * @throws KshotError what the encoder and the store throw; the signal's reason.
 */
export async function embeddedContents(
  bot: string,
  { version, contents }: Subject,
  { store, encoder }: { readonly store: Store; readonly encoder: Encoder },
  signal: AbortSignal,
): Promise<BotContents> {
  const D = encoder.dimension;
  const present =
    version === null
      ? await store.readBot(bot, encoder.fingerprint)
      : await store.readVersion(bot, version, encoder.fingerprint);
  const known = new Map(present?.texts.map(({ text }, at) => [text, at]));
  const missing = contents.texts.map(({ text }) => text).filter((text) => !known.has(text));
  const encoded = await embedTexts(encoder, missing, signal);
  const embeddings = new Float32Array(contents.texts.length * D); // [texts, D]
  contents.texts.forEach(({ text }, row) => {
    const at = known.get(text);
    const embedding =
      at === undefined ? encoded.get(text)! : present!.embeddings.subarray(at * D, (at + 1) * D);
    embeddings.set(embedding, row * D);
  });
  return { ...contents, embeddings };
}
