import type { Encoder } from '../encoder/encoder.js';
import type { EmbeddedText, Store } from '../store/store.js';

/** Texts that are embedded in one go, and written, where a store is brought up to an encoder. */
const EMBED_AT_ONCE = 128;

export interface EmbedMissingOptions {
  /** Told after each slice; never where nothing is missing. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Ends it between two slices, and drops the one that waits. */
  readonly signal?: AbortSignal;
  /** Runs what embeds a slice when it is this process's turn; at once by default. */
  readonly inTurn?: (work: () => Promise<number>) => Promise<number>;
}

/**
 * Gives every text of the store an embedding under this encoder. Each slice is durable: an interruption resumes. The embeddings
 * of other encoders stay.
 *
 * @returns how many texts were embedded.
 * @throws KshotError what the encoder and the store throw; the signal's reason.
 */
export async function embedMissing(
  encoder: Encoder,
  store: Store,
  { progress, signal, inTurn = (work) => work() }: EmbedMissingOptions = {},
): Promise<number> {
  const total = await store.countMissingEmbeddings(encoder.fingerprint);
  if (total === 0) return 0; // To look for them takes seconds where there are a million texts.
  let done = 0;
  for (;;) {
    signal?.throwIfAborted();
    const embedded = await inTurn(() => embedSlice(encoder, store, signal));
    if (embedded === 0) return done;
    progress?.((done += embedded), total);
  }
}

/** @returns how many texts were embedded; 0 where none is left. */
async function embedSlice(encoder: Encoder, store: Store, signal: AbortSignal | undefined): Promise<number> {
  signal?.throwIfAborted();
  const texts = await store.readMissingEmbeddings(encoder.fingerprint, EMBED_AT_ONCE);
  if (texts.length === 0) return 0;
  const { embeddings } = await encoder.encode(
    texts.map(({ text }) => text),
    { background: true, ...(signal && { signal }) },
  );
  const ids = texts.map(({ id }) => id);
  await store.writeEmbeddings(encoder.fingerprint, ids, embeddings);
  return texts.length;
}

/**
 * Embeddings `[D]` by text. A long list goes to the encoder slice by slice, so that it shares the passes with requests: it
 * neither waits for them all nor keeps them all waiting.
 *
 * @param signal ends it between two slices, and drops the one that waits.
 * @throws KshotError what the encoder throws; the signal's reason.
 */
export async function embedTexts(
  encoder: Encoder,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, Float32Array>> {
  const distinct = [...new Set(texts)];
  const D = encoder.dimension;
  const byText = new Map<string, Float32Array>();
  for (let from = 0; from < distinct.length; from += EMBED_AT_ONCE) {
    const slice = distinct.slice(from, from + EMBED_AT_ONCE);
    const { embeddings } = await encoder.encode(slice, signal && { signal });
    slice.forEach((text, i) => byText.set(text, embeddings.slice(i * D, (i + 1) * D)));
  }
  return byText;
}

/** Puts a text beside its embedding, which must be there. */
export function withEmbeddings(
  embeddings: ReadonlyMap<string, Float32Array>,
): (text: string) => EmbeddedText {
  return (text) => ({ text, embedding: embeddings.get(text)! });
}
