import { answerParent } from '../../scripts/bench/childProcess.js';
import { benchIndex, type IndexBenchOptions, type IndexBenchRow } from '../../scripts/bench/indexBench.js';

// The benchmark in a process of its own: it collects all garbage of its process again and again, which in one of Jest's is much.

export interface Outcome {
  readonly rows: IndexBenchRow[];
  /** What its progress came to. */
  readonly reported: number;
}

answerParent(async (options: IndexBenchOptions): Promise<Outcome> => {
  let reported = 0;
  const rows = await benchIndex({ ...options, onProgress: ({ done }) => (reported += done) });
  return { rows, reported };
});
