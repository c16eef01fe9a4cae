import { random, tree } from '@jax-js/jax';
import { beforeAll, expect, test } from '@jest/globals';
import { mann } from '../../../src/heads/mann.js';
import { metaNetworks, type MetaNetworksParams } from '../../../src/heads/metaNetworks.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { accuracyByInstance } from '../../../src/learn/diagnostics/mann.js';
import { ablateFastWeights } from '../../../src/learn/diagnostics/metaNetworks.js';
import { EpisodeStream } from '../../../src/learn/episodeStream.js';
import { Random } from '../../../src/statistics/random.js';
import { Validator } from '../../../src/learn/validator.js';
import { noisySet } from '../embeddedToys.js';

const D = 16;
const WAYS = 3;

beforeAll(initHeads);

function streamOf(shots: number, seed: number): EpisodeStream {
  const embedded = noisySet([12, 12, 12, 12, 12], D, 3);
  const random = new Random(seed);
  return new EpisodeStream([{ embedded }], { ways: WAYS, shots, queries: 3 }, { nameRows: false, random });
}

test('mann: an item can only be guessed at the first sight of its class, and is known better later', () => {
  const head = mann({ width: 16, slots: 16 });
  const params = head.init(random.key(1), D);
  const byInstance = accuracyByInstance(head, params, streamOf(4, 1), {
    episodes: 25,
    random: new Random(2),
  });
  tree.dispose(params);
  expect(byInstance).toHaveLength(4);
  expect(byInstance[0]!.value).toBeLessThan(0.6);
  expect(byInstance[3]!.low).toBeGreaterThan(byInstance[0]!.high);
});

test('meta-networks: without fast weights of the base learner all classes score the same', () => {
  const head = metaNetworks({ width: 8, units: 2 });
  const params = head.init(random.key(1), D) as MetaNetworksParams;
  const { both, exampleLevel, taskLevel } = ablateFastWeights(
    head,
    params,
    new Validator(streamOf(3, 4), 40),
  );
  tree.dispose(params);
  expect(taskLevel.value).toBeCloseTo(1 / WAYS, 6); // all go to the first
  expect(both.low).toBeGreaterThan(1 / WAYS);
  expect(exampleLevel.low).toBeGreaterThan(1 / WAYS);
});
