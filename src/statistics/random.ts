import { createHash } from 'node:crypto';

/**
 * Seeded random numbers for everything that samples. A generator is split by label rather than shared: the child depends
 * on the seed and the labels on its way alone, never on how many numbers were drawn before. So episode 7,000 of a run can
 * be drawn without the 6,999 before it, which is what makes a resumed training equal an uninterrupted one.
 *
 * Numbers come from xoshiro128** (Blackman & Vigna 2018); keys and their splits from SHA-256.
 */
export class Random {
  readonly #key: Buffer;
  /** `[4]`, never all zero. */
  readonly #state: Uint32Array;

  constructor(seed: number | string) {
    this.#key = digest(`kshot ${typeof seed} ${seed}`);
    this.#state = stateOf(this.#key);
  }

  /** An independent generator; the same label gives the same one, whatever was drawn from this. */
  split(label: number | string): Random {
    return new Random(`${this.#key.toString('hex')}/${typeof label} ${label}`);
  }

  /** Uniform in [0, 2³²). */
  word(): number {
    const s = this.#state;
    const [s0, s1, s2, s3] = [s[0]!, s[1]!, s[2]!, s[3]!];
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    s[1] = s1 ^ t2;
    s[0] = s0 ^ t3;
    s[2] = t2 ^ (s1 << 9);
    s[3] = rotate(t3, 11);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    return ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53;
  }

  /** A uniform integer in [0, n). @throws RangeError unless n is an integer in [1, 2³²]. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new RangeError(`below(${n}): an integer from 1 to 2^32 is needed`);
    }
    // Numbers of the last, incomplete round of n are drawn again: they would favour the small ones.
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const word = this.word();
      if (word < limit) return word % n;
    }
  }

  /** A uniform integer in [min, max]. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** An integer in [min, max], min ≥ 1, whose logarithm is uniform: as many in 1..4 as in 5..24. */
  logUniform(min: number, max: number): number {
    const value = min * ((max + 1) / min) ** this.next();
    return Math.min(max, Math.floor(value)); // rounding may reach max + 1
  }

  /** k of the items in random order, none twice. @throws RangeError if there are fewer. */
  sample<T>(items: ArrayLike<T>, k: number): T[] {
    if (k > items.length) throw new RangeError(`sample: ${k} of ${items.length} items`);
    const pool = Array.from(items);
    for (let i = 0; i < k; i++) {
      const j = i + this.below(pool.length - i);
      [pool[i], pool[j]] = [pool[j]!, pool[i]!];
    }
    pool.length = k;
    return pool;
  }

  /** An index, each as probable as its weight. @throws RangeError unless some weight is positive. */
  weighted(weights: readonly number[]): number {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0 && total < Infinity)) throw new RangeError('weighted: no positive weight');
    let rest = this.next() * total;
    for (const [i, weight] of weights.entries()) {
      rest -= weight;
      if (rest < 0) return i;
    }
    return weights.findLastIndex((weight) => weight > 0); // what rounding has left
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function stateOf(key: Buffer): Uint32Array {
  const state = Uint32Array.from({ length: 4 }, (_, i) => key.readUInt32LE(4 * i));
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
