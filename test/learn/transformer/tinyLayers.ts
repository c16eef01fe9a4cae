import { toFloat16 } from '../../../src/heads/float16.js';
import { Random } from '../../../src/statistics/random.js';
import { type Bert, writeBertWeights } from '../../../src/learn/transformer/bert.js';
import type { TokenInput } from '../../../src/learn/transformer/tokenInput.js';
import type { LowerLayers } from '../../../src/learn/transformer/tokenStates.js';
import { forwardPass } from './forwardPass.js';
import { writeTinyBert } from './tinyBert.js';

/** The first layers of a BERT by the equations, which count what they are asked for. */
export class CountingLayers implements LowerLayers {
  readonly width: number;
  readonly longest: number;
  /** The texts of each call, as ids. */
  readonly seen: string[][] = [];

  constructor(
    private readonly bert: Bert,
    private readonly layers: number,
    readonly fingerprint = 'tiny',
  ) {
    this.width = bert.shape.width;
    this.longest = bert.shape.positions;
  }

  run(texts: readonly (readonly number[])[], length: number): Promise<Uint16Array> {
    this.seen.push(texts.map((ids) => ids.join(' ')));
    const states = new Float32Array(texts.length * length * this.width).fill(PADDING);
    for (const [row, ids] of texts.entries()) {
      states.set(forwardPass(this.bert, ids, this.layers).flat(), row * length * this.width);
    }
    return Promise.resolve(toFloat16(states));
  }
}

/** What stands where there is no token: nothing may depend on it. */
const PADDING = 3.5;

/** The token ids of a text of the tiny tokenizer's words. */
function idsOf(text: string): number[] {
  return [1, ...text.split(' ').map((word) => Number(word.slice(1))), 2];
}

/** A text as a whole. */
export function sentence(text: string): TokenInput {
  const ids = idsOf(text);
  return { ids, parts: [[0, ids.length]] };
}

/** A text, its first word and its last, as of a relation. */
export function withEntities(text: string): TokenInput {
  const ids = idsOf(text);
  return {
    ids,
    parts: [
      [0, ids.length],
      [1, 2],
      [ids.length - 2, ids.length - 1],
    ],
  };
}

/**
 * The BERT with states before its first layer, and with `idle` first layers that do nothing before the next, that half precision
 * can hold: 1 and -1. In few dimensions, of which each has much of an embedding's length, what it rounds off shows.
 */
export function withExactStates(bert: Bert, idle = 0): Bert {
  const { width, vocabulary } = bert.shape;
  const random = new Random(5);
  // As many ones as minus ones: mean 0, variance 1, so that a normalisation leaves them as they are.
  const balanced = Array.from({ length: width }, (_, d) => (d % 2 === 0 ? 1 : -1));
  const signs = Array.from({ length: vocabulary }, () => random.sample(balanced, width)).flat();
  const valueOf = (name: string): ((old: number, i: number) => number) => {
    const fixed = name.startsWith('embeddings.') || Number(name.split('.')[2]) < idle;
    if (!fixed || /(self|intermediate)\./.test(name)) return (old) => old;
    if (name.includes('word_embeddings')) return (_, i) => signs[i]!;
    return () => (name.endsWith('LayerNorm.weight') ? 1 : 0);
  };
  const tensors = [...bert.tensors].map(([name, { shape, data }]) => {
    return [name, { shape, data: data.map(valueOf(name)) }] as const;
  });
  return { shape: bert.shape, tensors: new Map(tensors) };
}

/** Writes a tiny BERT of two layers, of which the first does nothing: see `withExactStates`. */
export async function writeExactBert(folder: string, seed: number): Promise<void> {
  const bert = await writeTinyBert(folder, seed, { layers: 2 });
  await writeBertWeights(folder, withExactStates(bert, 1), 'F32');
}
