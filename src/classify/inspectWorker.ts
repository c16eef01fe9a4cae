import { parentPort, workerData } from 'node:worker_threads';
import type { CheckedBot } from './checks/checkedBot.js';
import { type Inspection, INSPECTIONS } from './inspections.js';

// The worker thread of inspector.ts: looks at one bot, and ends.

/** What the thread is given. */
export interface InspectJob {
  readonly inspection: Inspection;
  readonly bot: CheckedBot;
}

const { inspection, bot } = workerData as InspectJob;
parentPort!.postMessage(INSPECTIONS[inspection](bot));
