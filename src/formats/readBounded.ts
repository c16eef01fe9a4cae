import { Worker } from 'node:worker_threads';
import { KshotError, type ErrorCode } from '../errors.js';
import type { FileReading, FileReadOptions } from './formats.js';

/** Heap that reading one file may take, in MiB: a file of the longest length and a million texts fits. */
const HEAP_MB = 1024;
/** The longest that one file is read, in ms. */
const TIME_LIMIT_MS = 120_000;

export interface ReadJob {
  readonly bytes: Uint8Array;
  readonly options: FileReadOptions;
}

export type ReadAnswer =
  { readonly reading: FileReading } | { readonly code: ErrorCode; readonly message: string };

/**
 * `readBot` in a thread of its own, with a bound on memory and time: whatever the file holds, this process neither falls
 * over nor stops answering.
 *
 * @param signal ends the reading.
 * @throws KshotError as `readBot`, `invalid_file` beyond the bounds, `cancelled`.
 */
export async function readBotBounded(
  bytes: Uint8Array,
  options: FileReadOptions = {},
  signal?: AbortSignal,
): Promise<FileReading> {
  const job: ReadJob = { bytes, options };
  const worker = new Worker(new URL('./readWorker.js', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  let cut: KshotError | undefined;
  const end = (reason: KshotError) => {
    cut ??= reason;
    void worker.terminate();
  };
  const leave = () => end(new KshotError('cancelled', 'The client left before its file was read'));
  const timer = setTimeout(() => end(refused(options, 'it takes too long to read')), TIME_LIMIT_MS);
  signal?.addEventListener('abort', leave, { once: true });
  if (signal?.aborted === true) leave();
  try {
    const answer = await answerOf(worker);
    if ('reading' in answer) return answer.reading;
    throw new KshotError(answer.code, answer.message);
  } catch (error) {
    if (cut !== undefined) throw cut;
    if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY')
      throw refused(options, 'it takes too much memory to read');
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
    await worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<ReadAnswer> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the reading thread ended without an answer')));
  });
}

function refused({ file }: FileReadOptions, why: string): KshotError {
  const where = file === undefined ? '' : `${file}: `;
  return new KshotError('invalid_file', `${where}${why}; split it, or convert it to JSON lines`);
}

/** By shape, for errors of a thread are not instances of this one's classes. */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
