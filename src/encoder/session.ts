import { Worker } from 'node:worker_threads';
import { KshotError } from '../errors.js';
import { installAdvice } from './device.js';
import { ExitGate } from './exitGate.js';
import type {
  PackedBatch,
  SessionReply,
  SessionRequest,
  SessionSettings,
  SessionWorkerData,
} from './sessionProtocol.js';

/** What a forward pass gave. */
export interface Pass {
  /** `[rows, D]`, or `[rows, 1 + S, D]` where spans were given: the embedding, then the spans. Unit length. */
  readonly embeddings: Float32Array;
  /** How long the pass itself took, padding and pooling included. */
  readonly milliseconds: number;
}

/** Runs forward passes one after the other, off the main thread. */
export interface Session {
  /** D. */
  readonly dimension: number;
  /**
   * Passes that are asked for while one runs wait for it, in order. Takes the arrays of `batch` over.
   *
   * @throws KshotError `encoder_unavailable` when this pass failed or the session is dead.
   */
  run(batch: PackedBatch): Promise<Pass>;
  /** Finishes what was asked for, then frees the graph and its thread. */
  close(): Promise<void>;
}

/**
 * Loads an ONNX graph on a thread of its own and runs one pass, so that what is returned is known to work.
 *
 * @throws KshotError `device_unavailable` when the device cannot be had, `encoder_unavailable` when the file is
 *   damaged or no encoder's.
 */
export async function openSession(settings: SessionSettings): Promise<Session> {
  // onnxruntime reports its use, and keeps a device id in the home folder, unless it is told not to before it loads. A
  // worker's environment is a copy that native code does not see: it must be set here.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  const gate = ExitGate.busy();
  process.once('exit', gate.shut);
  const workerData: SessionWorkerData = { settings, gate: gate.shared };
  const worker = new Worker(new URL('./sessionWorker.js', import.meta.url), {
    workerData,
    execArgv: [], // options of the main script, such as --input-type, are none of the worker's
  });
  worker.once('exit', () => process.off('exit', gate.shut));
  const reply = await new Promise<SessionReply>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`its thread ended with code ${code}`)));
  }).catch((cause: unknown) => {
    throw new KshotError('encoder_unavailable', `onnxruntime cannot be started: ${String(cause)}`, { cause });
  });
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
  if (reply.kind === 'ready') return new WorkerSession(worker, reply.dimension);
  if (reply.kind === 'unusable' && reply.blame === 'device') {
    throw new KshotError(
      'device_unavailable',
      `Device "${settings.device}" cannot be had (${reply.message}): ${installAdvice(settings.device)}`,
    );
  }
  const reason = 'message' in reply ? reply.message : 'it does not answer';
  throw new KshotError(
    'encoder_unavailable',
    `${settings.weights} cannot be used: ${reason}. Restore the file, or choose another with "weights"`,
  );
}

interface Asked {
  resolve(pass: Pass): void;
  reject(error: KshotError): void;
}

class WorkerSession implements Session {
  /** Oldest first: the worker answers in order. */
  private readonly asked: Asked[] = [];
  private death: KshotError | undefined;
  private readonly ended: Promise<void>;

  constructor(
    private readonly worker: Worker,
    readonly dimension: number,
  ) {
    worker.on('message', (reply: SessionReply) => this.settle(reply));
    worker.on('error', (cause) => this.die(`The encoder's thread failed: ${cause.message}`, cause));
    this.ended = new Promise((resolve) =>
      worker.on('exit', (code) => {
        this.die(`The encoder's thread ended with code ${code}`);
        resolve();
      }),
    );
    // A process shall not be kept alive by a session that has nothing to do.
    worker.unref();
  }

  run(batch: PackedBatch): Promise<Pass> {
    if (this.death !== undefined) return Promise.reject(this.death);
    const request: SessionRequest = { kind: 'run', ...batch };
    return new Promise((resolve, reject) => {
      if (this.asked.length === 0) this.worker.ref();
      this.asked.push({ resolve, reject });
      this.worker.postMessage(request, [
        batch.ids.buffer as ArrayBuffer,
        batch.lengths.buffer as ArrayBuffer,
        ...(batch.spans === undefined ? [] : [batch.spans.buffer as ArrayBuffer]),
      ]);
    });
  }

  close(): Promise<void> {
    this.worker.ref();
    this.worker.postMessage({ kind: 'close' } satisfies SessionRequest);
    return this.ended;
  }

  private settle(reply: SessionReply): void {
    const asked = this.asked.shift();
    if (this.asked.length === 0) this.worker.unref();
    if (reply.kind === 'done') asked?.resolve(reply);
    else if (reply.kind === 'failed') {
      asked?.reject(new KshotError('encoder_unavailable', `A forward pass failed: ${reply.message}`));
    }
  }

  private die(message: string, cause?: unknown): void {
    this.death ??= new KshotError('encoder_unavailable', `${message}. Restart the process`, { cause });
    for (const asked of this.asked.splice(0)) asked.reject(this.death);
  }
}
