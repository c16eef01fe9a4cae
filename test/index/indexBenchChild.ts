import { answerParent } from '../../scripts/bench/childProcess.js';
import { benchIndex, type IndexBenchOptions } from '../../scripts/bench/indexBench.js';

// The benchmark in a process of its own: it collects all garbage of its process again and again, which in one of Jest's is much.

answerParent(async (options: IndexBenchOptions) => {
  let reported = 0;
  const rows = await benchIndex({ ...options, onProgress: ({ done }) => (reported += done) });
  return { rows, reported };
});
