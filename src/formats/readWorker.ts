import { parentPort, workerData } from 'node:worker_threads';
import { KshotError } from '../errors.js';
import { readBot } from './formats.js';
import type { ReadAnswer, ReadJob } from './readBounded.js';

// The worker thread of readBounded.ts: reads one file.

const { bytes, options } = workerData as ReadJob;
let answer: ReadAnswer;
try {
  answer = { reading: await readBot(bytes, options) };
} catch (error) {
  if (!(error instanceof KshotError)) throw error;
  answer = { code: error.code, message: error.message };
}
parentPort!.postMessage(answer);
