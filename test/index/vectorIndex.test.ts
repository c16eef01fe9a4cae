import { AdaptiveIndex } from '../../src/index/adaptive.js';
import { ExactIndex } from '../../src/index/exact.js';
import { HnswIndex } from '../../src/index/hnsw.js';
import { testVectorIndex } from './contract.js';
import { ManualScheduler } from './vectors.js';

testVectorIndex('exact', (dimension) => ({ index: new ExactIndex(dimension), work: () => {} }), 1);

testVectorIndex('hnsw', (dimension) => ({ index: HnswIndex.create(dimension), work: () => {} }), 0.98);

function adaptive(exactLimit: number, slices: number) {
  return (dimension: number) => {
    const scheduler = new ManualScheduler();
    const index = new AdaptiveIndex(dimension, { exactLimit, schedule: scheduler.schedule });
    return { index, work: () => scheduler.run(slices) };
  };
}
testVectorIndex('adaptive, still small', adaptive(10_000, Infinity), 1);
testVectorIndex('adaptive, settled', adaptive(200, Infinity), 0.98);
testVectorIndex('adaptive, always behind with its work', adaptive(200, 40), 0.98);
testVectorIndex('adaptive, a graph from the first vector on', adaptive(0, Infinity), 0.98);
