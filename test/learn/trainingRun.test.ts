import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tree } from '@jax-js/jax';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { loadCheckpoint } from '../../src/heads/checkpoint.js';
import { initHeads } from '../../src/heads/runtime.js';
import { readTrainingConfig, type TrainingConfig } from '../../src/learn/trainingConfig.js';
import type { TrainingData } from '../../src/learn/trainingData.js';
import { runTraining, type TrainingRunOptions } from '../../src/learn/trainingRun.js';
import { values } from '../heads/arrays.js';
import { noisySet } from './embeddedToys.js';

const D = 16;
const data: TrainingData = {
  training: [{ embedded: noisySet(Array<number>(12).fill(10), D, 1) }],
  validation: [{ embedded: noisySet(Array<number>(8).fill(10), D, 2) }],
  description: ['toys'],
  encoder: 'encoder-1',
};

function configOf(fields: object = {}): TrainingConfig {
  const given = {
    head: 'projected',
    data: [{ set: 'toys.csv' }],
    episode: { ways: 4, shots: 2, queries: 2 },
    episodes: 30,
    validateEvery: 10,
    validationEpisodes: 20,
    warmup: 3,
    rate: 0.1,
    ...fields,
  };
  return readTrainingConfig(given, 'test');
}

let directory: string;

beforeAll(initHeads);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kshot-training-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function train(name: string, config = configOf(), options: Partial<TrainingRunOptions> = {}) {
  return runTraining(config, data, {
    out: join(directory, name),
    folder: join(directory, `${name}-run`),
    ...options,
  });
}

function weightsOf(name: string): Buffer {
  const file = readdirSync(join(directory, name)).find((entry) => entry.endsWith('.safetensors'))!;
  return readFileSync(join(directory, name, file));
}

test('the checkpoint holds the best parameters, and says what they are', async () => {
  const result = await train('a');
  const { head, params, metadata } = await loadCheckpoint(join(directory, 'a'), { encoder: 'encoder-1' });
  expect(head.name).toBe('projected');
  expect(values((params as { projection: Parameters<typeof values>[0] }).projection)).toHaveLength(D * D);
  expect(metadata).toMatchObject({
    dimension: D,
    data: ['toys'],
    seed: 1,
    episodes: result.best.step,
    results: {
      episodes: 30,
      validation: { untrained: result.start, best: result.best, prototypical: result.baseline },
    },
  });
  expect(metadata.results['history']).toHaveLength(4);
  expect(result.best.value).toBeGreaterThan(result.start.value);
});

test('the same seed gives the same weights, another gives others; config.json reproduces them', async () => {
  await train('a');
  const written: unknown = JSON.parse(readFileSync(join(directory, 'a', 'config.json'), 'utf8'));
  await train('b', readTrainingConfig(written, 'config.json'));
  await train('c', configOf({ seed: 2 }));
  expect(weightsOf('b')).toEqual(weightsOf('a'));
  expect(weightsOf('c')).not.toEqual(weightsOf('a'));
});

test('stopped and gone on with, it gives the same weights as if it had run through', async () => {
  await train('whole');
  for (const steps of [4, 17]) {
    const stop = new AbortController();
    const learned = ({ episodes }: { episodes: number }) => {
      if (episodes === steps) stop.abort();
    };
    const stopped = train('parts', configOf(), { signal: stop.signal, observer: { learned } });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  }
  const begun: number[] = [];
  await train('parts', configOf(), { observer: { begun: ({ episodes }) => begun.push(episodes) } });
  expect(begun).toEqual([17]);
  expect(weightsOf('parts')).toEqual(weightsOf('whole'));
});

test("another run's folder is refused, unless it is to begin anew", async () => {
  await train('a');
  const other = configOf({ rate: 0.05 });
  await expect(train('a', other)).rejects.toThrow(/another configuration.*--restart/s);
  const begun: number[] = [];
  await train('a', other, { restart: true, observer: { begun: ({ episodes }) => begun.push(episodes) } });
  expect(begun).toEqual([0]);
});

test('a damaged state is refused with what to do', async () => {
  await train('a');
  writeFileSync(join(directory, 'a-run', 'state.json'), '{"format": 1');
  await expect(train('a')).rejects.toMatchObject({ code: 'invalid_file' });
});

test('the memory of dmin starts as the means of the classes, or as centres of them', async () => {
  const dmin = (memory: number, rate = 1e-9) =>
    configOf({ head: 'dmin', options: { memory, capsules: 1 }, episodes: 2, warmup: 0, rate });
  const memoryOf = async (name: string, memory: number) => {
    await train(name, dmin(memory));
    const { params } = await loadCheckpoint(join(directory, name), { encoder: 'encoder-1' });
    const { memory: rows, ...rest } = params as Record<string, Parameters<typeof values>[0]>;
    tree.dispose(rest);
    return values(rows!);
  };
  const { embeddings, set } = data.training[0]!.embedded;
  const mean = Array.from({ length: D }, (_, d) => {
    const rows = [...set.labels.keys()].filter((row) => set.labels[row] === 0);
    return rows.reduce((sum, row) => sum + embeddings[row * D + d]!, 0);
  });
  const length = Math.hypot(...mean);
  const all = await memoryOf('all', 12);
  for (let d = 0; d < D; d++) expect(all[d]).toBeCloseTo(mean[d]! / length, 4);

  const centres = await memoryOf('some', 5);
  expect(centres).toHaveLength(5 * D);
  for (let slot = 0; slot < 5; slot++) {
    expect(Math.hypot(...centres.slice(slot * D, (slot + 1) * D))).toBeCloseTo(1, 4);
  }
  await expect(train('none', dmin(13))).rejects.toThrow('there are 12 classes to train on');
});
