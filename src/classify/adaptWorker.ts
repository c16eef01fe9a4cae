import { parentPort } from 'node:worker_threads';
import { KshotError } from '../errors.js';
import { type HeadRuntime, initHeads } from '../heads/runtime.js';
import { createRuntime } from '../heads/version.js';
import type { AdaptAnswer, AdaptMessage, AdaptResult } from './adapter.js';
import { fitCalibration } from './calibrate.js';

// The worker thread of adapter.ts: induces a head's class state, adapts it to a support set, and fits the calibration to it.

const port = parentPort!;
const ready = initHeads();
/** One version of a head at a time: a newer one takes the place of the former. */
const runtimes = new Map<string, HeadRuntime>();

port.on('message', (message: AdaptMessage) => {
  void ready
    .then(() => run(message))
    .then(
      (result): AdaptAnswer => ({ id: message.id, result }),
      (error: unknown): AdaptAnswer => {
        // WebAssembly memory is fragmented, and only the worker's end gives it back: whoever waits starts another.
        if (error instanceof RangeError) process.exit(1);
        return { id: message.id, ...described(error) };
      },
    )
    .then((answer) => port.postMessage(answer));
});

function run({ task, head, source, support }: AdaptMessage): AdaptResult {
  const started = performance.now();
  if (source !== undefined) {
    runtimes.get(head)?.dispose();
    runtimes.set(head, createRuntime(source));
  }
  const outcome = carryOut(task, runtimes.get(head)!, support);
  return { ...outcome, milliseconds: performance.now() - started };
}

function carryOut(
  job: AdaptMessage['task'],
  runtime: HeadRuntime,
  support: AdaptMessage['support'],
): Omit<AdaptResult, 'milliseconds'> {
  switch (job.task) {
    case 'induce':
      return { state: runtime.induce(support) };
    case 'adapt':
      return { state: runtime.adapts ? runtime.adapt(support) : undefined };
    case 'calibrate':
      return { calibration: fitCalibration(runtime, job.sharpness, support) };
  }
}

function described(error: unknown): { error: string; code?: KshotError['code'] } {
  if (error instanceof KshotError) return { error: error.message, code: error.code };
  return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
