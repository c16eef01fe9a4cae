import type { TokenInput } from './tokenInput.js';

/** Texts that go through the layers together, padded to one length. */
export interface Chunk {
  /** Positions among the texts. */
  readonly members: readonly number[];
  /** T, that of the longest. */
  readonly length: number;
}

/** Lengths that states are kept at, in tokens. Beyond the last: multiples of it. */
const LENGTHS = [8, 12, 16, 24, 32, 48, 64, 96, 128];

/** Tokens of a chunk, padding included: bounds the memory of a step, about 0.5 MB a token and two layers; more are no faster. */
const CHUNK_TOKENS = 1536;

/** T for a text of so many tokens. */
export function paddedLength(tokens: number): number {
  const last = LENGTHS.at(-1)!;
  return LENGTHS.find((length) => tokens <= length) ?? Math.ceil(tokens / last) * last;
}

/** Divides texts into chunks, the longest first, so that texts of about one length are together. */
export function chunksOf(texts: readonly Pick<TokenInput, 'ids'>[]): Chunk[] {
  const order = [...texts.keys()].sort((a, b) => texts[b]!.ids.length - texts[a]!.ids.length || a - b);
  const chunks: Chunk[] = [];
  for (let from = 0; from < order.length;) {
    const length = paddedLength(texts[order[from]!]!.ids.length);
    const members = order.slice(from, from + Math.max(1, Math.floor(CHUNK_TOKENS / length)));
    chunks.push({ members, length });
    from += members.length;
  }
  return chunks;
}
