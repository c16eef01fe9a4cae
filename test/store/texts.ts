import type { EmbeddedText, IntentInput } from '../../src/store/store.js';

/** D in these tests. */
export const WIDTH = 3;

/** A made-up embedding `[WIDTH]` that tells texts and encoders apart: FNV-1a, continued for each dimension. */
export function vectorOf(text: string, fingerprint: string): Float32Array {
  let hash = 0x811c9dc5;
  const absorb = (unit: number): void => {
    hash = Math.imul(hash ^ unit, 0x01000193) >>> 0;
  };
  for (const unit of Buffer.from(`${fingerprint}\n${text}`, 'utf16le')) absorb(unit);
  return Float32Array.from({ length: WIDTH }, (_, dimension) => {
    absorb(dimension);
    return hash / 2 ** 31 - 1;
  });
}

/** `[texts.length, WIDTH]` */
export function vectorsOf(texts: readonly string[], fingerprint: string): Float32Array {
  const vectors = new Float32Array(texts.length * WIDTH);
  for (const [row, text] of texts.entries()) vectors.set(vectorOf(text, fingerprint), row * WIDTH);
  return vectors;
}

export function embedded(text: string, fingerprint: string): EmbeddedText {
  return { text, embedding: vectorOf(text, fingerprint) };
}

/** An intent whose label is its description, or its name where it has none. */
export function intentInput(
  name: string,
  examples: readonly string[],
  fingerprint: string,
  description: string | null = null,
): IntentInput {
  return {
    name,
    description,
    label: embedded(description ?? name, fingerprint),
    examples: examples.map((text) => embedded(text, fingerprint)),
  };
}
