import { parentPort, workerData } from 'node:worker_threads';
import { checkBot } from './checkBot.js';
import type { CheckedBot } from './checkedBot.js';

// The worker thread of checker.ts: looks at one bot, and ends.

parentPort!.postMessage(checkBot(workerData as CheckedBot));
