import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CharacterSpan, EncodedSpans } from '../../src/encoder/encoder.js';
import { relationText } from '../../src/learn/datasets/entities.js';
import { TextSetBuilder, type TextSet } from '../../src/learn/datasets/textSet.js';
import { EmbeddingCache } from '../../src/learn/embeddingCache.js';
import { embedRelations, relationFingerprint } from '../../src/learn/relationEmbedding.js';
import { setOf } from './textSets.js';

/** Two dimensions; an embedding is the direction whose degrees are the text's length, a span's those of its place. */
class CompassEncoder {
  readonly name = 'compass';
  readonly dimension = 2;
  readonly seen: string[] = [];

  constructor(readonly fingerprint = 'compass-1') {}

  encodeSpans(texts: readonly string[], spans: readonly (readonly CharacterSpan[])[]): Promise<EncodedSpans> {
    const degrees = texts.flatMap((text, row) => {
      this.seen.push([text, ...spans[row]!.map((span) => text.slice(...span))].join('|'));
      return [text.length, ...spans[row]!.map(([start, end]) => 10 * start + end)];
    });
    return Promise.resolve({
      rows: texts.length,
      states: Float32Array.from(degrees.flatMap((angle) => direction(angle))),
      truncated: texts.map(() => false),
    });
  }
}

const direction = (degrees: number): [number, number] => [
  Math.cos((degrees * Math.PI) / 180),
  Math.sin((degrees * Math.PI) / 180),
];

const TOKENS = ['Mozart', 'of', 'Salzburg', ',', 'of', 'Austria', ',', 'Mozart'];

/** Two relations of one sentence; the head of the first is mentioned twice. */
function relations(): TextSet {
  const builder = new TextSetBuilder('toy relations');
  const add = (label: string, head: number[][], tail: number[][]) => {
    const { text, entities } = relationText(
      TOKENS,
      { id: 'h', mentions: head },
      { id: 't', mentions: tail },
      false,
    );
    builder.add(label, text, 'here', entities);
  };
  add('born in', [[0], [7]], [[2]]);
  add('capital of', [[2]], [[5]]);
  return builder.finish();
}

let directory: string;
let open: EmbeddingCache[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-relations-'));
  open = [];
});

afterEach(() => {
  for (const cache of open) cache.close();
  rmSync(directory, { recursive: true });
});

/** A cache of its own, as another process would have. */
function opened(): EmbeddingCache {
  for (const cache of open) cache.close();
  const cache = new EmbeddingCache(directory);
  open.push(cache);
  return cache;
}

describe('embedRelations', () => {
  test('joins sentence, head and tail, of equal weight, to a row of unit length', async () => {
    const set = relations();
    const embedded = await embedRelations(set, new CompassEncoder(), opened());
    expect(embedded.set).toBe(set);
    expect(embedded.dimension).toBe(6);
    expect(embedded.outOfScope).toHaveLength(0);
    expect(embedded.names).toEqual(new Float32Array(2 * 6));
    // "Mozart of Salzburg , of Austria , Mozart" has 40 characters: Mozart at 0 to 6, Salzburg 10 to 18, Austria 24 to 31.
    const rows = [
      [40, 6, 118],
      [40, 118, 271],
    ].map((degrees) => degrees.flatMap((angle) => direction(angle)).map((x) => x / Math.sqrt(3)));
    for (const [i, expected] of rows.flat().entries())
      expect(embedded.embeddings[i]).toBeCloseTo(expected, 6);
    for (const from of [0, 6]) {
      const row = embedded.embeddings.subarray(from, from + 6);
      expect(row.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 6);
    }
  });

  test('embeds a sentence once for each pair of entities, ever', async () => {
    const first = new CompassEncoder();
    const told: number[][] = [];
    const progress = (done: number, total: number) => told.push([done, total]);
    const { embeddings } = await embedRelations(relations(), first, opened(), { progress });
    const text = TOKENS.join(' ');
    expect(first.seen).toEqual([`${text}|Mozart|Salzburg`, `${text}|Salzburg|Austria`]);
    expect(told).toEqual([
      [0, 2],
      [2, 2],
    ]);
    const again = new CompassEncoder();
    expect((await embedRelations(relations(), again, opened())).embeddings).toEqual(embeddings);
    expect(again.seen).toEqual([]);
  });

  test('hands the signal on', async () => {
    const signals: unknown[] = [];
    class Listening extends CompassEncoder {
      override encodeSpans(...asked: [...Parameters<CompassEncoder['encodeSpans']>, options?: unknown]) {
        signals.push(asked[2]);
        return super.encodeSpans(asked[0], asked[1]);
      }
    }
    const { signal } = new AbortController();
    await embedRelations(relations(), new Listening(), opened(), { signal });
    expect(signals).toEqual([{ signal }]);
  });

  test('a set whose texts have no entities is refused by its name', async () => {
    const cache = opened();
    const refused = { code: 'invalid_configuration', message: expect.stringContaining('toy') as unknown };
    await expect(embedRelations(setOf([2, 2]), new CompassEncoder(), cache)).rejects.toMatchObject(refused);
    const outside = { ...relations(), outOfScope: ['none of these'] };
    await expect(embedRelations(outside, new CompassEncoder(), cache)).rejects.toMatchObject(refused);
  });
});

test('the space is another than the encoder’s, and than that of another encoder', () => {
  const [one, two] = ['compass-1', 'compass-2'].map((fingerprint) => relationFingerprint({ fingerprint }));
  expect(new Set([one, two, 'compass-1', 'compass-2']).size).toBe(4);
  expect(one).toContain('compass-1');
});
