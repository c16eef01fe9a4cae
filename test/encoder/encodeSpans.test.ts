import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { CharacterSpan, SpanEncoder } from '../../src/encoder/encoder.js';
import { loadEncoder } from '../../src/encoder/load.js';
import { writeTinyModel, type TinyModel } from './tinyModel.js';

const directories: string[] = [];
const encoders: SpanEncoder[] = [];

afterEach(async () => {
  for (const encoder of encoders.splice(0)) await encoder.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

async function load(model: string): Promise<SpanEncoder> {
  const encoder = await loadEncoder({ model, device: 'cpu', threads: 1, cacheBytes: 0 });
  encoders.push(encoder);
  return encoder;
}

function tiny(changes: Partial<TinyModel> = {}): Promise<SpanEncoder> {
  const directory = writeTinyModel(changes);
  directories.push(directory);
  return load(directory);
}

/** Where words stand in a text. */
function spanOf(text: string, words: string): CharacterSpan {
  const start = text.indexOf(words);
  return [start, start + words.length];
}

/** `[rows][1 + S][D]`, to four digits. */
async function statesOf(
  encoder: SpanEncoder,
  asked: readonly (readonly [text: string, ...spans: string[]])[],
): Promise<number[][][]> {
  const spans = asked.map(([text, ...words]) => words.map((word) => spanOf(text, word)));
  const { rows, states } = await encoder.encodeSpans(
    asked.map(([text]) => text),
    spans,
  );
  expect(rows).toBe(asked.length);
  const each = [...states].map((x) => Math.round(x * 1e4) / 1e4);
  const perRow = states.length / rows;
  return asked.map((_, row) =>
    Array.from({ length: perRow / encoder.dimension }, (_, s) =>
      each.slice(row * perRow + s * encoder.dimension, row * perRow + (s + 1) * encoder.dimension),
    ),
  );
}

describe('a small model whose states are known', () => {
  test('a text’s embedding comes first, then the mean state of each span', async () => {
    const longer = 'north east west east east east';
    expect(
      await statesOf(await tiny(), [
        [longer, 'north', 'west', 'north east'],
        ['east north', 'east', 'north', 'east north'],
      ]),
    ).toEqual([
      // east 4, west 1, north 1: (3, 1)
      [
        [0.9487, 0.3162],
        [0, 1],
        [-1, 0],
        [0.7071, 0.7071],
      ],
      [
        [0.7071, 0.7071],
        [1, 0],
        [0, 1],
        [0.7071, 0.7071],
      ],
    ]);
  });

  test('a span that is cut off has the text in its place; of one that is cut in two, the rest counts', async () => {
    const encoder = await tiny({ config: { max_position_embeddings: 4 } }); // two words and two special tokens
    const texts = ['east east north north', 'east north west west'] as const;
    const { truncated } = await encoder.encodeSpans(texts, [[], []]);
    expect(truncated).toEqual([true, true]);
    expect(
      await statesOf(encoder, [
        [texts[0], 'north', ''],
        [texts[1], 'north west', 'west west'],
      ]),
    ).toEqual([
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
      [
        [0.7071, 0.7071],
        [0, 1],
        [0.7071, 0.7071],
      ],
    ]);
  });

  test('lists of spans that do not fit the texts are refused', async () => {
    const encoder = await tiny();
    await expect(encoder.encodeSpans(['east', 'west'], [[[0, 4]]])).rejects.toThrow(RangeError);
    await expect(encoder.encodeSpans(['east', 'west'], [[[0, 4]], []])).rejects.toThrow(RangeError);
    expect((await encoder.encodeSpans([], [])).states).toHaveLength(0);
  });

  test('it can be cancelled; closing finishes what was asked for and takes no more', async () => {
    const encoder = await tiny();
    const signal = AbortSignal.abort();
    await expect(encoder.encodeSpans(['east'], [[[0, 4]]], { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    const many = Array.from({ length: 200 }, () => 'east north');
    const asked = encoder.encodeSpans(
      many,
      many.map(() => [[0, 4]]),
    );
    const closing = encoder.close();
    await expect(encoder.encodeSpans(['east'], [[[0, 4]]])).rejects.toMatchObject({ code: 'not_ready' });
    expect((await asked).states).toHaveLength(200 * 2 * 2);
    await closing;
  });
});

describe('the shipped encoder', () => {
  // The compiled test runs from dist/test/encoder.
  const MODEL = fileURLToPath(new URL('../../../models/encoder', import.meta.url));

  test('a text has the embedding that it has without spans, and its states in any batch', async () => {
    const encoder = await load(MODEL);
    const asked = [
      ['The Danube flows through Vienna .', 'Danube', 'Vienna'],
      ['Unbelievably , Wolfgang Amadeus Mozart was born in Salzburg', 'Wolfgang Amadeus Mozart', 'Salzburg'],
      [`${'and so on '.repeat(30)}until Rome`, 'and', 'Rome'],
    ] as const;
    const together = await statesOf(encoder, asked);
    const plain = await encoder.encode(asked.map(([text]) => text));
    for (const [i, row] of together.entries()) {
      expect((await statesOf(encoder, [asked[i]!]))[0]).toEqual(row);
      const embedding = plain.embeddings.subarray(i * 384, (i + 1) * 384);
      expect(row[0]).toEqual([...embedding].map((x) => Math.round(x * 1e4) / 1e4));
    }
  });
});
