import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KshotError } from '../errors.js';
import type { TrainingResult } from '../learn/trainingRun.js';
import type { JobRun } from './jobRun.js';
import type { TrainingOrder, TrainingReport, TrainingTask } from './trainingProcess.js';

const PROCESS = fileURLToPath(new URL('./trainingProcess.js', import.meta.url));

/** A training that is to stop has so long to save its state; the state of its last validation is saved anyway. */
const STOP_MS = 5000;

/** How a training's process has ended. */
export interface TrainingEnd {
  /** Undefined where it was killed. */
  readonly result: TrainingResult | undefined;
  /** Episodes that had been learned from when it began; -1 where it did not come to that. */
  readonly begunAt: number;
  /** What it was killed by, for people. */
  readonly killedBy: string;
}

/**
 * Trains a head in a process of its own. When the signal aborts, the process saves its state and is gone when this rejects.
 *
 * @throws what the training has failed with; the signal's reason.
 */
export async function trainInChild(
  task: TrainingTask,
  { signal, progress }: JobRun,
  warn: (message: string) => void,
): Promise<TrainingEnd> {
  signal.throwIfAborted();
  // Words of the runtime itself, such as that there is no more memory, go where the server's own go.
  const child = fork(PROCESS, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let begunAt = -1;
  let last: TrainingReport | undefined;
  child.on('message', (report: TrainingReport) => {
    if (report.kind === 'warning') warn(report.message);
    else if (report.kind !== 'learned') last = report;
    else {
      if (begunAt < 0) begunAt = report.episodes;
      progress(report.episodes, report.of);
    }
  });
  const stop = () => stopChild(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const ended = ending(child);
    tell(child, { kind: 'train', task });
    const killedBy = await ended;
    if (last?.kind === 'trained') return { result: last.result, begunAt, killedBy };
    signal.throwIfAborted();
    if (last?.kind === 'failed') throw failure(last);
    return { result: undefined, begunAt, killedBy };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** @returns the signal or exit code that it ended by. @throws where it could not be started. */
function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

function stopChild(child: ChildProcess): void {
  tell(child, { kind: 'stop' });
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.once('close', () => clearTimeout(timer));
}

/** What cannot be sent is to a process that has ended, or is about to. */
function tell(child: ChildProcess, order: TrainingOrder): void {
  if (child.connected) child.send(order, () => undefined);
}

function failure({ code, message }: Extract<TrainingReport, { kind: 'failed' }>): Error {
  return code === undefined ? new Error(message) : new KshotError(code, message);
}
