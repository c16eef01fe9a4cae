import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { numpy as np, random, tree } from '@jax-js/jax';
import { createHead, type HeadName } from '../../../src/heads/registry.js';
import { initHeads } from '../../../src/heads/runtime.js';
import { createTrainedHead, TRAINED_HEAD_NAMES } from '../../../src/heads/trained.js';
import { evaluateTasks } from '../../../src/learn/evaluation/arsc.js';
import { EpisodeScorer } from '../../../src/learn/evaluation/episodeScorer.js';
import { evaluateEpisodes } from '../../../src/learn/evaluation/episodic.js';
import { EvaluatedHead } from '../../../src/learn/evaluation/evaluatedHead.js';
import { confidences, fullSetMeasures } from '../../../src/learn/evaluation/fullSet.js';
import { aurocInterval, outOfScopeMeasures } from '../../../src/learn/evaluation/outOfScope.js';
import { evaluateShots } from '../../../src/learn/evaluation/shots.js';
import { scoreTask, taskOf } from '../../../src/learn/evaluation/task.js';
import { episodeArrays } from '../../../src/learn/episodeArrays.js';
import { EpisodeSampler } from '../../../src/learn/episodes.js';
import { Random } from '../../../src/statistics/random.js';
import { planeSet } from './toySets.js';

beforeAll(initHeads);

const opened: EvaluatedHead[] = [];
afterEach(() => {
  for (const head of opened.splice(0)) head.dispose();
});

function untrained(name: HeadName, dimension = 2): EvaluatedHead {
  const head = createHead(name);
  const evaluated = new EvaluatedHead(head, dimension, head.init(np.zeros([2]), dimension));
  opened.push(evaluated);
  return evaluated;
}

/** `n` texts a class, each class around a direction of its own. */
const separable = planeSet('separable', {
  east: [-8, -4, 0, 4, 8, 2],
  north: [82, 86, 90, 94, 98, 92],
  west: [172, 176, 180, 184, 188, 182],
});

describe('episodes', () => {
  const shape = { ways: 3, shots: 2, queries: 2, episodes: 5, seed: 7 };

  test('that are easy are all right', () => {
    const outcomes = evaluateEpisodes(untrained('prototypical-euclidean'), separable, shape);
    expect(outcomes).toEqual({ of: 6, hits: [6, 6, 6, 6, 6] });
  });

  test('are the same at every time, and others by another seed', () => {
    const mixed = planeSet('mixed', {
      a: [0, 20, 40, 60, 80, 100],
      b: [10, 30, 50, 70, 90, 110],
      c: [5, 25, 45, 65, 85, 105],
    });
    const run = (seed: number) =>
      evaluateEpisodes(untrained('prototypical'), mixed, { ...shape, episodes: 12, seed }).hits;
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test('are reported one by one', () => {
    const told: string[] = [];
    evaluateEpisodes(untrained('prototypical'), separable, { ...shape, episodes: 2 }, (done, total) =>
      told.push(`${done}/${total}`),
    );
    expect(told).toEqual(['1/2', '2/2']);
  });
});

describe('the scorer of whole episodes gives what the server gives', () => {
  const D = 8;
  const noise = new Random(3);
  const embeddings = new Float32Array(24 * D).map(() => noise.next() - 0.5);
  const set = planeSet('any', { a: Array(8).fill(0), b: Array(8).fill(0), c: Array(8).fill(0) }).set;
  const episode = new EpisodeSampler([{ set }], { ways: 3, shots: 3, queries: 2 }).sample(new Random(1));
  const arrays = episodeArrays(episode, { dimension: D, embeddings });
  const support = { counts: [3, 3, 3], rows: arrays.rows, names: arrays.names };

  function check(evaluated: EvaluatedHead) {
    const scorer = new EpisodeScorer(evaluated);
    const fused = scorer.score(arrays);
    scorer.dispose();
    const served = scoreTask(evaluated, support, arrays.queries);
    expect(fused.length).toBe(18);
    fused.forEach((logit, i) => expect(logit).toBeCloseTo(served[i]!, 3));
  }

  test.each<HeadName>(['adapted', 'prototypical-euclidean', 'matching'])('%s', (name) => {
    check(untrained(name, D));
  });

  test.each(TRAINED_HEAD_NAMES)('%s', (name) => {
    const head = createTrainedHead(name);
    const params = head.init(random.key(1), D);
    const evaluated = new EvaluatedHead(head, D, tree.ref(params));
    tree.dispose(params);
    opened.push(evaluated);
    check(evaluated);
  });
});

describe('tasks with a support set of their own', () => {
  test('are counted query by query', () => {
    const tasks = [
      {
        name: 'books.t2',
        support: planeSet('s', { '-1': [0, 10], '1': [90, 80] }),
        queries: planeSet('q', { '-1': [5, 70], '1': [85] }), // 70 degrees is nearer to the wrong class
      },
      {
        name: 'dvd.t2',
        support: planeSet('s', { '-1': [180], '1': [0] }),
        queries: planeSet('q', { '-1': [170], '1': [10, 20] }),
      },
    ];
    expect(evaluateTasks(untrained('prototypical'), tasks)).toEqual({
      'books.t2': { of: 1, hits: [1, 0, 1] },
      'dvd.t2': { of: 1, hits: [1, 1, 1] },
    });
  });
});

describe('a whole set at once', () => {
  const support = planeSet('support', { east: [0], north: [90] }, { names: { north: 60 } });

  test('has the name of a class as one more row, where it says something', () => {
    const { counts, rows } = taskOf(support, support, true).support;
    expect(counts).toEqual([1, 2]);
    expect(Array.from(rows, (value) => Number(value.toFixed(3)))).toEqual([1, 0, 0, 1, 0.5, 0.866]);
    expect(taskOf(support, support, true).examples).toEqual([1, 1]);
    expect(taskOf(support, support, false).support.counts).toEqual([1, 1]);
  });

  test('takes classes by their names; one without support cannot be right', () => {
    const queries = planeSet('queries', { north: [80], south: [270], east: [10] });
    expect(taskOf(support, queries, false).labels).toEqual([0, 1, -1]);
  });

  test('counts what is right and what is confused, and how sure it was', () => {
    const queries = planeSet('queries', { east: [10, 70, 80], north: [85] });
    const task = taskOf(support, queries, false);
    const logits = Float32Array.from([2, 0, 0, 2, 0, 2, 0, 2]);
    const measures = fullSetMeasures(task, logits, 2);
    expect(measures.outcomes).toEqual({ of: 1, hits: [1, 0, 0, 1] });
    expect(measures.confusions).toEqual([{ intent: 'east', taken: 'north', queries: 2 }]);
    const sure = 1 / (1 + Math.exp(-1)); // softmax of (1, 0)
    expect(measures.confidences[0]).toBeCloseTo(sure, 6);
    expect(measures.ece).toBeCloseTo(sure - 0.5, 6);
    expect(measures.reliability).toHaveLength(1);
    expect(confidences(logits, 2, 1)[0]).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
  });

  test('by shots: draws of fewer shots are parts of those of more, and of every head the same', () => {
    const queries = planeSet('queries', { east: [3], north: [91], west: [179] });
    const protocol = { shots: 2, draws: 3, seed: 1, nameRows: false } as const;
    const outcomes = evaluateShots(untrained('prototypical'), separable, queries, protocol);
    expect(outcomes).toEqual({ of: 3, hits: [3, 3, 3] });
    const uneven = evaluateShots(untrained('prototypical'), separable, queries, {
      ...protocol,
      shots: 'uneven',
    });
    expect(uneven.hits).toEqual([3, 3, 3]);
  });
});

describe('out of scope', () => {
  test('recall is taken where 95 % of what is in scope is accepted', () => {
    const inside = Array.from({ length: 20 }, (_, i) => i + 1); // the lowest of 20 may be refused: threshold 2
    const { recall, fpr95, auroc, ece } = outOfScopeMeasures(inside, [0, 1.5, 2, 5], false);
    expect(recall.value).toBe(0.5);
    expect(fpr95).toBe(0.5);
    expect(ece).toBeUndefined();
    // Beaten by 0: 20, by 1.5: 19, by 2: 18.5, by 5: 15.5 of 20.
    expect(auroc.value).toBeCloseTo((20 + 19 + 18.5 + 15.5) / 80, 10);
  });

  test('probabilities are held to what they claim', () => {
    expect(outOfScopeMeasures([0.8, 0.8, 0.8, 0.8], [0.8], true).ece).toBeCloseTo(0, 10);
    expect(outOfScopeMeasures([1, 1], [1, 1], true).ece).toBeCloseTo(0.5, 10);
  });

  test('the interval of AUROC has the variance of DeLong', () => {
    // Positives 3, 1 beat 2 and 0: shares 1, 0.5 (variance 0.125); negatives are beaten by 0.5, 1 (0.125).
    const { value, low } = aurocInterval([3, 1], [2, 0]);
    expect(value).toBeCloseTo(0.75, 10);
    expect(value - low).toBeCloseTo(1.959964 * Math.sqrt(0.125 / 2 + 0.125 / 2), 10);
  });
});
