import type { Encoder } from '../encoder/encoder.js';
import type { EmbeddedText, Store } from '../store/store.js';

/** Texts that are embedded in one go, and written, where a store is brought up to an encoder. */
const EMBED_AT_ONCE = 128;

/**
 * Gives every text of the store an embedding under this encoder. Each slice is durable: an interruption resumes. When
 * texts were embedded, the embeddings of other encoders are deleted.
 *
 * @param progress told after each slice; never where nothing is missing.
 * @param kept fingerprints of other encoders whose embeddings stay.
 * @returns how many texts were embedded.
 * @throws KshotError what the encoder and the store throw.
 */
export async function embedMissing(
  encoder: Encoder,
  store: Store,
  progress: ((done: number, total: number) => void) | undefined,
  kept: readonly string[] = [],
): Promise<number> {
  const { fingerprint } = encoder;
  const total = await store.countMissingEmbeddings(fingerprint);
  if (total === 0) return 0; // To look for them takes seconds where there are a million texts.
  let done = 0;
  for (;;) {
    const texts = await store.readMissingEmbeddings(fingerprint, EMBED_AT_ONCE);
    if (texts.length === 0) break;
    const { embeddings } = await encoder.encode(
      texts.map(({ text }) => text),
      { background: true },
    );
    const ids = texts.map(({ id }) => id);
    await store.writeEmbeddings(fingerprint, ids, embeddings);
    progress?.((done += texts.length), total);
  }
  await store.deleteOtherEmbeddings(fingerprint, ...kept);
  return done;
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
