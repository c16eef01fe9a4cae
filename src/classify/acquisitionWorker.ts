import { parentPort, workerData } from 'node:worker_threads';
import { suggest } from '../heads/acquisition.js';
import type { AcquisitionJob } from './suggester.js';

// The worker thread of suggester.ts: chooses from one pool, and ends.

const { strategy, pool, count } = workerData as AcquisitionJob;
parentPort!.postMessage(suggest(strategy, pool, count));
