import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numpy as np, random, tree } from '@jax-js/jax';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Params } from '../../../src/heads/head.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { createTrainedHead } from '../../../src/heads/trained.js';
import type { TrainedHead } from '../../../src/heads/trainedHead.js';
import type { EmbeddedSet } from '../../../src/learn/embeddedSet.js';
import { EmbeddingCache } from '../../../src/learn/embeddingCache.js';
import type { EpisodeShape } from '../../../src/learn/episodes.js';
import { EpisodeStream } from '../../../src/learn/episodeStream.js';
import { HeadLearner } from '../../../src/learn/headLearner.js';
import type { LearnedParams } from '../../../src/learn/learner.js';
import { Random } from '../../../src/statistics/random.js';
import { EncoderLearner } from '../../../src/learn/transformer/encoderLearner.js';
import { type LayerParams, upperLayers } from '../../../src/learn/transformer/layers.js';
import type { TokenizedSet } from '../../../src/learn/transformer/tokenInput.js';
import { TokenStates } from '../../../src/learn/transformer/tokenStates.js';
import { UpperEncoder } from '../../../src/learn/transformer/upperEncoder.js';
import { Validator } from '../../../src/learn/validator.js';
import { moved, values } from '../../heads/arrays.js';
import { setOf } from '../textSets.js';
import { tinyBert, tinyTexts } from './tinyBert.js';
import { CountingLayers, sentence, withEntities } from './tinyLayers.js';

const BERT = tinyBert(4, { width: 16, heads: 2, inner: 24 });
const LAYERS = 2;
const CLASSES = 6;
const TEXTS_OF_A_CLASS = 5;
const SHAPE: EpisodeShape = {
  ways: { min: 2, max: 4 },
  shots: { min: 1, max: 3 },
  queries: 2,
  leftOut: { min: 0, max: 1 },
  smallClasses: 'leave-out',
};
const VALIDATION_SHAPE: EpisodeShape = { ways: 3, shots: 1, queries: 2 };
const EPISODES = 12;

let directory: string;
let cache: EmbeddingCache;
const closed: (() => unknown)[] = [];
beforeAll(async () => {
  await initHeads();
  directory = mkdtempSync(join(tmpdir(), 'kshot-learner-'));
  cache = new EmbeddingCache(directory);
});
afterEach(async () => {
  for (const close of closed.splice(0)) await close();
});
afterAll(() => {
  cache.close();
  rmSync(directory, { recursive: true });
});

/** Classes of random texts, of which every other one has a name. */
function tokenizedSet(seed: number, relations: boolean): TokenizedSet {
  const inputOf = relations ? withEntities : sentence;
  return {
    texts: tinyTexts(seed, CLASSES * TEXTS_OF_A_CLASS, { longest: 9 }).map(inputOf),
    names: tinyTexts(seed + 1, CLASSES, { longest: 2 }).map((text, c) =>
      c % 2 === 0 && !relations ? sentence(text) : undefined,
    ),
  };
}

/** A learner, and what `HeadLearner` needs to learn from the same episodes. */
async function learning(head: TrainedHead, { relations = false, seed = 1 } = {}) {
  const parts = relations ? 3 : 1;
  const dimension = parts * BERT.shape.width;
  const states = new TokenStates(new CountingLayers(BERT, BERT.shape.layers - LAYERS), cache);
  const encoder = await UpperEncoder.open(BERT.shape, LAYERS, parts, states);
  const start = upperLayers(BERT, LAYERS);
  const set = setOf(Array<number>(CLASSES).fill(TEXTS_OF_A_CLASS));
  const [ofTraining, ofValidation] = [tokenizedSet(seed, relations), tokenizedSet(seed + 50, relations)];
  const embeddedBy = async (layers: LayerParams[], { texts, names }: TokenizedSet): Promise<EmbeddedSet> => {
    const rows = new Float32Array(CLASSES * dimension);
    for (const [c, name] of names.entries()) {
      if (name !== undefined) rows.set(await encoder.embed(layers, [name]), c * dimension);
    }
    const embeddings = await encoder.embed(layers, texts);
    return { set, dimension, embeddings, names: rows, outOfScope: new Float32Array(0) };
  };
  const streams = (training: EmbeddedSet, validation: EmbeddedSet) => ({
    training: new EpisodeStream([{ embedded: training }], SHAPE, {
      nameRows: !relations,
      random: new Random(seed),
    }),
    validation: new EpisodeStream([{ embedded: validation }], VALIDATION_SHAPE, {
      nameRows: !relations,
      random: new Random(seed + 1),
    }),
  });
  const nothing: EmbeddedSet = {
    set,
    dimension,
    embeddings: new Float32Array(set.texts.length * dimension),
    names: new Float32Array(CLASSES * dimension),
    outOfScope: new Float32Array(0),
  };
  const { training, validation } = streams(nothing, nothing);
  const learner = new EncoderLearner(head, encoder, start, {
    training: { stream: training, sets: [ofTraining] },
    validation: { stream: validation, sets: [ofValidation], episodes: EPISODES },
    nameRows: !relations,
  });
  const params: LearnedParams = {
    head: moved(head.init(random.key(2), dimension), 0.1, 30),
    encoder: moved(tree.ref(start), 0.02, 60),
  };
  /** A learner of the head alone, over the embeddings that layers give. */
  const overEmbeddings = async (layers: LayerParams[]) => {
    const embedded = streams(await embeddedBy(layers, ofTraining), await embeddedBy(layers, ofValidation));
    const alone = new HeadLearner(head, {
      training: embedded.training,
      validation: new Validator(embedded.validation, EPISODES),
    });
    closed.push(() => alone.dispose());
    return alone;
  };
  closed.push(
    () => learner.dispose(),
    () => encoder.close(),
    () => tree.dispose([start, params]),
  );
  return { learner, params, start, training, overEmbeddings };
}

const HEADS: [string, TrainedHead, { relations?: boolean }][] = [
  ['projected, leaving one out', createTrainedHead('projected', { leaveOneOut: true }), {}],
  ['projected without a map', createTrainedHead('projected', { map: false, leaveOneOut: true }), {}],
  ['induction', createTrainedHead('induction', { slices: 4, width: 8 }), {}],
  ['projected on relations', createTrainedHead('projected', { width: 8 }), { relations: true }],
];

describe.each(HEADS)('%s', (_, head, options) => {
  test('the loss, the head’s gradient and the accuracies are those over embeddings that the layers give', async () => {
    const { learner, params, start, overEmbeddings } = await learning(head, options);
    const alone = await overEmbeddings(params.encoder as LayerParams[]);
    for (const episode of [1, 5]) {
      const found = await learner.slope(params, episode, 0.5);
      const leaves = tree.leaves<np.Array>(found.gradient.head).map(values);
      tree.dispose(found.gradient.encoder);
      if (leaves.length === 0) continue; // nothing for a head's learner to learn
      const expected = await alone.slope(params, episode, 0.5);
      expect(found.loss).toBeCloseTo(expected.loss, 4);
      for (const [l, leaf] of tree.leaves<np.Array>(expected.gradient.head).map(values).entries()) {
        for (const [i, x] of leaf.entries()) expect(leaves[l]![i]).toBeCloseTo(x, 3);
      }
    }
    expect(await learner.accuracy(params)).toEqual(await alone.accuracy(params));
    expect(await learner.baseline()).toEqual(await (await overEmbeddings(start)).baseline());
    expect(await learner.accuracy(params)).toEqual(await alone.accuracy(params)); // the baseline has changed nothing
  });

  test('the gradient of a whole episode equals finite differences of its loss, in several directions', async () => {
    const { learner, params } = await learning(head, options);
    const episode = 3;
    const { gradient } = await learner.slope(params, episode, 0.5);
    const [leaves, structure] = tree.flatten<np.Array>(params);
    const tensors = leaves.map((leaf) => ({ shape: leaf.shape, data: values(leaf.ref) }));
    const slopes = tree.leaves<np.Array>(gradient as Params).map(values);
    const inHead = tree.leaves(params.head).length;
    const inLayer = (slopes.length - inHead) / LAYERS;

    const lossAt = async (direction: readonly (readonly number[])[], by: number) => {
      const at = tree.unflatten(
        structure,
        tensors.map(({ shape, data }, l) =>
          np.array(
            Float32Array.from(data, (x, i) => x + by * direction[l]![i]!),
            { shape },
          ),
        ),
      ) as LearnedParams;
      const found = await learner.slope(at, episode, 0.5);
      tree.dispose([found.gradient, at] as Params[]);
      return found.loss;
    };
    // Along the gradient of some of the parameters, the others left as they are: the slope is its length.
    const along = async (chosen: (leaf: number) => boolean) => {
      const part = slopes.map((slope, l) => (chosen(l) ? slope : slope.map(() => 0)));
      const length = Math.hypot(...part.flat());
      if (length === 0) return undefined;
      const direction = part.map((slope) => slope.map((x) => x / length));
      // As far as changes the loss by some hundredths.
      const step = Math.min(0.02, 0.02 / length);
      const difference = ((await lossAt(direction, step)) - (await lossAt(direction, -step))) / (2 * step);
      return { length, difference };
    };
    const directions: [string, (leaf: number) => boolean][] = [
      ['all', () => true],
      ...(inHead === 0
        ? []
        : [['the head', (l: number) => l < inHead] as [string, (leaf: number) => boolean]]),
      ['the lower layer', (l) => l >= inHead && l < inHead + inLayer],
      ['the upper layer', (l) => l >= inHead + inLayer],
      ['weights of attention', (l) => l >= inHead && (l - inHead) % inLayer < 4],
    ];
    for (const [name, chosen] of directions) {
      const { length, difference } = (await along(chosen))!;
      expect([name, length > 0.01]).toEqual([name, true]);
      expect([name, Math.abs(difference / length - 1) < 0.02 ? 1 : difference / length]).toEqual([name, 1]);
    }
  });
});

test('episodes have names for support rows, and texts out of scope, and uneven classes', async () => {
  // What the comparisons above are worth.
  const { training } = await learning(createTrainedHead('projected'));
  const drawn = [0, 1, 3, 5].map((i) => training.draw(i));
  expect(drawn.some(({ labels }) => labels.includes(-1))).toBe(true);
  expect(drawn.some(({ support }) => new Set(support.map((rows) => rows.length)).size > 1)).toBe(true);
  expect(training.draw(3).classes.some((c) => c % 2 === 0)).toBe(true);
  expect(training.at(3)).toEqual(
    training.layOut(training.draw(3), {
      dimension: 16,
      embeddings: new Float32Array(CLASSES * TEXTS_OF_A_CLASS * 16),
    }),
  );
});

test('the template has the shapes of what is learned, and what is given stays the caller’s', async () => {
  const { learner, params } = await learning(createTrainedHead('projected'));
  const shapes = (given: LearnedParams) => tree.leaves<np.Array>(given as Params).map(({ shape }) => shape);
  const counts = () => tree.leaves<np.Array>(params as Params).map(({ refCount }) => refCount);
  const before = counts();
  const template = learner.template();
  expect(shapes(template)).toEqual(shapes(params));
  const { gradient } = await learner.slope(params, 0, 0);
  expect(shapes(gradient)).toEqual(shapes(params));
  await learner.accuracy(params);
  expect(counts()).toEqual(before);
  tree.dispose([template, gradient] as Params[]);
});
