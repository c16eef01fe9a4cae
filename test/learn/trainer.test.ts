import { random, tree } from '@jax-js/jax';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { initHeads } from '../../src/heads/runtime.js';
import { createTrainedHead } from '../../src/heads/trained.js';
import type { EpisodeShape } from '../../src/learn/episodes.js';
import { EpisodeStream } from '../../src/learn/episodeStream.js';
import { HeadLearner } from '../../src/learn/headLearner.js';
import { Random } from '../../src/statistics/random.js';
import { Trainer, type TrainerState, type TrainingPlan } from '../../src/learn/trainer.js';
import { Validator } from '../../src/learn/validator.js';
import { noisySet } from './embeddedToys.js';

beforeAll(initHeads);

const D = 16;
const head = createTrainedHead('projected');
const training = [{ embedded: noisySet(Array<number>(12).fill(12), D, 1) }];
const validation = [{ embedded: noisySet(Array<number>(8).fill(12), D, 2) }];
const SHAPE: EpisodeShape = { ways: 5, shots: 2, queries: 3 };
const PLAN: TrainingPlan = {
  episodes: 60,
  batch: 1,
  rate: 0.1,
  weightDecay: 0,
  warmup: 5,
  clip: 1,
  schedule: 'cosine',
  validateEvery: 20,
  patience: 10,
};

function streamOf(shape: EpisodeShape, seed: number): EpisodeStream {
  return new EpisodeStream(training, shape, { nameRows: false, random: new Random(seed) });
}

function tasksOf(shape: EpisodeShape = SHAPE) {
  const fixed = new EpisodeStream(validation, SHAPE, { nameRows: false, random: new Random(9) });
  return { training: streamOf(shape, 8), validation: new Validator(fixed, 40) };
}

const learners: HeadLearner[] = [];
afterEach(() => {
  for (const learner of learners.splice(0)) learner.dispose();
});

function learnerOf(shape?: EpisodeShape, of = head): HeadLearner {
  const learner = new HeadLearner(of, tasksOf(shape));
  learners.push(learner);
  return learner;
}

function started(plan: Partial<TrainingPlan> = {}, shape?: EpisodeShape, of = head): Promise<Trainer> {
  const params = { head: head.init(random.key(3), D) };
  return Trainer.start(learnerOf(shape, of), { ...PLAN, ...plan }, params);
}

/** Until it is finished, or has made so many steps. */
async function run(trainer: Trainer, steps = Infinity): Promise<TrainerState> {
  while (!trainer.finished && trainer.step < steps) {
    if (trainer.validationDue) await trainer.validate();
    else await trainer.learn();
  }
  const state = trainer.state();
  trainer.dispose();
  return state;
}

test('a head learns what the untrained one and the prototypes do not know, and the best is kept', async () => {
  const trainer = await started();
  const [start] = trainer.history;
  expect(start).toMatchObject({ step: 0, loss: null });
  const state = await run(trainer);
  expect(state.step).toBe(60);
  expect(state.history.map(({ step }) => step)).toEqual([0, 20, 40, 60]);
  expect(trainer.best.value).toBeGreaterThan(start!.high);
  expect(trainer.best.value).toBeGreaterThan(state.baseline.high);
  expect(state.history[3]!.loss).toBeLessThan(state.history[1]!.loss!);
  if (trainer.best.step === 60) {
    expect(state.tensors.get('best.head.projection')).toEqual(state.tensors.get('params.head.projection'));
  }
});

test('going on from any saved state equals never having stopped, bit for bit', async () => {
  const plan = { ...PLAN, batch: 2, weightDecay: 0.01 };
  const whole = await run(await started(plan));
  for (const stop of [7, 20]) {
    const half = await run(await started(plan), stop);
    expect(await run(Trainer.resume(learnerOf(), plan, half))).toEqual(whole);
  }
});

test('a batch is learned from as a whole', async () => {
  // Of one step: the sign of the mean gradient decides, so that two batches that differ in one episode differ.
  const one = await run(await started({ episodes: 3, batch: 3, warmup: 0 }));
  const other = await run(await started({ episodes: 2, batch: 2, warmup: 0 }));
  expect(one.step).toBe(1);
  expect(one.tensors.get('params.head.projection')).not.toEqual(other.tensors.get('params.head.projection'));
});

test('it ends when nothing has come of it for long enough, with the best', async () => {
  // Too small a rate to change any ranking: the start stays the best.
  const trainer = await started({ rate: 1e-12, patience: 2, validateEvery: 5 });
  const state = await run(trainer);
  expect(state.step).toBe(10);
  expect(trainer.best.step).toBe(0);
  expect(state.tensors.get('best.head.projection')!.data).toEqual(
    (await run(await started(), 0)).tensors.get('params.head.projection')!.data,
  );
});

test('episodes of varying size are padded to few shapes, and learned from', async () => {
  const shape: EpisodeShape = {
    ways: { min: 2, max: 12 },
    shots: { min: 1, max: 6 },
    queries: 2,
    leftOut: { min: 0, max: 2 },
  };
  const stream = streamOf({ ...shape, ways: { min: 2, max: 10 } }, 4);
  const shapes = new Set(
    Array.from({ length: 60 }, (_, i) => {
      const { ways, shots, queryCount } = stream.at(i);
      return [ways, shots, queryCount].join();
    }),
  );
  expect([...shapes].sort()).toEqual(
    ['10,1,24', '10,2,24', '10,4,24', '10,6,24'].filter((one) => shapes.has(one)),
  );
  const trainer = await started({}, { ...shape, ways: { min: 2, max: 10 } });
  const [start] = trainer.history;
  await run(trainer);
  expect(trainer.best.value).toBeGreaterThan(start!.high);
});

test('a loss that is no number ends the training with what to try', async () => {
  const broken = { ...head, loss: ((...given) => head.loss(...given).mul(NaN)) as typeof head.loss };
  const trainer = await started({}, undefined, broken);
  await expect(trainer.learn()).rejects.toThrow(
    /the loss is NaN at episode 1: .* Try a lower --rate \(it is 0.1\)/,
  );
  trainer.dispose();
});

test('nothing that it was given or made is left behind', async () => {
  const params = head.init(random.key(3), D);
  const learner = new HeadLearner(head, tasksOf());
  const trainer = await Trainer.start(learner, PLAN, { head: tree.ref(params) });
  for (let step = 0; step < 3; step++) await trainer.learn();
  await trainer.validate();
  const best = trainer.bestParams();
  trainer.dispose();
  learner.dispose();
  const counts = [params, best].map((given) =>
    tree.leaves(given).map((array) => (array as { refCount: number }).refCount),
  );
  expect(counts).toEqual([[1], [1]]);
  tree.dispose([params, best]);
});
