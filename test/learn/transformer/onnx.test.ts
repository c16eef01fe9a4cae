import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromFloat16 } from '../../../src/heads/float16.js';
import {
  EMBEDDING,
  encoderModel,
  lowerLayersModel,
  observedModel,
  TOKEN_STATES,
} from '../../../src/learn/transformer/onnx/bertGraph.js';
import { calibrate } from '../../../src/learn/transformer/onnx/calibrate.js';
import { fp32, q8f16 } from '../../../src/learn/transformer/onnx/floatingPoint.js';
import { int8 } from '../../../src/learn/transformer/onnx/int8.js';
import {
  affineOf,
  quantiseAffine,
  quantiseRows,
  rangeOf,
} from '../../../src/learn/transformer/onnx/quantise.js';
import { TokenGraph } from '../../../src/learn/transformer/onnx/tokenGraph.js';
import type { Precision } from '../../../src/learn/transformer/onnx/arithmetic.js';
import { Random } from '../../../src/statistics/random.js';
import { forwardPass, unitMean } from './forwardPass.js';
import { tinyBert } from './tinyBert.js';

const BERT = tinyBert(1);
const { width: D, vocabulary, layers } = BERT.shape;

/** Token ids of texts of 3 to 12 tokens. */
function tokensOf(seed: number, n: number): number[][] {
  const random = new Random(seed);
  return Array.from({ length: n }, () => [
    1,
    ...Array.from({ length: random.between(1, 10) }, () => random.between(4, vocabulary - 1)),
    2,
  ]);
}

const TEXTS = tokensOf(2, 12);

/** Rows side by side, filled up on the right with `filler`. */
function padded(
  texts: readonly (readonly number[])[],
  filler = 0,
  length = Math.max(...texts.map((t) => t.length)),
) {
  const at = (t: number) => (text: readonly number[]) => text[t];
  const positions = Array.from({ length }, (_, t) => at(t));
  return {
    rows: texts.length,
    ids: texts.flatMap((text) => positions.map((id) => id(text) ?? filler)),
    mask: texts.flatMap((text) => positions.map((id) => (id(text) === undefined ? 0 : 1))),
  };
}

async function embeddings(
  graph: TokenGraph,
  rows: Parameters<TokenGraph['run']>[0],
): Promise<Float32Array[]> {
  const { data } = (await graph.run(rows, [EMBEDDING]))[EMBEDDING];
  return Array.from({ length: rows.rows }, (_, row) => (data as Float32Array).slice(row * D, (row + 1) * D));
}

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  expect(found.length).toBe(expected.length);
  const worst = Math.max(...Array.from(found, (x, i) => Math.abs(x - expected[i]!)));
  expect(worst).toBeLessThan(within);
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
}

async function rangesOf() {
  return (await calibrate(BERT, tokensOf(3, 60))).ranges;
}

describe.each<readonly [name: string, () => Promise<Precision>]>([
  ['fp32', () => Promise.resolve(fp32)],
  ['q8f16', () => Promise.resolve(q8f16)],
  ['int8', async () => int8(await rangesOf())],
])('the graph in %s', (name, open) => {
  let graph: TokenGraph;
  beforeAll(async () => {
    graph = await TokenGraph.open(encoderModel(BERT, await open()));
  });
  afterAll(() => graph.close());
  const exact = name !== 'q8f16';

  test('embeds a text alone as among others, whatever fills the rows up', async () => {
    const together = await embeddings(graph, padded(TEXTS));
    const otherwise = await embeddings(graph, padded(TEXTS, 7, 20));
    for (const [i, ids] of TEXTS.entries()) {
      const [alone] = await embeddings(graph, { rows: 1, ids });
      expectNear(together[i]!, alone!, exact ? 1e-5 : 1e-3);
      expectNear(otherwise[i]!, alone!, exact ? 1e-5 : 1e-3);
    }
  });

  test('is near the equations', async () => {
    const found = await embeddings(graph, padded(TEXTS));
    const cosines = TEXTS.map((ids, i) => cosine(found[i]!, unitMean(forwardPass(BERT, ids))));
    expect(Math.min(...cosines)).toBeGreaterThan({ fp32: 1 - 1e-6, q8f16: 0.9995, int8: 0.99 }[name]!);
  });

  test('has outputs of float32, whose lengths are 1', async () => {
    const outputs = await graph.run(padded(TEXTS), [EMBEDDING, TOKEN_STATES]);
    expect(outputs[EMBEDDING]).toMatchObject({ shape: [12, D], data: expect.any(Float32Array) });
    expect(outputs[TOKEN_STATES]).toMatchObject({ shape: [12, 12, D], data: expect.any(Float32Array) });
    for (const row of await embeddings(graph, padded(TEXTS))) expect(cosine(row, row)).toBeCloseTo(1, 5);
  });
});

test('states in float32 are those of the equations', async () => {
  const graph = await TokenGraph.open(encoderModel(BERT, fp32));
  for (const ids of TEXTS) {
    const { [TOKEN_STATES]: states } = await graph.run({ rows: 1, ids }, [TOKEN_STATES]);
    expectNear(states.data, forwardPass(BERT, ids).flat(), 2e-5);
  }
  await graph.close();
});

describe('the first layers', () => {
  test.each([0, 1, 2, layers])('%i of them give what the equations do, in float32 and float16', async (n) => {
    const ids = TEXTS[0]!;
    const expected = forwardPass(BERT, ids, n).flat();
    const single = await TokenGraph.open(lowerLayersModel(BERT, n, 'float32'));
    const half = await TokenGraph.open(lowerLayersModel(BERT, n, 'float16'));
    const inSingle = (await single.run({ rows: 1, ids }, [TOKEN_STATES]))[TOKEN_STATES];
    const inHalf = (await half.run({ rows: 1, ids }, [TOKEN_STATES]))[TOKEN_STATES];
    expectNear(inSingle.data, expected, 2e-5);
    expect(inHalf.data).toBeInstanceOf(Uint16Array);
    expectNear(fromFloat16(inHalf.data as Uint16Array), expected, 4e-3); // half of the last place of numbers up to 8
    await single.close();
    await half.close();
  });

  test('there are no more than the model has', () => {
    expect(() => lowerLayersModel(BERT, layers + 1, 'float32')).toThrow('4 layers of 3');
    expect(() => lowerLayersModel(BERT, -1, 'float32')).toThrow(RangeError);
  });
});

describe('quantisation', () => {
  test('spreads 0 to 255 over a range', () => {
    expect(affineOf({ min: -1, max: 4.1 })).toEqual({ scale: Math.fround(0.02), zeroPoint: 50 });
    expect(affineOf({ min: 0, max: 25.5 })).toEqual({ scale: Math.fround(0.1), zeroPoint: 0 });
    expect(affineOf({ min: -2.55, max: 0 })).toEqual({ scale: Math.fround(0.01), zeroPoint: 255 });
    expect(affineOf({ min: 0, max: 0 }).scale).toBe(1);
  });

  test('has zero within every range', () => {
    expect(rangeOf(Float32Array.of(2, 5, 3))).toEqual({ min: 0, max: 5 });
    expect(rangeOf(Float32Array.of(-2, -5), { min: -3, max: 1 })).toEqual({ min: -5, max: 1 });
  });

  test('has one scale for a table', () => {
    const table = quantiseAffine(Float32Array.of(-1, 0, 0.5, 4.1));
    expect(table).toMatchObject({ zeroPoint: 50, values: Uint8Array.of(0, 50, 75, 255) });
  });

  test('has a scale for each row of weights, around zero', () => {
    const { values, scales } = quantiseRows(Float32Array.of(1.27, -0.5, 0, -254, 100, 3, 0, 0, 0), 3, 127);
    expect(values).toEqual(Int8Array.of(127, -50, 0, -127, 50, 2, 0, 0, 0));
    expect(scales).toEqual(Float32Array.of(0.01, 2, 1));
  });
});

describe('calibration', () => {
  test('keeps the extremes of what is multiplied, by hand in a model of one layer', async () => {
    const small = tinyBert(5, { layers: 1 });
    const texts = tokensOf(6, 5);
    const { ranges, embeddings: embedded } = await calibrate(small, texts);
    expect([...ranges.keys()]).toEqual([
      'embeddings',
      'encoder.layer.0.attention.self',
      'encoder.layer.0.attention.output',
      'encoder.layer.0.intermediate',
    ]);
    const states = texts.flatMap((ids) => forwardPass(small, ids, 0).flat());
    expect(ranges.get('embeddings')!.min).toBeCloseTo(Math.min(...states), 5);
    expect(ranges.get('embeddings')!.max).toBeCloseTo(Math.max(...states), 5);
    const inner = ranges.get('encoder.layer.0.intermediate')!;
    expect(inner.min).toBeGreaterThan(-0.17001); // the least that a GELU gives
    expect(embedded.length).toBe(5 * D);
    for (const [i, ids] of texts.entries()) {
      expectNear(embedded.subarray(i * D, (i + 1) * D), unitMean(forwardPass(small, ids)), 1e-5);
    }
  });

  test('does not depend on which texts there are beside a text', async () => {
    const { points } = observedModel(BERT);
    const [all, ...each] = await Promise.all(
      [TEXTS, ...TEXTS.map((text) => [text])].map((t) => calibrate(BERT, t)),
    );
    for (const point of points) {
      const { min, max } = all!.ranges.get(point)!;
      expect(Math.min(...each.map(({ ranges }) => ranges.get(point)!.min))).toBeCloseTo(min, 5);
      expect(Math.max(...each.map(({ ranges }) => ranges.get(point)!.max))).toBeCloseTo(max, 5);
    }
  });

  test('tells how far it is', async () => {
    const told: number[] = [];
    await calibrate(BERT, TEXTS, (done, total) => told.push(done / total));
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  test('refuses what does not fit the model, and a model that gives no numbers', async () => {
    await expect(calibrate(BERT, [])).rejects.toMatchObject({ code: 'invalid_configuration' });
    await expect(calibrate(BERT, [[1, vocabulary, 2]])).rejects.toThrow('the tokenizer gives token 40');
    await expect(calibrate(BERT, [[1, undefined as unknown as number, 2]])).rejects.toThrow(
      'gives token undefined',
    );
    await expect(calibrate(BERT, [new Array<number>(25).fill(4)])).rejects.toThrow('longer than the model');
    const broken = tinyBert(1);
    broken.tensors.get('encoder.layer.2.output.dense.bias')!.data.fill(NaN);
    await expect(calibrate(broken, TEXTS)).rejects.toMatchObject({ code: 'invalid_file' });
  });

  test('of another model is refused', async () => {
    const { ranges } = await calibrate(tinyBert(1, { layers: 2 }), TEXTS);
    expect(() => encoderModel(BERT, int8(ranges))).toThrow('it is of another model');
  });
});
