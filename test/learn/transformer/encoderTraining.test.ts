import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { numpy as np } from '@jax-js/jax';
import { tree } from '@jax-js/jax';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadEncoder } from '../../../src/encoder/load.js';
import { loadCheckpoint, readCheckpointMetadata } from '../../../src/heads/checkpoint.js';
import { fromFloat16, toFloat16 } from '../../../src/heads/float16.js';
import type { Params } from '../../../src/heads/head.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { TextSetBuilder, type TextSet } from '../../../src/learn/datasets/textSet.js';
import { embedSet } from '../../../src/learn/embeddedSet.js';
import { EmbeddingCache } from '../../../src/learn/embeddingCache.js';
import type { LearnedParams, Learner } from '../../../src/learn/learner.js';
import { Random } from '../../../src/statistics/random.js';
import { readTrainingConfig, type TrainingConfig } from '../../../src/learn/trainingConfig.js';
import type { TrainingData } from '../../../src/learn/trainingData.js';
import {
  runTraining,
  type Trainee,
  type TrainingObserver,
  type TrainingResult,
} from '../../../src/learn/trainingRun.js';
import { readBert } from '../../../src/learn/transformer/bert.js';
import {
  encoderTrainee,
  type EncoderTrainingOptions,
  interpolate,
  type InterpolationPoint,
} from '../../../src/learn/transformer/encoderTraining.js';
import type { LayerParams } from '../../../src/learn/transformer/layers.js';
import { type StartingEncoder, startingEncoder } from '../../../src/learn/transformer/startingEncoder.js';
import { a, values } from '../../heads/arrays.js';
import { writeExactBert } from './tinyLayers.js';

// The whole of it on a tiny BERT: classes are told by one word of a text, and drowned in others that say nothing. The layers
// can learn which words to attend to.

const CLASSES = 8;
const NOISE = 6;

function drowned(name: string, texts: number, seed: number): TextSet {
  const random = new Random(seed);
  const builder = new TextSetBuilder(name);
  for (let c = 0; c < CLASSES; c++) {
    for (let i = 0; i < texts; i++) {
      const words = Array.from({ length: NOISE }, () => `w${random.between(4 + CLASSES, 39)}`);
      words[random.below(NOISE)] = `w${4 + c}`;
      builder.add(`class ${c}`, words.join(' '), name);
    }
  }
  return builder.finish();
}

let directory: string;
let cache: EmbeddingCache;
let encoder: StartingEncoder;
let data: TrainingData;

beforeAll(async () => {
  await initHeads();
  directory = mkdtempSync(join(tmpdir(), 'kshot-end-to-end-'));
  await writeExactBert(join(directory, 'bert'), 3);
  encoder = await startingEncoder(join(directory, 'bert'), join(directory, 'start'), 16);
  cache = new EmbeddingCache(join(directory, 'cache'));
  const graph = await loadEncoder({ model: encoder.folder, device: 'cpu' });
  const embedded = async (set: TextSet) => ({
    embedded: await embedSet(
      set,
      graph.dimension,
      (texts) => cache.embedAll(graph, texts),
      () => '',
    ),
  });
  data = {
    training: [await embedded(drowned('toy', 24, 1))],
    validation: [await embedded(drowned('others', 12, 2))],
    description: ['toy', 'validated on others'],
    encoder: graph.fingerprint,
  };
  await graph.close();
});
afterAll(() => {
  cache.close();
  rmSync(directory, { recursive: true });
});

const LONG = {
  head: 'projected',
  options: { map: false, leaveOneOut: true },
  data: [{ set: 'toy.csv' }],
  validation: [{ set: 'others.csv' }],
  names: false,
  episode: { ways: 6, shots: 3, queries: 3 },
  validationEpisode: { shots: 1 },
  validationEpisodes: 30,
  episodes: 40,
  validateEvery: 10,
  warmup: 3,
  weightDecay: 0.01,
  unfreeze: { layers: 2, rate: 0.005, interpolation: [1, 0.5, 0] },
};
/** With a head that learns too, and two episodes a step. */
const SHORT = {
  ...LONG,
  options: { width: 16 },
  episodes: 12,
  batch: 2,
  validateEvery: 3,
  validationEpisodes: 10,
  unfreeze: { layers: 1, rate: 0.001, interpolation: [0.5] },
};
const configOf = (fields: object) => readTrainingConfig(fields, 'test');

interface Run {
  readonly result: TrainingResult;
  readonly shares: readonly InterpolationPoint[];
  readonly chosen: InterpolationPoint;
  /** What was learned, before the interpolation. */
  readonly learned: number[][];
}

async function train(
  name: string,
  config: TrainingConfig,
  { signal, observer }: { signal?: AbortSignal; observer?: TrainingObserver } = {},
): Promise<Run> {
  const out = join(directory, name);
  const met: np.Array[] = [];
  const note = <Given extends LearnedParams>(given: Given): Given => {
    met.push(...tree.leaves<np.Array>(given));
    return given;
  };
  let told: [readonly InterpolationPoint[], InterpolationPoint] | undefined;
  let learned: number[][] = [];
  const trainee = await encoderTrainee(config, data, encoder, {
    ...optionsOf(out),
    interpolated: (...points) => (told = points),
  });
  const { learner } = trainee;
  const noting: Learner = {
    template: () => note(learner.template()),
    async slope(params, ...rest) {
      const found = await learner.slope(note(params), ...rest);
      note(found.gradient);
      return found;
    },
    accuracy: (params) => learner.accuracy(note(params)),
    baseline: () => learner.baseline(),
    dispose: () => learner.dispose(),
  };
  const noted: Trainee = {
    ...trainee,
    learner: noting,
    start: () => note(trainee.start()),
    write(best, metadata) {
      learned = tree.leaves<np.Array>(best.encoder!).map((x) => values(x.ref));
      return trainee.write(note(best), metadata);
    },
  };
  try {
    const run = { out, folder: `${out}-run`, ...(signal && { signal }), ...(observer && { observer }) };
    const result = await runTraining(config, data, run, noted);
    return { result, shares: told![0], chosen: told![1], learned };
  } finally {
    await trainee.close();
    const held = met.filter(({ refCount }) => refCount !== 0).length;
    leftBehind.push([name, held, met.length > 0]);
  }
}

/** Of every run: how many of the arrays that it has met are still held, and whether it has met any. */
const leftBehind: [string, number, boolean][] = [];

function optionsOf(out: string): EncoderTrainingOptions {
  return { out, cache, describe: () => '' };
}

function weightsOf(name: string): Buffer[] {
  const out = join(directory, name);
  const ofHead = readdirSync(out).find((file) => /^weights-.*\.safetensors$/.test(file))!;
  return [
    readFileSync(join(out, ofHead)),
    ...['model.safetensors', 'onnx/model_quantized.onnx', 'onnx/model_q8f16.onnx'].map((file) =>
      readFileSync(join(out, 'encoder', file)),
    ),
  ];
}

/** The written weights are those on the way, in half precision; what was not to learn is as it was. */
async function expectInterpolated(name: string, { learned, chosen }: Run, layers: number): Promise<void> {
  const written = await readBert(join(directory, name, 'encoder'));
  const { shape, tensors } = encoder.bert;
  expect(written.shape).toEqual(shape);
  const learning = [...tensors.keys()].filter((key) => Number(key.split('.')[2]) >= shape.layers - layers);
  expect(learned.length).toBe(learning.length);
  for (const [key, { data: start }] of tensors) {
    const end = learned[learning.indexOf(key)] ?? [...start];
    expect([key, end.some((x, i) => x !== start[i])]).toEqual([key, learning.includes(key)]);
    const between = start.map(
      (x, i) => Math.fround(x * (1 - chosen.share)) + Math.fround(end[i]! * chosen.share),
    );
    const exact = learning.includes(key) ? between : start;
    expect([key, written.tensors.get(key)!.data]).toEqual([key, fromFloat16(toFloat16(exact))]);
  }
}

describe('a run', () => {
  let run: Run;
  beforeAll(async () => {
    run = await train('long', configOf(LONG));
  }, 60_000);

  test('finds the word that tells: the validation is better than the start’s by far', () => {
    const { start, best, baseline } = run.result;
    expect(best.value).toBeGreaterThan(start.high + 0.1);
    expect(best.value).toBeGreaterThan(baseline.high);
    // Without a map, the head is the prototypes with another scale.
    expect(start.value).toBeCloseTo(baseline.value, 5);
  });

  test('takes the best of the weights on the way, whose start has the start’s accuracy and whose end the learned', () => {
    const { shares, chosen, result } = run;
    expect(shares.map(({ share }) => share)).toEqual([0, 0.5, 1]);
    expect(shares[0]!.value).toBe(result.start.value);
    expect(shares[2]!.value).toBe(result.best.value);
    const best = Math.max(...shares.map(({ value }) => value));
    expect(chosen).toEqual(shares.find(({ value }) => value === best));
    expect(chosen.share).toBeGreaterThan(0);
  });

  test('writes those weights', async () => {
    await expectInterpolated('long', run, 2);
  });

  test('writes an encoder that opens, and a head for it', async () => {
    const out = join(directory, 'long');
    const learned = await loadEncoder({ model: join(out, 'encoder'), device: 'cpu' });
    const { fingerprint, name, dimension } = learned;
    await learned.close();
    expect({ name, dimension }).toEqual({ name: 'long', dimension: 32 });
    expect(fingerprint).not.toBe(data.encoder);
    const { head, params, metadata } = await loadCheckpoint(out, { encoder: fingerprint });
    expect(head.name).toBe('projected');
    expect(params).toEqual({});
    expect(metadata.results).toMatchObject({
      share: run.chosen.share,
      interpolation: run.shares.map((point) => ({ ...point })),
      peakMemoryMb: expect.any(Number),
    });
    const card = readFileSync(join(out, 'encoder', 'README.md'), 'utf8');
    expect(card).toContain('The last 2 of its 2 layers, with the head projected');
    expect(card).toContain('- validated on others');
  });
});

describe('stopped and gone on with', () => {
  test('it gives the weights of a run that was never stopped, bit for bit', async () => {
    await expectInterpolated('whole', await train('whole', configOf(SHORT)), 1);
    for (const episodes of [2, 8]) {
      const stop = new AbortController();
      const learned: TrainingObserver['learned'] = (progress) => {
        if (progress.episodes === episodes) stop.abort();
      };
      const stopped = train('parts', configOf(SHORT), { signal: stop.signal, observer: { learned } });
      await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    }
    const begun: number[] = [];
    await train('parts', configOf(SHORT), { observer: { begun: ({ episodes }) => begun.push(episodes) } });
    expect(begun).toEqual([8]);
    expect(weightsOf('parts').map((file, i) => file.equals(weightsOf('whole')[i]!))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    const { results: whole } = await readCheckpointMetadata(join(directory, 'whole'));
    const { results: parts } = await readCheckpointMetadata(join(directory, 'parts'));
    expect(parts['history']).toEqual(whole['history']);

    await train('other', configOf({ ...SHORT, seed: 2 }));
    expect(weightsOf('other')[1]!.equals(weightsOf('whole')[1]!)).toBe(false);
  }, 60_000);
});

test('nothing of jax-js is left behind, however a run ended', () => {
  expect(leftBehind.length).toBeGreaterThan(1);
  expect(leftBehind).toEqual(leftBehind.map(([name]) => [name, 0, true]));
});

describe('is refused', () => {
  const refused = (fields: object, given = data) =>
    encoderTrainee(configOf({ ...LONG, ...fields }), given, encoder, optionsOf(join(directory, 'refused')));

  test('a head that adapts without its loss knowing', async () => {
    await expect(refused({ head: 'weighing', options: {} })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(
        /^weighing adapts .* no gradient reaches the encoder: train another head/,
      ),
    });
  });

  test('an encoder with fewer layers', async () => {
    await expect(refused({ unfreeze: { layers: 3 } })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('has 2 layers, of which 3 cannot learn'),
    });
  });

  test('an encoder that pools otherwise than by the mean', async () => {
    const from = join(directory, 'cls');
    await writeExactBert(from, 3);
    mkdirSync(join(from, '1_Pooling'));
    writeFileSync(join(from, '1_Pooling', 'config.json'), JSON.stringify({ pooling_mode_cls_token: true }));
    await expect(startingEncoder(from, join(directory, 'cls-start'), 16)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('asks for the pooling cls'),
    });
  });

  test('a start whose graph is of other weights', async () => {
    const { bert } = encoder;
    const name = 'encoder.layer.1.output.LayerNorm.bias';
    const { shape, data: bias } = bert.tensors.get(name)!;
    const other = { shape, data: bias.map((x, i) => (i === 3 ? x + 0.1 : x)) };
    const wrong = { ...encoder, bert: { ...bert, tensors: new Map([...bert.tensors, [name, other]]) } };
    const refusing = encoderTrainee(configOf(LONG), data, wrong, optionsOf(join(directory, 'refused')));
    await expect(refusing).rejects.toMatchObject({
      code: 'encoder_unavailable',
      message: expect.stringMatching(/off those of the encoder's graph/),
    });
  });
});

describe('interpolation', () => {
  const start = () => [{ x: a([1, -3], 2) }] as unknown as LayerParams[];
  const learned = (): LearnedParams => ({ head: { h: a([7], 1) }, encoder: [{ x: a([3, 5], 2) }] });
  const measured: number[][] = [];
  const learner = (accuracy: (x: number) => number) => ({
    accuracy(params: LearnedParams) {
      const [x] = tree.leaves<np.Array>(params.encoder!);
      measured.push(values(x!.ref));
      const value = accuracy(measured.at(-1)![0]!);
      return Promise.resolve({ value, low: value, high: value });
    },
  });

  test.each<[string, (x: number) => number, number, number[]]>([
    ['the best', (x) => -((x - 2.6) ** 2), 0.75, [2.5, 3]],
    ['of equals the one nearest to the start', (x) => Math.min(x, 2), 0.5, [2, 1]],
    ['the start, where nothing has come of it', (x) => -x, 0, [1, -3]],
  ])('takes %s', async (_, accuracy, share, expected) => {
    measured.length = 0;
    const given = { start: start(), learned: learned() };
    const shares = [1, 0, 0.75, 0.5];
    const { params, points, chosen } = await interpolate(
      learner(accuracy),
      given.start,
      given.learned,
      shares,
    );
    expect(measured).toEqual([[1, -3], [2, 1], [2.5, 3], [3, 5]]); // prettier-ignore
    expect(points.map((point) => point.share)).toEqual([0, 0.5, 0.75, 1]);
    expect(shares).toEqual([1, 0, 0.75, 0.5]);
    expect(chosen.share).toBe(share);
    expect(tree.leaves<np.Array>(params.encoder!).map(values)).toEqual([expected]);
    expect(tree.leaves<np.Array>(params.head).map(values)).toEqual([[7]]);
    const counts = (of: unknown) => tree.leaves<np.Array>(of as Params).map(({ refCount }) => refCount);
    expect([counts(given.start), counts(given.learned)]).toEqual([[1], [0, 0]]);
    tree.dispose(given.start);
  });
});
