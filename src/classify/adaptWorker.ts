import { parentPort } from 'node:worker_threads';
import { createHead } from '../heads/registry.js';
import { HeadRuntime, initHeads } from '../heads/runtime.js';
import type { AdaptAnswer, AdaptJob, AdaptResult } from './adapter.js';
import { fitCalibration } from './calibrate.js';

// The worker thread of adapter.ts: adapts a head to a support set, and fits the calibration to it.

const port = parentPort!;
const ready = initHeads();
const runtimes = new Map<string, HeadRuntime>();

port.on('message', ({ id, job }: { id: number; job: AdaptJob }) => {
  void ready
    .then(() => run(job))
    .then(
      (result): AdaptAnswer => ({ id, result }),
      (error: unknown): AdaptAnswer => ({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    )
    .then((answer) => port.postMessage(answer));
});

function run({ task, head, dimension, support }: AdaptJob): AdaptResult {
  const started = performance.now();
  const key = `${head}:${dimension}`;
  let runtime = runtimes.get(key);
  if (runtime === undefined) {
    runtime = new HeadRuntime(createHead(head), dimension);
    runtimes.set(key, runtime);
  }
  const outcome =
    task === 'calibrate'
      ? { calibration: fitCalibration(runtime, head, support) }
      : { state: runtime.adapts ? runtime.adapt(support) : undefined };
  return { ...outcome, milliseconds: performance.now() - started };
}
