import { Worker } from 'node:worker_threads';
import { type ErrorCode, KshotError } from '../errors.js';
import type { Leaves } from '../heads/runtime.js';
import type { HeadSource, HeadVersion } from '../heads/version.js';
import type { Sharpness } from '../heads/temperature.js';
import type { BotCalibration } from './calibrate.js';
import type { BotSupport } from './supportSet.js';

/** What a worker thread can do with a head and a support set. */
export type AdaptTask =
  /** The head's class state, as a bot is to take over. */
  | { readonly task: 'induce' }
  /** The same, adapted. */
  | { readonly task: 'adapt' }
  /** Temperature and what scope is judged by, which takes longer. */
  | { readonly task: 'calibrate'; readonly sharpness: Sharpness };

/** What the worker thread is asked to do for one bot. */
export type AdaptJob = AdaptTask & { readonly head: HeadVersion; readonly support: BotSupport };

export interface AdaptResult {
  /** Of `induce`, and of `adapt` unless the head does not adapt. */
  readonly state?: Leaves | undefined;
  /** Of the task `calibrate`; undefined for a support set that is too small. */
  readonly calibration?: BotCalibration | undefined;
  readonly milliseconds: number;
}

/** A job as the worker is sent it: with the head itself where the worker has not had this version of it. */
export interface AdaptMessage {
  readonly id: number;
  readonly task: AdaptTask;
  readonly head: string;
  readonly source: HeadSource | undefined;
  readonly support: BotSupport;
}

/** Worker's answer to the job with that number. A code says that the error is a KshotError. */
export type AdaptAnswer = { readonly id: number } & (
  { readonly result: AdaptResult } | { readonly error: string; readonly code?: ErrorCode }
);

/** A worker that has had nothing to do for so long is let go: WebAssembly memory is given back in no other way. */
const IDLE_MS = 60_000;

interface Pending {
  readonly job: AdaptJob;
  readonly resolve: (result: AdaptResult | undefined) => void;
  readonly reject: (error: Error) => void;
  /** The worker that had it before has died. */
  readonly isRetry?: true;
}

/**
 * Runs what heads take long for, and calibration, off the request path, in one worker thread, one job at a time. A bot that asks
 * again before its job has begun replaces it: only the newest support set matters, so the queue never holds more than
 * one job a bot.
 */
export class Adapter {
  #worker: Worker | undefined;
  #running: (Pending & { readonly id: number; readonly bot: string }) | undefined;
  readonly #waiting = new Map<string, Pending>();
  /** The versions of heads that the worker has, by their names: weights are sent once. */
  readonly #sent = new Map<string, string>();
  #lastId = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** Jobs that wait or run. */
  get size(): number {
    return this.#waiting.size + (this.#running === undefined ? 0 : 1);
  }

  /**
   * @returns undefined when a newer job for the same bot took its place, or the adapter was closed.
   * @throws Error when the worker failed at it; KshotError what the head threw.
   */
  run(bot: string, job: AdaptJob): Promise<AdaptResult | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    this.#waiting.get(bot)?.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#waiting.set(bot, { job, resolve, reject });
      this.#next();
    });
  }

  /** Does a bot's job no more that has not begun. */
  forget(bot: string): void {
    this.#waiting.get(bot)?.resolve(undefined);
    this.#waiting.delete(bot);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    this.#running?.resolve(undefined);
    this.#running = undefined;
    clearTimeout(this.#idle);
    await this.#stop();
  }

  async #stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const [next] = this.#waiting;
    clearTimeout(this.#idle);
    if (next === undefined) {
      this.#idle = setTimeout(() => void this.#stop(), IDLE_MS).unref();
      return;
    }
    const [bot, pending] = next;
    this.#waiting.delete(bot);
    this.#running = { ...pending, bot, id: ++this.#lastId };
    this.#worker ??= this.#start();
    this.#worker.postMessage(this.#message(this.#running.id, pending.job));
  }

  #message(id: number, { head, support, ...task }: AdaptJob): AdaptMessage {
    const isKnown = this.#sent.get(head.name) === head.id;
    this.#sent.set(head.name, head.id);
    return { id, task, head: head.name, source: isKnown ? undefined : head.source, support };
  }

  #start(): Worker {
    const worker = new Worker(new URL('./adaptWorker.js', import.meta.url));
    this.#sent.clear();
    worker.unref();
    worker.on('message', (answer: AdaptAnswer) => {
      if (answer.id !== this.#running?.id) return;
      const { resolve, reject } = this.#running;
      this.#running = undefined;
      if ('result' in answer) resolve(answer.result);
      else
        reject(
          answer.code === undefined ? new Error(answer.error) : new KshotError(answer.code, answer.error),
        );
      this.#next();
    });
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', (code) =>
      this.#lost(worker, new Error(`the adaptation worker exited with code ${code}`)),
    );
    return worker;
  }

  /** A worker that died, of a lack of memory say, has its job tried once more in another. */
  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) {
      const { bot, job, resolve, reject } = running;
      if (running.isRetry) reject(error);
      else if (this.#waiting.has(bot)) resolve(undefined);
      else this.#waiting.set(bot, { job, resolve, reject, isRetry: true });
    }
    this.#next();
  }
}
